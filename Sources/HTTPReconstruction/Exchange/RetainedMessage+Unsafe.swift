// Wingmirror · Apache-2.0

public import TrafficModel

/// Octets of a message that outlive their packets.
///
/// The ledger makes them, and has them back when their exchange is over, so that the next message takes the same memory.
@safe
public final class RetainedMessage {
    // Behind a pointer, since each access to a property of a class is checked for exclusivity, by a call; what is read or
    // changed through it is so at once, on the one thread of the reconstructor.
    private let kept: UnsafeMutablePointer<KeptOctets>

    fileprivate init() {
        unsafe kept = .allocate(capacity: 1)
        unsafe kept.initialize(to: KeptOctets())
    }

    deinit {
        // The memory was initialized with the object, and no pointer to it leaves it.
        unsafe kept.pointee.release()
        unsafe kept.deinitialize(count: 1)
        unsafe kept.deallocate()
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

    /// Whether more of the content is wanted.
    var wantsContent: Bool { unsafe kept.pointee.content.count < kept.pointee.contentLimit }

    /// Keeps content octets, as far as the limits allow.
    func append(_ octets: Span<UInt8>, _ range: Range<Int>) {
        unsafe kept.pointee.append(octets, range)
    }

    /// Keeps a trailer section; `false` when the messages of all connections together take too much already.
    func keepTrailers(_ octets: Span<UInt8>, _ fields: Span<FieldLine>) -> Bool {
        unsafe kept.pointee.keepTrailers(octets, fields)
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
    }

    /// How much memory a head takes here: as much as it needs, or what there is already.
    fileprivate func room(octets: Int, fields: Int) -> Int {
        unsafe max(kept.pointee.octets.capacity, octets) + max(kept.pointee.fields.capacity, fields)
            * MemoryLayout<FieldLine>.stride
    }

    /// Forgets the message; returns whether the memory is worth keeping for another.
    fileprivate func forget() -> Bool { unsafe kept.pointee.forget() }
}

/// What is kept of a message.
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

    /// Where the parts of a head lie.
    struct KeptHead {
        var method = OctetRange(0..<0)
        var target = OctetRange(0..<0)
        var host: OctetRange?
        var contentCoding: OctetRange?
    }

    mutating func keep(_ head: MessageHead, _ octets: Span<UInt8>, _ fields: Span<FieldLine>) {
        self.octets.append(octets.extracting(first: head.textLength))
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
        if count < wanted { contentLimit = content.count + count }
        octets.extracting(range.lowerBound..<range.lowerBound + count).append(to: &content)
    }

    mutating func keepTrailers(_ octets: Span<UInt8>, _ fields: Span<FieldLine>) -> Bool {
        // A message has one, at its end.
        guard trailerFields.isEmpty else { return true }
        let more = octets.count + fields.count * MemoryLayout<FieldLine>.stride
        guard let ledger, ledger.admit(more) else { return false }
        charge += more
        trailerOctets = octets.extracting(first: octets.count).copied()
        trailerFields = fields.indices.map { fields[$0] }
        return true
    }

    mutating func cutContent(to octets: Int64) {
        let excess = content.count - Int(max(0, octets))
        guard excess > 0 else { return }
        content.removeLast(excess)
        ledger?.release(excess)
    }

    /// Gives back what was entered.
    mutating func release() {
        ledger?.release(charge + content.count)
        ledger = nil
    }

    mutating func forget() -> Bool {
        release()
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

/// How much the retained messages of all connections take together, and what was not kept for want of room.
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
    /// Messages that were not kept.
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
    ///   - contentLimit: How many octets of the content will be kept.
    /// - Returns: The message; `nil` when those of all connections together take too much already.
    func keep(
        _ octets: Span<UInt8>,
        head: MessageHead,
        fields: Span<FieldLine>,
        contentLimit: Int
    ) -> RetainedMessage? {
        guard head.textLength > 0 else { return nil }
        let message = unsafe spare.popLast() ?? RetainedMessage()
        // What it has from earlier messages counts, or many together would take more than is said. One that is refused goes
        // with that memory, so that the next is judged by its need alone.
        let charge = Self.fixedCharge + message.room(octets: head.textLength, fields: fields.count)
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

    /// Whether there is no room for more heads.
    var isFull: Bool { octets >= limit }

    /// Enters a head, if there is room.
    func admit(_ charge: Int) -> Bool {
        guard octets + charge <= limit else {
            refusedMessages += 1
            return false
        }
        unsafe entered += charge
        return true
    }

    /// Enters as much content as there is room for; the last quarter is for heads.
    func admitContent(_ count: Int) -> Int {
        let admitted = max(0, min(count, limit / 4 * 3 - octets))
        if admitted < count { cutContents += 1 }
        unsafe entered += admitted
        return admitted
    }

    /// A message is gone.
    func release(_ charge: Int) {
        unsafe entered -= charge
    }
}
