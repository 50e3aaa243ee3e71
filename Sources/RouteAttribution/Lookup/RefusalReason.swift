// Wingmirror · Apache-2.0

/// Why the gateway refuses a request before it looks for a route; the words are part of records and of `routes explain`.
public enum RefusalReason: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// HTTP/1.0, which Envoy takes only where it is told to.
    case http10
    /// The framing headers contradict each other, or leave the end of the content open.
    case framing
    /// A head of HTTP/2 that breaks its rules or is too large, so that Envoy resets the stream.
    case malformed
    /// Too many headers, or too large ones.
    case headSize
    /// Connection names what must not be taken out.
    case connection
    /// A method that Envoy's HTTP/1 parser does not know.
    case method
    /// QUERY without a content type.
    case contentType
    /// A request target that Envoy does not take.
    case target
    /// No Host header.
    case noHost
    /// A Host header that is no host.
    case host

    /// The reason in one word.
    public var word: String {
        switch self {
        case .http10: "http10"
        case .framing: "framing"
        case .malformed: "malformed"
        case .headSize: "head_size"
        case .connection: "connection"
        case .method: "method"
        case .contentType: "content_type"
        case .target: "target"
        case .noHost: "no_host"
        case .host: "host"
        }
    }

    /// The reason in a sentence, with what there is to do.
    public var sentence: String {
        switch self {
        case .http10:
            "the request is HTTP/1.0, which Envoy answers with 426; if this gateway takes it (PILOT_HTTP10), set gateway.http10"
        case .framing:
            "its headers contradict each other on where the body ends, such as Content-Length and Transfer-Encoding"
        case .malformed:
            "its headers break a rule of HTTP/2, such as no :path or a Connection header, or are more than 100 or 60 KiB; Envoy "
                + "resets the stream"
        case .headSize: "it has more than 100 headers, or more than 60 KiB of them; Envoy answers 431"
        case .connection: "its Connection header names headers that may not be taken out, or too many"
        case .method: "Envoy does not know the method; methods are upper-case"
        case .contentType: "QUERY needs a Content-Type header"
        case .target:
            "Envoy does not take the path: spaces, control characters and other than ASCII must be percent-encoded, and https:// "
                + "needs TLS"
        case .noHost: "it has no Host header"
        case .host: "its Host header is no host name: it has characters that no host may have"
        }
    }
}
