// Wingmirror · Apache-2.0

/// The protocol whose header was being read when decoding ended.
public enum ProtocolLayer: UInt8, Sendable, Hashable, CaseIterable {
    /// The pseudo-header or link layer of a link type other than those below.
    case link
    /// Ethernet (IEEE 802.3), with the length or the EtherType.
    case ethernet
    /// A VLAN tag (IEEE 802.1Q, 802.1ad).
    case vlan
    /// IEEE 802.2 LLC, and SNAP.
    case llc
    /// IEEE 802.11.
    case wlan
    /// PPP over Ethernet.
    case pppoe
    /// PPP.
    case ppp
    /// MPLS.
    case mpls
    /// IPv4.
    case ipv4
    /// IPv6 with its extension headers.
    case ipv6
    /// Reassembly of fragments.
    case fragment
    /// GRE, with ERSPAN.
    case gre
    /// UDP, where it may carry a tunnel.
    case udp
    /// VXLAN.
    case vxlan
    /// Geneve.
    case geneve
    /// TCP.
    case tcp

    /// The value of the `layer` label in metrics.
    public var label: String {
        switch self {
        case .link: "link"
        case .ethernet: "ethernet"
        case .vlan: "vlan"
        case .llc: "llc"
        case .wlan: "wlan"
        case .pppoe: "pppoe"
        case .ppp: "ppp"
        case .mpls: "mpls"
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        case .fragment: "fragment"
        case .gre: "gre"
        case .udp: "udp"
        case .vxlan: "vxlan"
        case .geneve: "geneve"
        case .tcp: "tcp"
        }
    }
}

/// Why a packet that may hold a TCP segment was not decoded to it.
public struct DecodeFailure: Error, Sendable, Hashable {
    /// What kind of failure it is.
    public enum Reason: UInt8, Sendable, Hashable, CaseIterable {
        /// The capture ends before the header does, though the packet on the wire went on.
        case truncated
        /// The header contradicts itself, its surroundings or its standard.
        case malformed
        /// The format is known to exist, and is not decoded.
        case unsupported
        /// A limit of `DecodingLimits` was met.
        case limitReached

        /// The value of the `reason` label in metrics.
        public var label: String {
            switch self {
            case .truncated: "truncated"
            case .malformed: "malformed"
            case .unsupported: "unsupported"
            case .limitReached: "limit_reached"
            }
        }
    }

    /// Where it happened.
    public let layer: ProtocolLayer
    /// What happened.
    public let reason: Reason

    /// Makes a failure of its parts.
    public init(_ layer: ProtocolLayer, _ reason: Reason) {
        self.layer = layer
        self.reason = reason
    }
}
