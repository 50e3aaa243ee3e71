// Wingmirror · Apache-2.0
// GoReplay's recordings: a line of metadata, the message as on the wire, a separator.

public import TrafficModel

/// One record of a `.gor` file.
public struct GorRecord: Sendable {
    /// What the record's message is.
    public enum Message: Sendable {
        /// Type 1.
        case request(RecordedRequest)
        /// Type 2: what production answered.
        case response(RecordedResponse)
        /// Type 3: what a target answered when the request was replayed.
        case replayed(RecordedResponse)
        /// Type 3 whose response is no HTTP, or ends early.
        case damagedReplay(isCut: Bool)
    }

    /// What joins a request and its responses; nothing is known of it but that it is a word.
    public var identifier: String
    /// When the first packet of the message came, or for type 3 when the replay began, in nanoseconds since the Unix epoch.
    public var time: Int64
    /// From the first packet of the message to its last, or for type 3 the round trip, in nanoseconds; older files have
    /// none.
    public var latencyNanoseconds: Int64?
    /// The protocol version of the message, as exchange records name it.
    public var protocolVersion: String
    /// The message.
    public var message: Message
}

/// What the records of a `.gor` file have in common.
enum GorFormat {
    /// The line between two records: U+1F435 U+1F648 U+1F649.
    static let separatorLine: [UInt8] = Array("\u{1F435}\u{1F648}\u{1F649}".utf8)
    /// What stands behind each message: a line end, the line, its end.
    static let separator: [UInt8] = [0x0A] + separatorLine + [0x0A]

    /// The first separator that begins at or after `start`.
    static func separator(in octets: [UInt8], from start: Int) -> Range<Int>? {
        let span = octets.span
        var index = start
        // The second octet of the line is rare in text and in most binary data, so it is what is looked for.
        while index + separator.count <= span.count {
            guard span[index + 1] == 0xF0 else {
                index += 1
                continue
            }
            guard !matches(span, at: index) else { return index..<index + separator.count }
            index += 1
        }
        return nil
    }

    /// Whether a separator begins at `index`; the end of the octets may stand for its last line end.
    static func endsRecord(_ octets: [UInt8], at index: Int) -> Bool {
        let rest = octets.count - index
        guard rest >= separator.count - 1 else { return false }
        return octets[index..<index + min(rest, separator.count)].elementsEqual(separator.prefix(rest))
    }

    private static func matches(_ span: Span<UInt8>, at index: Int) -> Bool {
        for offset in 0..<separator.count where span[index + offset] != separator[offset] { return false }
        return true
    }
}

/// The line in front of a message: type, id, timestamp and, in newer files, latency.
struct GorMetadata: Hashable {
    enum Kind: UInt8 {
        case request = 0x31
        case response = 0x32
        case replayed = 0x33
    }

    var kind: Kind
    var identifier: String
    var time: Int64
    var latency: Int64?

    init(kind: Kind, identifier: String, time: Int64, latency: Int64?) {
        self.kind = kind
        self.identifier = identifier
        self.time = time
        self.latency = latency
    }

    /// Reads a line without its end; `nil` for what is none.
    ///
    /// GoReplay needs three fields and reads only the third as a number, so a fourth that is none is passed over.
    init?(_ line: some Collection<UInt8>) {
        let parts = line.split(separator: 0x20, maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].count == 1, let kind = parts[0].first.flatMap(Kind.init(rawValue:)),
            (1...128).contains(parts[1].count), parts[1].allSatisfy({ (0x21..<0x7F).contains($0) }),
            let time = Self.number(parts[2])
        else { return nil }
        self.init(
            kind: kind,
            identifier: String(decoding: parts[1], as: UTF8.self),
            time: time,
            latency: parts.count > 3 ? Self.number(parts[3]).flatMap { $0 >= 0 ? $0 : nil } : nil
        )
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int64? {
        Int64(String(decoding: digits, as: UTF8.self))
    }

    /// The line with its end.
    var line: [UInt8] {
        Array("\(kind.rawValue - 0x30) \(identifier) \(time) \(latency ?? 0)\n".utf8)
    }
}
