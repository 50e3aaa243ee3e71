// Wingmirror · Apache-2.0
// Messages of HTTP/1.1 as octets: RFC 9112 §2.1, framed as §6 says.

internal import HTTPMessages
internal import HTTPReconstruction
internal import ShadowTesting

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
        let startLine = Array("\(request.method) ".utf8) + request.target + Array(" HTTP/1.1\r\n".utf8)
        return try octets(of: request.message, startLine: startLine, as: .request)
    }

    /// The response to a request of that method as octets.
    func octets(of response: RecordedResponse, to method: String) throws(Failure) -> [UInt8] {
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
        let emptyLine: [UInt8] = [0x0D, 0x0A]
        let content = message.content
        let announced = Array("Content-Length: \(content.count)\r\n".utf8)
        let candidates: [(octets: [UInt8], fields: Int)] = [
            (head + emptyLine + content, message.fields.count),
            (head + emptyLine + chunked(content), message.fields.count),
            (head + announced + emptyLine + content, message.fields.count + 1),
        ]
        for (octets, fields) in candidates {
            guard case .message(let read) = WholeMessage.read(octets.span, as: kind, limits: unlimited),
                read.length == octets.count, !read.endsWithOctets, read.content == content, read.fields.count == fields
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

    /// The content as one chunk and the last one.
    private static func chunked(_ content: [UInt8]) -> [UInt8] {
        let end = Array("0\r\n\r\n".utf8)
        guard !content.isEmpty else { return end }
        return Array("\(String(content.count, radix: 16))\r\n".utf8) + content + Array("\r\n".utf8) + end
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
