// Wingmirror · Apache-2.0
// The fragment header: RFC 8200 §4.5.

/// An IPv6 fragment header.
struct IPv6FragmentHeader: Sendable, Hashable {
    /// Octets of the header.
    static let length = 8

    /// What the datagram begins with; binding in the first fragment only.
    let nextHeader: UInt8
    /// Names the datagram among those of the same addresses.
    let identification: UInt32
    /// Where the payload belongs in the datagram.
    let position: FragmentPosition

    /// Decodes the header at the start of `octets`.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.ipv6, .truncated) }
        nextHeader = octets[0]
        let field = octets.bigEndian16(at: 2)
        position = FragmentPosition(offset: Int(field & 0xFFF8), moreFollow: field & 1 != 0)
        identification = octets.bigEndian32(at: 4)
    }

    /// Whether this one fragment is the whole datagram, to be handled apart from all others (RFC 6946).
    var isAtomic: Bool {
        position.offset == 0 && !position.moreFollow
    }
}
