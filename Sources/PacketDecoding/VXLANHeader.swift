// Wingmirror · Apache-2.0
// VXLAN: RFC 7348 §5; its protocol extension: draft-ietf-nvo3-vxlan-gpe.

/// A VXLAN header.
struct VXLANHeader: Sendable, Hashable {
    /// Octets of the header.
    static let length = 8

    /// What follows.
    let next: NextHeader
    /// The network that the frame inside belongs to.
    let network: NetworkTag

    /// Decodes the header before an Ethernet frame.
    ///
    /// Without the flag that every VXLAN header has set, the datagram is another protocol's, on a port taken by chance.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.vxlan, .truncated) }
        next = NextHeader(octets[0] & 0x08 != 0 ? .ethernet : .ignored(.udp), at: Self.length)
        network = Self.network(of: octets)
    }

    /// Decodes the extended header, which can name another protocol than Ethernet.
    init(decodingExtended octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.vxlan, .truncated) }
        let kind: HeaderKind =
            switch (octets[0] & 0x0C, octets[3]) {
            case (0x08, _), (0x0C, 3): .ethernet
            case (0x0C, 1): .ipv4
            case (0x0C, 2): .ipv6
            case (0x0C, 4): .service
            case (0x0C, 5): .mpls
            default: .ignored(.tunnelControl)
            }
        next = NextHeader(kind, at: Self.length)
        network = Self.network(of: octets)
    }

    private static func network(of octets: Span<UInt8>) -> NetworkTag {
        .virtualNetwork(octets[0] & 0x08 != 0 ? octets.bigEndian32(at: 4) >> 8 : 0)
    }
}
