// Wingmirror · Apache-2.0

public import TrafficModel

/// Octets of a message that outlive their packets.
public final class RetainedMessage {
    /// The head as sent, or as it was written anew where lines are folded or it is malformed by the letter.
    public let octets: [UInt8]
    /// Requests only: where the method lies in `octets`.
    public let method: Range<Int>
    /// Requests only: where the request target lies in `octets`.
    public let target: Range<Int>
    /// Where the value of the Host field lies in `octets`.
    public let authority: Range<Int>?
    /// Where the value of the first Content-Encoding field lies in `octets`.
    public let contentCoding: Range<Int>?
    /// The field lines of the head, in wire order.
    public let fields: [FieldLine]
    /// The beginning of the content, as far as it was asked for and there was room.
    public internal(set) var content: [UInt8] = []
    /// The octets of the trailer section, and where its field lines lie in them; empty unless it was kept.
    public private(set) var trailers: (octets: [UInt8], fields: [FieldLine]) = ([], [])
    private var contentLimit: Int
    private var charge: Int
    private let ledger: RetentionLedger

    /// Keeps a head; `nil` when the messages of all connections together take too much already.
    init?(
        _ octets: Span<UInt8>,
        head: MessageHead,
        fields: Span<FieldLine>,
        contentLimit: Int,
        _ ledger: RetentionLedger
    ) {
        charge = RetentionLedger.fixedCharge + head.textLength + fields.count * MemoryLayout<FieldLine>.stride
        self.ledger = ledger
        self.octets = ledger.admit(charge) ? octets.extracting(first: head.textLength).copied() : []
        self.method = head.method.range
        self.target = head.target.range
        self.authority = head.host?.range
        self.contentCoding = head.contentCoding?.range
        self.contentLimit = contentLimit
        guard !self.octets.isEmpty else {
            self.fields = []
            return nil
        }
        self.fields = fields.indices.map { fields[$0] }
    }

    deinit {
        if !octets.isEmpty { ledger.release(charge + content.count) }
    }

    /// Whether more of the content is wanted.
    var wantsContent: Bool { content.count < contentLimit }

    /// Keeps content octets, as far as the limits allow.
    func append(_ octets: Span<UInt8>, _ range: Range<Int>) {
        let wanted = max(0, min(range.count, contentLimit - content.count))
        let count = ledger.admitContent(wanted)
        if count < wanted { contentLimit = content.count + count }
        octets.extracting(range.lowerBound..<range.lowerBound + count).append(to: &content)
    }

    /// Keeps a trailer section; `false` when the messages of all connections together take too much already.
    func keepTrailers(_ octets: Span<UInt8>, _ fields: Span<FieldLine>) -> Bool {
        // A message has one, at its end.
        guard trailers.fields.isEmpty else { return true }
        let more = octets.count + fields.count * MemoryLayout<FieldLine>.stride
        guard ledger.admit(more) else { return false }
        charge += more
        trailers = (octets.extracting(first: octets.count).copied(), fields.indices.map { fields[$0] })
        return true
    }

    /// Keeps no more of the content than so many octets.
    func cutContent(to octets: Int64) {
        let excess = content.count - Int(max(0, octets))
        guard excess > 0 else { return }
        content.removeLast(excess)
        ledger.release(excess)
    }
}

/// How much the retained messages of all connections take together, and what was not kept for want of room.
///
/// One for each reconstructor, used by its thread alone.
final class RetentionLedger {
    /// What a message takes beside its octets.
    static let fixedCharge = 200

    /// The most that all may take.
    let limit: Int
    /// What they take.
    private(set) var octets = 0
    /// Messages that were not kept.
    private(set) var refusedMessages = 0
    /// Messages whose content was cut short.
    private(set) var cutContents = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether there is no room for more heads.
    var isFull: Bool { octets >= limit }

    /// Enters a head, if there is room.
    func admit(_ charge: Int) -> Bool {
        guard octets + charge <= limit else {
            refusedMessages += 1
            return false
        }
        octets += charge
        return true
    }

    /// Enters as much content as there is room for; the last quarter is for heads.
    func admitContent(_ count: Int) -> Int {
        let admitted = max(0, min(count, limit / 4 * 3 - octets))
        if admitted < count { cutContents += 1 }
        octets += admitted
        return admitted
    }

    /// A message is gone.
    func release(_ charge: Int) {
        octets -= charge
    }
}
