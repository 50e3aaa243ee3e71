// Wingmirror · Apache-2.0

public import TrafficModel

/// Octets of a message that outlive their packets.
///
/// The ledger makes them, and has them back when their exchange is over, so that the next message takes the same memory.
@safe
public final class RetainedMessage {
    // Behind a pointer, since each access to a property of a class is checked for exclusivity, by a call; what is read or
    // changed through it is so at once, on the one thread of the reconstructor.
    @exclusivity(unchecked)
    private var kept: UnsafeMutablePointer<KeptOctets>

    fileprivate init() {
        unsafe kept = .allocate(capacity: 1)
        unsafe kept.initialize(to: KeptOctets())
        unsafe kept.pointee.message = unsafe Unmanaged.passUnretained(self)
    }

    deinit {
        unsafe kept.pointee.release()
        freeMemory()
    }

    /// Gives back the memory of what is kept, for good.
    private func freeMemory() {
        // The shared one is nobody's. Any other was initialized with the object; who else has a pointer to it, the ledger, has been
        // told by `release`.
        guard unsafe kept != KeptOctets.shed else { return }
        unsafe kept.deinitialize(count: 1)
        unsafe kept.deallocate()
    }

    /// Gives up what is kept, and the memory for it: those of requests that are left unfinished may be many.
    fileprivate func shed() {
        unsafe kept.pointee.release()
        freeMemory()
        unsafe kept = KeptOctets.shed
    }

    /// The head as sent, or as it was written anew where lines are folded or it is malformed by the letter.
    public var head: Span<UInt8> {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            // Invariant: a head is kept once and forgotten when nobody else has the message, so that it stays where it is.
            unsafe _overrideLifetime(kept.pointee.octets.span, borrowing: self)
        }
    }
    /// A copy of the head.
    public var octets: [UInt8] { head.copied() }
    /// Requests only: where the method lies in `octets`.
    public var method: Range<Int> { unsafe kept.pointee.head.method.range }
    /// Requests only: where the request target lies in `octets`.
    public var target: Range<Int> { unsafe kept.pointee.head.target.range }
    /// Where the value of the Host field lies in `octets`.
    public var authority: Range<Int>? { unsafe kept.pointee.head.host?.range }
    /// Where the value of the first Content-Encoding field lies in `octets`.
    public var contentCoding: Range<Int>? { unsafe kept.pointee.head.contentCoding?.range }
    /// The field lines of the head, in wire order.
    public var fieldLines: Span<FieldLine> {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            // Invariant: as above.
            unsafe _overrideLifetime(kept.pointee.fields.span, borrowing: self)
        }
    }
    /// A copy of the field lines.
    public var fields: [FieldLine] { fieldLines.indices.map { fieldLines[$0] } }
    /// The beginning of the content, as far as it was asked for and there was room.
    public var content: [UInt8] { unsafe kept.pointee.content }
    /// The octets of the trailer section, and where its field lines lie in them; empty unless it was kept.
    public var trailers: (octets: [UInt8], fields: [FieldLine]) {
        unsafe (kept.pointee.trailerOctets, kept.pointee.trailerFields)
    }

    /// Whether it was given up for a newer one while its exchange lasted, so that nothing is left of it.
    var isShed: Bool { unsafe kept.pointee.isShed }

    /// Whether more of the content is wanted.
    var wantsContent: Bool { unsafe kept.pointee.content.count < kept.pointee.contentLimit }

    /// Keeps content octets, as far as the limits allow.
    func append(_ octets: Span<UInt8>, _ range: Range<Int>) {
        let wanted = unsafe min(range.count, kept.pointee.contentLimit - kept.pointee.content.count)
        guard wanted > 0, let ledger = unsafe kept.pointee.ledger else { return }
        unsafe ledger.makeRoom(forContent: wanted, of: kept)
        unsafe kept.pointee.append(octets, range)
    }

    /// Keeps a trailer section; `false` when the message is kept no more, or takes more with it than all may.
    func keepTrailers(_ octets: Span<UInt8>, _ fields: Span<FieldLine>) -> Bool {
        // A message has one, at its end.
        guard unsafe kept.pointee.trailerFields.isEmpty else { return true }
        guard let ledger = unsafe kept.pointee.ledger else { return false }
        let more = octets.count + fields.count * MemoryLayout<FieldLine>.stride
        // Those that make room for it are others first.
        unsafe ledger.renew(kept)
        guard ledger.admit(more) else { return false }
        guard !isShed else {
            ledger.release(more)
            return false
        }
        unsafe kept.pointee.keepTrailers(octets, fields, charge: more)
        return true
    }

    /// Keeps no more of the content than so many octets.
    func cutContent(to octets: Int64) {
        unsafe kept.pointee.cutContent(to: octets)
    }

    /// Takes a head, for which `charge` was entered.
    fileprivate func keep(
        _ head: MessageHead,
        _ octets: Span<UInt8>,
        _ fields: Span<FieldLine>,
        contentLimit: Int,
        charge: Int,
        _ ledger: RetentionLedger
    ) {
        unsafe kept.pointee.ledger = ledger
        unsafe kept.pointee.charge = charge
        unsafe kept.pointee.contentLimit = contentLimit
        unsafe kept.pointee.keep(head, octets, fields)
        unsafe ledger.enlist(kept)
    }

    /// How much memory a head takes here: as much as it needs, or what there is already.
    fileprivate func room(octets: Int, fields: Int) -> Int {
        unsafe max(kept.pointee.octets.capacity, octets) + max(kept.pointee.fields.capacity, fields)
            * MemoryLayout<FieldLine>.stride
    }

    /// Forgets the message; returns whether the memory is worth keeping for another.
    fileprivate func forget() -> Bool { unsafe !isShed && kept.pointee.forget() }
}

