// Wingmirror · Apache-2.0

/// A trailer section, borrowed from wherever its octets lie (RFC 9110 §6.5).
public struct TrailerView: ~Escapable {
    /// What all ranges refer to.
    public let octets: Span<UInt8>
    /// Whether it ends a response; else it ends a request.
    public let isOfResponse: Bool
    /// All field lines in wire order.
    public let fields: Span<FieldLine>

    /// Makes a view of a section; all ranges must lie within `octets`.
    @_lifetime(copy octets, copy fields)
    public init(octets: Span<UInt8>, isOfResponse: Bool, fields: Span<FieldLine>) {
        self.octets = octets
        self.isOfResponse = isOfResponse
        self.fields = fields
    }
}
