// Wingmirror · Apache-2.0
// Start lines: RFC 9112 §3 and §4; content framing: RFC 9112 §6.

internal import TCPReassembly
internal import TrafficModel

/// What one direction of a connection carries.
enum MessageKind: UInt8 {
    case request
    case response

    /// What travels in `direction` where the client sends in the direction `client`.
    @inline(__always)
    init(_ direction: StreamDirection, client: StreamDirection) {
        self = direction == client ? .request : .response
    }

    /// The other direction's.
    var other: MessageKind { self == .request ? .response : .request }

    /// The mark of an exchange of which octets of this direction were missed.
    var gap: Integrity { self == .request ? .requestGap : .responseGap }
}

/// The methods that are told apart: those of RFC 9110 §9.3, PATCH (RFC 5789) and QUERY, and all others together.
public enum RequestMethod: UInt8, Sendable, Hashable, CaseIterable {
    case get
    case head
    case post
    case put
    case delete
    case connect
    case options
    case trace
    case patch
    case query
    case other
}

/// What the Content-Length fields of a head say together (RFC 9112 §6.3 rule 5).
enum ContentLength: Hashable {
    case absent
    /// One value, or several equal ones.
    case octets(Int64)
    /// Several values that differ.
    case conflicting
    /// Not a number, or one beyond 2⁶³.
    case invalid
}

/// What the Transfer-Encoding fields of a head say together (RFC 9112 §6.3 rules 3 and 4).
enum TransferCoding: Hashable {
    case absent
    /// The last coding is `chunked`, and it stands there once.
    case chunked
    /// Codings that do not end in `chunked`.
    case other
}

/// What a field value names in the Upgrade field, as far as it matters here.
enum UpgradeProtocol: UInt8, Hashable {
    case none
    case webSocket
    /// HTTP/2 without TLS (RFC 7540 §3.2).
    case http2
    case other
}

/// A head that was parsed: ranges within its octets, and what decides its framing.
struct MessageHead {
    var kind = MessageKind.request
    var version = HTTPVersion.http11
    var knownMethod = RequestMethod.other
    /// Responses only.
    var status = 0
    /// Octets of the head, the empty line included.
    var length = 0
    /// Octets of the text that the ranges lie in: the head as sent, or what it was written to (``HeadRewriting``).
    var textLength = 0
    /// Requests only: where the method lies.
    var method = OctetRange(0..<0)
    /// Requests only: where the request target lies.
    var target = OctetRange(0..<0)

    // Interpreted from the field lines.
    var host: OctetRange?
    var contentCoding: OctetRange?
    var contentLength = ContentLength.absent
    /// Whether Content-Length is a list or stands in several lines, be they equal.
    var repeatsContentLength = false
    var transferCoding = TransferCoding.absent
    /// Whether a Transfer-Encoding line says anything.
    var namesTransferCoding = false
    /// Whether Transfer-Encoding is one line that says `chunked` and nothing else, not even a comma, but for empty lines before it.
    var hasPlainTransferCoding = false
    /// Whether Connection names `close`, or `keep-alive`.
    var saysClose = false
    var saysKeepAlive = false
    var upgrade = UpgradeProtocol.none
    var expectsContinue = false
    /// What the media type says of the content.
    var contentKind = ContentKind.other
    /// Requests only: what else the field lines hold.
    var traits: RequestTraits = []

    /// Whether Envoy refuses a request for its framing: both framings, a Transfer-Encoding that is anything but the one word
    /// `chunked` (501), or a Content-Length that is not one number (400), even where RFC 9110 §8.6 lets a recipient take equal ones for one.
    ///
    /// Its options that allow more are off by default (`allow_chunked_length`). Requests that are read for Envoy by their
    /// transfer coding alone are still read on here, because what stands before Envoy may have taken them.
    var isRefusedForFraming: Bool {
        switch (transferCoding, contentLength) {
        case (.absent, .absent): false
        case (.absent, .octets): repeatsContentLength
        case (.chunked, .absent): !hasPlainTransferCoding
        case (.absent, .conflicting), (.absent, .invalid), (.chunked, _), (.other, _): true
        }
    }

    /// Whether the connection ends behind this request's answer, or behind this response (RFC 9112 §9.3).
    var closesConnection: Bool { saysClose || version == .http10 && !saysKeepAlive }

    /// Whether both framings are given, or the given ones contradict each other.
    var framingConflicts: Bool {
        if contentLength == .conflicting { return true }
        return transferCoding != .absent && contentLength != .absent
    }
}

/// Why octets are not a message; a label value of `http_parse_errors_total`.
public enum ParseFailure: UInt8, Error, Sendable, Hashable, CaseIterable {
    /// The first line is neither a request line nor a status line.
    case startLine
    /// A field line without a colon, or with a name that is no token.
    case fieldLine
    /// A control octet, or a CR without LF.
    case controlOctet
    /// The head is longer than the limit.
    case headTooLong
    /// A Content-Length that is no number.
    case contentLength
    /// A Transfer-Encoding that does not end in chunked, on a request.
    case transferCoding
    /// A chunk size that is no hexadecimal number, or chunk data without a line end.
    case chunk
    /// HTTP/2: a frame or a field block that breaks a rule (RFC 9113 §4.2, §4.3).
    case frame

    /// The value of the label `reason`.
    public var label: String {
        switch self {
        case .startLine: "start_line"
        case .fieldLine: "field_line"
        case .controlOctet: "control_octet"
        case .headTooLong: "head_too_long"
        case .contentLength: "content_length"
        case .transferCoding: "transfer_coding"
        case .chunk: "chunk"
        case .frame: "frame"
        }
    }
}