/// What is kept of a message.
@safe
private struct KeptOctets: ~Copyable {
    var octets = PlainList<UInt8>()
    var head = KeptHead()
    var fields = PlainList<FieldLine>()
    var content: [UInt8] = []
    var trailerOctets: [UInt8] = []
    var trailerFields: [FieldLine] = []
    var contentLimit = 0
    var charge = 0
    /// Where it is entered; `nil` while it holds nothing.
    var ledger: RetentionLedger?
    /// The message that was entered before it, and the one after it, of those that hold something.
    var older: UnsafeMutablePointer<KeptOctets>?
    var newer: UnsafeMutablePointer<KeptOctets>?
    var isShed = false
    /// Whose it is; it lives as long as this does.
    var message: Unmanaged<RetainedMessage>?
    /// Whether content is missing for want of room.
    var isCut = false

    /// What is there of all messages that were given up.
    ///
    /// `nonisolated(unsafe)`: the threads of all reconstructors read it, and nothing of it ever changes: it has no ledger and takes no
    /// content, so that whoever would write it turns back before.
    nonisolated(unsafe) static let shed = {
        // Made once, and never given back.
        let shed = UnsafeMutablePointer<KeptOctets>.allocate(capacity: 1)
        unsafe shed.initialize(to: KeptOctets())
        unsafe shed.pointee.isShed = true
        return unsafe shed
    }()

    /// Where the parts of a head lie.
    struct KeptHead {
        var method = OctetRange(0..<0)
        var target = OctetRange(0..<0)
        var host: OctetRange?
        var contentCoding: OctetRange?
    }

    mutating func keep(_ head: MessageHead, _ octets: Span<UInt8>, _ fields: Span<FieldLine>) {
        // A list that grows by itself takes more than it needs, and no more than that was charged.
        if self.octets.capacity < octets.count { self.octets = PlainList(capacity: octets.count) }
        if self.fields.capacity < fields.count { self.fields = PlainList(capacity: fields.count) }
        self.octets.append(octets)
        self.head = KeptHead(
            method: head.method,
            target: head.target,
            host: head.host,
            contentCoding: head.contentCoding
        )
        self.fields.append(fields)
    }

    mutating func append(_ octets: Span<UInt8>, _ range: Range<Int>) {
        let wanted = min(range.count, contentLimit - content.count)
        guard wanted > 0, let ledger else { return }
        let count = ledger.admitContent(wanted)
        if count < wanted {
            contentLimit = content.count + count
            noteCut()
        }
        octets.extracting(range.lowerBound..<range.lowerBound + count).append(to: &content)
    }

    mutating func keepTrailers(_ octets: Span<UInt8>, _ fields: Span<FieldLine>, charge more: Int) {
        charge += more
        trailerOctets = octets.extracting(first: octets.count).copied()
        trailerFields = fields.indices.map { fields[$0] }
    }

    /// Counts a content that is not all kept, once.
    private mutating func noteCut() {
        if !isCut { ledger?.noteCutContent() }
        isCut = true
    }

