// Wingmirror · Apache-2.0
// Messages of HTTP/1.x outside of a connection: RFC 9112 §2, framed as §6.3 says.

internal import PacketDecoding
internal import TCPReassembly
public import TrafficModel

/// One message of HTTP/1.x that was read from octets which begin with it, such as a record of a recording.
///
/// What is accepted is what is accepted of captured streams, since the same parser reads both.
public struct WholeMessage: Sendable {
    /// The protocol version of its start line.
    public let version: HTTPVersion
    /// Requests only: where the method lies within the octets that were read.
    public let method: Range<Int>
    /// Requests only: where the request target lies within the octets that were read.
    public let target: Range<Int>
    /// Responses only: the final status code.
    public let status: Int
    /// The field lines of the head in wire order, as ranges within the octets that were read.
    public let fields: [FieldLine]
    /// The content without transfer coding; empty when it was not asked for.
    public let content: [UInt8]
    /// How many octets of content there are.
    public let contentOctets: Int64
    /// Field lines of the trailer section, which are not kept.
    public let trailerCount: Int
    /// How many octets the message takes, with interim responses and empty lines in front of it.
    public let length: Int
    /// Whether nothing but the end of the octets ends the content, as the end of a connection would.
    public let endsWithOctets: Bool

    /// Which kind of message the octets begin with.
    public enum Kind: Sendable, Hashable {
        case request
        /// The response to a request of this method, on which it depends whether there is content.
        case response(to: RequestMethod)
    }

    /// What reading came to.
    public enum Outcome: Sendable {
        case message(WholeMessage)
        /// The octets end before the message does.
        case incomplete
        /// The octets are no message, for this reason.
        case malformed(ParseFailure)
        /// Framing fields contradict each other, so that recipients disagree where the message ends.
        case conflicting
    }

    /// Reads the message that the octets begin with.
    ///
    /// Without content the cost is that of the head and of the chunk size lines.
    /// - Parameters:
    ///   - octets: The message, and perhaps more behind it; borrowed for the call.
    ///   - kind: Which kind of message it is.
    ///   - keepsContent: Whether the content is copied; else it is only measured.
    ///   - limits: How long a head or a trailer section may be.
    /// - Returns: The message, or why there is none.
    public static func read(
        _ octets: Span<UInt8>,
        as kind: Kind,
        keepsContent: Bool = true,
        limits: HTTPLimits = HTTPLimits()
    ) -> Outcome {
        var reader = WholeMessageReader(kind: kind, keepsContent: keepsContent, limits: limits)
        return reader.read(octets)
    }
}

/// Drives the parser of captured streams over octets that are all there.
private struct WholeMessageReader: ~Copyable {
    let kind: WholeMessage.Kind
    let keepsContent: Bool
    let limits: HTTPLimits
    private var parser = HeadParser(rewritesHeads: false)
    private var stream: MessageStream
    private var head = MessageHead()
    private var base = 0
    private var fields: [FieldLine] = []
    private var content: [UInt8] = []

    init(kind: WholeMessage.Kind, keepsContent: Bool, limits: HTTPLimits) {
        self.kind = kind
        self.keepsContent = keepsContent
        self.limits = limits
        stream = MessageStream(kind == .request ? .request : .response, state: .head)
    }

    mutating func read(_ octets: Span<UInt8>) -> WholeMessage.Outcome {
        var index = 0
        var hasHead = false
        while index < octets.count {
            // The offset is not 0, or the octets could be a request of HTTP/0.9, which no recording has.
            let position = StreamPosition(
                direction: .fromOriginator,
                offset: Int64(index) + 1,
                time: PacketTime(nanoseconds: 0),
                acknowledged: nil,
                startsSegment: true
            )
            switch stream.next(octets, from: index, at: position, parser: &parser, headLimit: limits.headOctets) {
            case .advanced(let next): index = next
            case .malformed(let failure, _): return .malformed(failure)
            case .skipped: return .malformed(.startLine)
            case .head(.buffer, _):
                preconditionFailure("WholeMessageReader.read: a head was buffered, though all octets came at once")
            case .head(.octets(let start), let next):
                index = next
                if isInterim(parser.head) {
                    stream.begin(.none)
                    continue
                }
                keepHead(at: start)
                hasHead = true
                guard !head.framingConflicts else { return .conflicting }
                if case .unknown(let failure) = framing { return .malformed(failure) }
                stream.begin(framing)
                if framing.isEmpty { return message(length: index) }
            case .content(let range, let messageEnds, let next):
                index = next
                if keepsContent { octets.extracting(range).append(to: &content) }
                if messageEnds { return message(length: index) }
            case .end(let trailers, _, let next):
                return message(length: next, trailers: trailers)
            }
        }
        guard hasHead, stream.state == .untilClose else { return .incomplete }
        return message(length: octets.count, endsWithOctets: true)
    }

    private func isInterim(_ head: MessageHead) -> Bool {
        head.kind == .response && head.status < 200 && head.status != 101
    }

    private mutating func keepHead(at start: Int) {
        head = parser.head
        base = start
        fields = parser.fieldLines(movedBy: start)
    }

    private var framing: MessageFraming {
        switch kind {
        case .request: head.requestFraming
        case .response(let method): head.responseFraming(to: method)
        }
    }

    private func message(length: Int, trailers: Int = 0, endsWithOctets: Bool = false) -> WholeMessage.Outcome {
        .message(
            WholeMessage(
                version: head.version,
                method: head.method.range.moved(by: base),
                target: head.target.range.moved(by: base),
                status: head.status,
                fields: fields,
                content: content,
                contentOctets: stream.contentOctets,
                trailerCount: trailers,
                length: length,
                endsWithOctets: endsWithOctets
            )
        )
    }
}

extension Range<Int> {
    /// The range, so many octets further on.
    fileprivate func moved(by offset: Int) -> Range<Int> { lowerBound + offset..<upperBound + offset }
}

extension HeadParser {
    /// The field lines of the latest head, for octets that begin so much earlier.
    fileprivate func fieldLines(movedBy offset: Int) -> [FieldLine] {
        fields.indices.map { index in
            FieldLine(name: fields[index].name.moved(by: offset), value: fields[index].value.moved(by: offset))
        }
    }
}
