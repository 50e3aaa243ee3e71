// Wingmirror · Apache-2.0

/// The protocol version of a message.
public enum HTTPVersion: UInt8, Sendable, Hashable {
    /// A request line without a version (RFC 1945 §4.1); its answer is bare content.
    case http09
    case http10
    case http11
    case http2
}

/// A request head, borrowed from wherever its octets lie.
///
/// For HTTP/1.x the octets are the head as it was sent; for HTTP/2 they are the decoded field block. Nothing is copied to
/// make one, so it can be asked for on the packet path.
public struct RequestView: ~Escapable {
    /// What all ranges refer to.
    public let octets: Span<UInt8>
    /// The method, a token.
    public let method: Range<Int>
    /// The request target as sent: origin, absolute, authority or asterisk form; the `:path` of HTTP/2.
    public let target: Range<Int>
    /// The value of the Host field (HTTP/2: `:authority`, else Host); `nil` without one.
    public let authority: Range<Int>?
    /// The `:scheme` of HTTP/2; `nil` for other versions, whose requests name none, and where it is not known.
    public let scheme: Range<Int>?
    /// The protocol version.
    public let version: HTTPVersion
    /// All field lines in wire order, without pseudo-header fields.
    public let fields: Span<FieldLine>
    /// Lines with names that are not known, and values that are; empty unless ``RequestTraits/onlyNamesUnknown``.
    public private(set) var unnamed: Span<FieldLine>
    /// What is known of the field lines.
    public let traits: RequestTraits

    /// Makes a view of a head; all ranges must lie within `octets`.
    @_lifetime(copy octets, copy fields)
    public init(
        octets: Span<UInt8>,
        method: Range<Int>,
        target: Range<Int>,
        authority: Range<Int>?,
        version: HTTPVersion,
        fields: Span<FieldLine>,
        traits: RequestTraits = [],
        scheme: Range<Int>? = nil
    ) {
        self.octets = octets
        self.method = method
        self.target = target
        self.authority = authority
        self.scheme = scheme
        self.version = version
        self.fields = fields
        unnamed = fields.extracting(first: 0)
        self.traits = traits
    }
    /// The same request with lines whose names are not known; their ranges must lie within ``octets``.
    @_lifetime(copy self, copy lines)
    public consuming func adding(unnamed lines: Span<FieldLine>) -> RequestView {
        unnamed = lines
        return self
    }
}
