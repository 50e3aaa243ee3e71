// Wingmirror · Apache-2.0

/// A response head, borrowed from wherever its octets lie.
///
/// For HTTP/1.x the octets are the head as it was sent; for HTTP/2 they are the decoded field block.
public struct ResponseView: ~Escapable {
    /// What all ranges refer to.
    public let octets: Span<UInt8>
    /// The status code, of an interim response or of the final one.
    public let status: Int
    /// All field lines in wire order, without pseudo-header fields.
    public let fields: Span<FieldLine>

    /// Makes a view of a head; all ranges must lie within `octets`.
    @_lifetime(copy octets, copy fields)
    public init(octets: Span<UInt8>, status: Int, fields: Span<FieldLine>) {
        self.octets = octets
        self.status = status
        self.fields = fields
    }
}
