// Wingmirror · Apache-2.0
// Messages of HTTP/1.1 as octets: RFC 9112 §2.1, framed as §6 says.

internal import HTTPReconstruction
internal import TrafficModel

/// Writes recorded messages as HTTP/1.1 has them.
///
/// Heads are rebuilt from their fields in wire order. The content gets the framing that the fields announce: chunks where
/// the message came in chunks, though not in the same ones, and without the trailer section, which is not recorded.
struct MessageText {
    /// Why a message cannot be written.
    enum Failure: Error {
        /// Content is missing.
        case notWhole
        /// The fields announce a framing that the content cannot have.
        case unframeable
    }

    private let redaction: RecordingRedaction
    private let key: RecordingKey

    init(redaction: RecordingRedaction, key: RecordingKey) {
        self.redaction = redaction
        self.key = key
    }

    /// The request as octets.
    func octets(of request: RecordedRequest) throws(Failure) -> [UInt8] {
        let (request, _) = redaction.applied(to: request, under: key)
        let startLine = Array("\(request.method) ".utf8) + request.target + Array(" HTTP/1.1\r\n".utf8)
        return try octets(of: request.message, startLine: startLine, as: .request)
    }

    /// The response to a request of that method as octets.
    func octets(of response: RecordedResponse, to method: String) throws(Failure) -> [UInt8] {
        let (response, _) = redaction.applied(to: response, under: key)
        let startLine = "HTTP/1.1 \(response.status) \(ReasonPhrase.text(for: response.status))\r\n"
        let kind = WholeMessage.Kind.response(to: RequestMethod(recorded: method))
        return try octets(of: response.message, startLine: Array(startLine.utf8), as: kind)
    }

    private func octets(
        of message: RecordedMessage,
        startLine: [UInt8],
        as kind: WholeMessage.Kind
    ) throws(Failure) -> [UInt8] {
        guard message.contentIsWhole else { throw .notWhole }
        var head = startLine
        for field in redaction.applied(to: message.fields, under: key) {
            head += Array(field.name.utf8) + [0x3A, 0x20] + Self.unfolded(field.value) + [0x0D, 0x0A]
        }
        return try Self.framed(head, message, as: kind)
    }

    /// A value that was folded over several lines, on one (RFC 9112 §5.2).
    private static func unfolded(_ value: [UInt8]) -> [UInt8] {
        value.contains { $0 == 0x0A || $0 == 0x0D } ? value.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } : value
    }

    /// Adds the content, in the framing that recipients will take it to have.
    ///
    /// What the fields say together is decided by reading the head again, so that writer and reader cannot disagree.
    private static func framed(
        _ head: [UInt8],
        _ message: RecordedMessage,
        as kind: WholeMessage.Kind
    ) throws(Failure) -> [UInt8] {
        for framing in Framing.allCases {
            let octets = framing.octets(head: head, content: message.content)
            guard case .message(let read) = WholeMessage.read(octets.span, as: kind, limits: unlimited),
                read.length == octets.count, !read.endsWithOctets, read.content == message.content,
                read.fields.count == message.fields.count + (framing == .addedLength ? 1 : 0)
            else { continue }
            return octets
        }
        throw .unframeable
    }

    /// What was captured has met the limits already.
    private static var unlimited: HTTPLimits {
        var limits = HTTPLimits()
        limits.headOctets = 1 << 40
        return limits
    }
}

/// How the octets of a message may be put together, the likeliest first.
private enum Framing: CaseIterable {
    /// The content as it is, because of its length, or because there is none.
    case plain
    /// The content as one chunk.
    case chunked
    /// The content with a length that was not announced, as when a connection's end was to end it.
    case addedLength

    func octets(head: [UInt8], content: [UInt8]) -> [UInt8] {
        switch self {
        case .plain: head + Self.lineEnd + content
        case .chunked: head + Self.lineEnd + Self.chunks(content)
        case .addedLength: head + Array("Content-Length: \(content.count)\r\n".utf8) + Self.lineEnd + content
        }
    }

    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    /// The content as one chunk and the last one.
    private static func chunks(_ content: [UInt8]) -> [UInt8] {
        let end = Array("0\r\n\r\n".utf8)
        guard !content.isEmpty else { return end }
        return Array("\(String(content.count, radix: 16))\r\n".utf8) + content + lineEnd + end
    }
}

extension RequestMethod {
    /// The method of a recorded request, as far as the response's framing depends on it.
    init(recorded method: String) {
        switch method {
        case "HEAD": self = .head
        case "CONNECT": self = .connect
        default: self = .other
        }
    }
}