    /// Gives up the content, so that another has room.
    mutating func shedContent() {
        cutContent(to: 0)
        content = []
        contentLimit = 0
        noteCut()
    }

    mutating func cutContent(to octets: Int64) {
        let excess = content.count - Int(max(0, octets))
        guard excess > 0 else { return }
        content.removeLast(excess)
        ledger?.releaseContent(excess)
    }

    /// Gives back what was entered.
    mutating func release() {
        guard let ledger else { return }
        unsafe ledger.strike(older: older, newer: newer)
        ledger.release(charge)
        ledger.releaseContent(content.count)
        self.ledger = nil
    }

    mutating func forget() -> Bool {
        release()
        isCut = false
        guard octets.capacity <= RetentionLedger.spareOctets, fields.capacity <= RetentionLedger.spareFields else {
            return false
        }
        octets.removeAll()
        fields.removeAll()
        // Content that was cut to nothing still has its memory.
        if content.capacity > 0 { content = [] }
        if !trailerOctets.isEmpty || !trailerFields.isEmpty { (trailerOctets, trailerFields) = ([], []) }
        return true
    }
}

extension MessageHead {
    /// How many octets of the text it takes to hold the parts that are kept of every head.
    fileprivate var namesLength: Int {
        var end = max(method.range.upperBound, target.range.upperBound)
        if let host { end = max(end, host.range.upperBound) }
        if let contentCoding { end = max(end, contentCoding.range.upperBound) }
        return end
    }
}

extension Retention {
    /// How much is kept of the head of a response, to a request with content of such a kind.
    func headsOfResponse(_ head: MessageHead, to kind: ContentKind) -> Heads {
        guard heads == .names else { return heads }
        // How a call of gRPC-Web ended may be said in the fields.
        if kind.isGRPC || head.contentKind.isGRPC { return .whole }
        return head.contentCoding == nil ? .none : .names
    }
}

/// How much the retained messages of all connections take together, and what was not kept for want of room.
///
/// Where there is none, the message or the content that has been kept for longest is given up: whoever leaves requests
/// unfinished loses what is kept of those, and an exchange that takes no longer than others is kept whole meanwhile.
///
/// One for each reconstructor, used by its thread alone.
@safe
final class RetentionLedger {
    /// What a message takes beside its octets.
    static let fixedCharge = 200

    /// How many messages are kept that hold nothing; most exchanges end before the next begins.
    private static let spareMessages = 32
    /// Larger heads give their memory back.
    fileprivate static let spareOctets = 4096
    /// As do those with more field lines.
    fileprivate static let spareFields = 128

    /// The most that all may take.
    let limit: Int
    /// Messages that hold nothing, with memory for the next ones.
    ///
    /// This and the counts are not checked for exclusivity: each is read and changed at once, on one thread.
    @exclusivity(unchecked)
    private var spare: [RetainedMessage] = []
    /// What they take.
    var octets: Int { unsafe entered }
    @exclusivity(unchecked)
    private var entered = 0
    /// What contents take of that.
    @exclusivity(unchecked)
    private var contentEntered = 0
    /// The ends of the list of messages that hold something, by age.
    @exclusivity(unchecked)
    private var oldest: UnsafeMutablePointer<KeptOctets>?
    @exclusivity(unchecked)
    private var newest: UnsafeMutablePointer<KeptOctets>?
    /// The oldest message that may have content; `nil` where none has.
    @exclusivity(unchecked)
    private var nextWithContent: UnsafeMutablePointer<KeptOctets>?
    /// Messages that were not kept, or not until their exchange was over.
    private(set) var refusedMessages = 0
    /// Messages whose content was cut short.
    private(set) var cutContents = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Keeps a head.
    ///
    /// - Parameters:
    ///   - octets: What the ranges of the head lie in; borrowed for the call only.
    ///   - head: The head.
    ///   - fields: Its field lines.
    ///   - heads: How much of it is kept.
    ///   - contentLimit: How many octets of the content will be kept.
    /// - Returns: The message; `nil` when it alone takes more than all may.
    func keep(
        _ octets: Span<UInt8>,
        head: MessageHead,
        fields: Span<FieldLine>,
        _ heads: Retention.Heads,
        contentLimit: Int
    ) -> RetainedMessage? {
        guard head.textLength > 0 else { return nil }
        let octets = octets.extracting(first: heads == .whole ? head.textLength : head.namesLength)
        let fields = heads == .whole ? fields : fields.extracting(first: 0)
        let message = unsafe spare.popLast() ?? RetainedMessage()
        // What it has from earlier messages counts, or many together would take more than is said. One that is refused goes
        // with that memory, so that the next is judged by its need alone.
        let charge = Self.fixedCharge + message.room(octets: octets.count, fields: fields.count)
        guard admit(charge) else { return nil }
        message.keep(head, octets, fields, contentLimit: contentLimit, charge: charge, self)
        return message
    }

