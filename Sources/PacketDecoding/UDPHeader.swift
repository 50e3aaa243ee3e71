// Wingmirror · Apache-2.0
// UDP: RFC 768; the ports of tunnels: RFC 7348, 8926, 4380, 8086, 7510, TS 29.281.

/// A UDP header, of interest only for the tunnels that run over UDP.
struct UDPHeader: Sendable, Hashable {
    /// Octets of the header.
    static let length = 8

    /// The sender's port.
    let sourcePort: UInt16
    /// The receiver's port.
    let destinationPort: UInt16

    /// Decodes the header at the start of a datagram.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.udp, .truncated) }
        sourcePort = octets.bigEndian16(at: 0)
        destinationPort = octets.bigEndian16(at: 2)
    }

    /// What follows: the tunnel whose port this is, or nothing of interest; VXLAN is on `vxlanPorts`.
    func next(_ vxlanPorts: PortSet) -> NextHeader {
        NextHeader(vxlanPorts.contains(destinationPort) ? .vxlan : tunnel ?? .ignored(.udp), at: Self.length)
    }

    private var tunnel: HeaderKind? {
        switch destinationPort {
        case 4790: .vxlanExtended
        case 2152: .gtp
        case 6080: .gue
        case 6081: .geneve
        case 4754: .gre
        case 6635: .mpls
        case 3544: .teredo
        default: sourcePort == 3544 ? .teredo : nil
        }
    }
}
