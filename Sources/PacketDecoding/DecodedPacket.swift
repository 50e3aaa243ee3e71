// Wingmirror · Apache-2.0

/// What decoding made of a captured packet.
public enum DecodedPacket: Sendable, Hashable {
    /// A TCP segment; its payload lies within the octets of the frame.
    case segment(TCPSegment)
    /// A TCP segment whose last fragment this packet was; its payload lies within `PacketDecoder.datagram`.
    case reassembledSegment(TCPSegment)
    /// Understood, and no TCP segment.
    case ignored(IgnoredReason)
    /// Not understood.
    case failed(DecodeFailure)
}

/// What a packet is that was understood and holds no TCP segment of its own.
public enum IgnoredReason: UInt8, Sendable, Hashable, CaseIterable {
    /// ARP or RARP.
    case arp
    /// A frame of Ethernet, or of a link layer like it, whose EtherType is none that carries IP.
    case otherEtherType
    /// An IEEE 802.2 frame that carries no IP, such as spanning tree.
    case otherLogicalLink
    /// A PPP packet that carries no IP, such as LCP.
    case otherPPP
    /// A frame of IEEE 802.11 that is no data frame.
    case wlanControl
    /// ICMP or ICMPv6; what an error message quotes was never delivered.
    case icmp
    /// UDP that carries no tunnel.
    case udp
    /// Encrypted below TCP: IPsec ESP, or protected IEEE 802.11.
    case encrypted
    /// Another protocol over IP.
    case otherProtocol
    /// A tunnel's own messages, or a payload that is no IP.
    case tunnelControl
    /// A fragment that does not complete its datagram.
    case fragmentHeld

    /// The value of a metric's label.
    public var label: String {
        switch self {
        case .arp: "arp"
        case .otherEtherType: "other_ethertype"
        case .otherLogicalLink: "other_llc"
        case .otherPPP: "other_ppp"
        case .wlanControl: "wlan_control"
        case .icmp: "icmp"
        case .udp: "udp"
        case .encrypted: "encrypted"
        case .otherProtocol: "other_protocol"
        case .tunnelControl: "tunnel_control"
        case .fragmentHeld: "fragment_held"
        }
    }
}