    /// Takes a message back that is over, and its memory for the next if nobody else has it.
    func takeBack(_ message: inout RetainedMessage?) {
        if isKnownUniquelyReferenced(&message), unsafe spare.count < Self.spareMessages, let over = message,
            over.forget()
        {
            unsafe spare.append(over)
        }
        message = nil
    }

    /// Enters a head or a trailer section; the oldest messages make room for it, unless it takes more than all may.
    func admit(_ charge: Int) -> Bool {
        guard charge <= limit else {
            noteRefusal()
            return false
        }
        while octets + charge > limit, let message = unsafe oldest { unsafe shed(message) }
        unsafe entered += charge
        return true
    }

    /// Out of line, or each message that is kept would be checked for access to the count.
    @inline(never)
    private func noteRefusal() {
        refusedMessages += 1
    }

    private func shed(_ message: UnsafeMutablePointer<KeptOctets>) {
        noteRefusal()
        unsafe message.pointee.message?.takeUnretainedValue().shed()
    }

    // MARK: - By age

    /// Puts a message behind all others.
    fileprivate func enlist(_ message: UnsafeMutablePointer<KeptOctets>) {
        unsafe message.pointee.older = newest
        unsafe message.pointee.newer = nil
        if let newest = unsafe newest { unsafe newest.pointee.newer = message } else { unsafe oldest = message }
        unsafe newest = message
        if unsafe nextWithContent == nil { unsafe nextWithContent = message }
    }

    /// Takes a message out from between its neighbours.
    fileprivate func strike(older: UnsafeMutablePointer<KeptOctets>?, newer: UnsafeMutablePointer<KeptOctets>?) {
        let message = unsafe older == nil ? oldest : older?.pointee.newer
        if unsafe nextWithContent == message { unsafe nextWithContent = newer }
        if let older = unsafe older { unsafe older.pointee.newer = newer } else { unsafe oldest = newer }
        if let newer = unsafe newer { unsafe newer.pointee.older = older } else { unsafe newest = older }
    }

    /// Moves a message behind all others.
    fileprivate func renew(_ message: UnsafeMutablePointer<KeptOctets>) {
        unsafe strike(older: message.pointee.older, newer: message.pointee.newer)
        unsafe enlist(message)
    }

    // MARK: - Content

    /// Contents may take three quarters; the last is for heads.
    private var contentRoom: Int { limit / 4 * 3 - octets }

    /// Gives up contents of other messages, the oldest first, until there is room for more of one or it is the oldest itself;
    /// then other messages, while contents have less than a quarter.
    fileprivate func makeRoom(forContent count: Int, of message: UnsafeMutablePointer<KeptOctets>) {
        // In front of the one that is looked at next there is no message with content, so one that gets its first goes behind.
        if unsafe message.pointee.content.isEmpty { unsafe renew(message) }
        while contentRoom < count, let other = unsafe nextWithContent, unsafe other != message {
            unsafe nextWithContent = other.pointee.newer
            if unsafe !other.pointee.content.isEmpty { unsafe other.pointee.shedContent() }
        }
        // Heads that stay for long, as those of WebSockets, leave contents a quarter.
        while contentRoom < count, unsafe contentEntered + count <= limit / 4, let other = unsafe oldest,
            unsafe other != message
        {
            unsafe shed(other)
        }
    }

    /// Enters as much content as there is room for.
    func admitContent(_ count: Int) -> Int {
        let admitted = max(0, min(count, contentRoom))
        unsafe entered += admitted
        unsafe contentEntered += admitted
        return admitted
    }

    /// The content of a message is not all kept.
    fileprivate func noteCutContent() {
        cutContents += 1
    }

    /// A message is gone.
    func release(_ charge: Int) {
        unsafe entered -= charge
    }

    /// Content is gone.
    fileprivate func releaseContent(_ count: Int) {
        unsafe entered -= count
        unsafe contentEntered -= count
    }
}
