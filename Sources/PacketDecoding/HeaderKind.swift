// Wingmirror · Apache-2.0

/// Which header stands at a place in a packet.
enum HeaderKind: Sendable, Hashable {
    case ethernet
    case vlan
    /// A switch's tag before an EtherType or a frame.
    case shim(ShimHeader)
    case logicalLink
    case subnetworkAccess
    case linuxCooked1
    case linuxCooked2
    case loopback
    case ppp
    case pppSerialLine
    case pppDirected
    case pppoe
    case ciscoHDLC
    case frameRelay
    case arcnet
    case wlan
    /// IEEE 802.11, its header padded to a multiple of four octets.
    case wlanPadded
    case radiotap
    case prism
    case ppi
    case nflog
    case packetFilterLog
    case packetFilterTunnel
    case packetTap
    /// Four octets of a network analyser, then Ethernet.
    case networkAnalyzer
    case mpls
    /// IPv4 or IPv6, told apart by the version.
    case internetProtocol
    case ipv4
    /// An IPv4 header known to be that of a fragment.
    case ipv4Fragment
    case ipv6
    /// An extension header to be stepped over, a routing header too: addresses are those of the IP header.
    case ipv6Extension
    case ipv6Fragment
    case authentication
    case gre
    case etherIP
    case udp
    case vxlan
    /// VXLAN with the protocol extension.
    case vxlanExtended
    case geneve
    case teredo
    case gtp
    case gue
    /// A network service header.
    case service
    case tcp
    /// What follows is no TCP segment, and how it is counted.
    case ignored(IgnoredReason)
    /// What follows is not decoded, though it may hold a TCP segment.
    case unsupported(ProtocolLayer)
    /// What follows is of a format that is not known.
    case unknown(UndecodedFormat)
}

/// What a header says of what follows it.
struct NextHeader: Sendable, Hashable {
    /// What the next header is.
    let kind: HeaderKind
    /// Where it starts, from the start of the header that says so.
    let offset: Int

    init(_ kind: HeaderKind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}

// MARK: - Registries

extension HeaderKind {
    /// What begins a packet of a link type, if that is decoded.
    init?(linkType: LinkType) {
        switch linkType {
        case .ethernet: self = .ethernet
        case .linuxCooked: self = .linuxCooked1
        case .linuxCooked2: self = .linuxCooked2
        case .raw, .rawLibpcap, .rawOpenBSD: self = .internetProtocol
        case .ipv4: self = .ipv4
        case .ipv6: self = .ipv6
        case .null, .loop: self = .loopback
        case .ppp: self = .ppp
        case .pppHDLC: self = .pppSerialLine
        case .pppWithDirection: self = .pppDirected
        case .pppEthernet: self = .pppoe
        case .ciscoHDLC: self = .ciscoHDLC
        case .frameRelay: self = .frameRelay
        case .atmRFC1483: self = .logicalLink
        case .arcnetLinux: self = .arcnet
        case .wlan: self = .wlan
        case .wlanRadiotap: self = .radiotap
        case .wlanPrism, .wlanAVS: self = .prism
        case .ppi: self = .ppi
        case .nflog: self = .nflog
        case .packetFilterLog: self = .packetFilterLog
        case .packetFilterTunnel: self = .packetFilterTunnel
        case .packetTap: self = .packetTap
        case .networkAnalyzer: self = .networkAnalyzer
        default: return nil
        }
    }

    /// What an EtherType of the IEEE registry announces, or a length in its place.
    @inline(__always)
    init(etherType: UInt16) {
        switch etherType {
        case 0x0800: self = .ipv4
        case 0x86DD: self = .ipv6
        case 0x8100, 0x88A8, 0x9100, 0x9200, 0x9300: self = .vlan
        case 0x8847, 0x8848: self = .mpls
        case 0x8864: self = .pppoe
        case 0x8863: self = .ignored(.otherPPP)
        case 0x880B: self = .ppp
        case 0x6558: self = .ethernet
        case 0x894F: self = .service
        case 0x8870: self = .logicalLink  // jumbo frames
        case 0x0806, 0x8035: self = .ignored(.arp)
        case 0x88E5: self = .ignored(.encrypted)  // MACsec
        case ...1500: self = .logicalLink
        default: self.init(rareEtherType: etherType)
        }
    }

    /// What an EtherType announces that few frames have: a switch's tag, a protocol that never carries IP, or nothing known.
    private init(rareEtherType etherType: UInt16) {
        if let shim = ShimHeader(etherType: etherType) {
            self = .shim(shim)
        } else if Self.carriesNoInternetProtocol(etherType) {
            self = .ignored(.otherEtherType)
        } else {
            self = .unknown(UndecodedFormat(.etherType, UInt32(etherType)))
        }
    }

    private static func carriesNoInternetProtocol(_ etherType: UInt16) -> Bool {
        switch etherType {
        case 0x0600, 0x0BAD, 0x6000...0x6009, 0x809B, 0x80F3, 0x80D5, 0x8137, 0x8138, 0x9000:
            true  // XNS, VINES, DECnet, AppleTalk, SNA, IPX, configuration testing
        case 0x8808, 0x8809, 0x88CC, 0x888E, 0x88C7, 0x890D, 0x88D9, 0x8902, 0x88E3, 0x88F5, 0x88F6, 0x88FB, 0x22EA:
            true  // pause, slow protocols, LLDP, 802.1X, LLTD, connectivity faults, ring and registration protocols
        case 0x88F7, 0x22F0, 0x0842, 0x88A2, 0x8906, 0x8914, 0x8915, 0x88CA:
            true  // PTP, AVTP, wake-on-LAN, ATA, FCoE, RoCE, TIPC
        case 0x8892, 0x88A4, 0x88AB, 0x88B8...0x88BA, 0x88CD, 0x887B, 0x88E1, 0x8912, 0x2000, 0x2004:
            true  // industrial buses, home networks, Cisco's discovery
        default:
            false
        }
    }

    /// What an assigned Internet protocol number announces, as an IPv4 protocol or an IPv6 next header.
    @inline(__always)
    init(protocolNumber: UInt8) {
        switch protocolNumber {
        case 6: self = .tcp
        case 17: self = .udp
        case 4: self = .ipv4
        case 41: self = .ipv6
        case 47: self = .gre
        case 97: self = .etherIP
        case 137: self = .mpls
        case 143: self = .ethernet  // RFC 8986 §9.1
        case 1, 58: self = .ignored(.icmp)
        case 0, 43, 60, 135, 139, 140: self = .ipv6Extension
        case 44: self = .ipv6Fragment
        case 51: self = .authentication
        case 50: self = .ignored(.encrypted)
        default: self = .ignored(.otherProtocol)
        }
    }
}

extension HeaderKind {
    /// Which IP header starts with the first of `octets`.
    init(versionOf octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 1 else { throw DecodeFailure(.link, .truncated) }
        switch octets[0] >> 4 {
        case 4: self = .ipv4
        case 6: self = .ipv6
        default: throw DecodeFailure(.link, .malformed)
        }
    }

    /// Whether this is an IP header.
    var isInternetProtocol: Bool {
        switch self {
        case .ipv4, .ipv6: true
        default: false
        }
    }

    /// Whether this leads to an IP header, as far as one can tell from here.
    var carriesInternetProtocol: Bool {
        switch self {
        case .ipv4, .ipv6, .vlan, .mpls, .pppoe, .shim: true
        default: false
        }
    }

    /// Whose failure it is when this header cannot be decoded.
    var layer: ProtocolLayer {
        switch self {
        case .ethernet, .etherIP: .ethernet
        case .vlan, .shim: .vlan
        case .logicalLink, .subnetworkAccess: .llc
        case .wlan, .wlanPadded: .wlan
        case .ppp, .pppSerialLine, .pppDirected: .ppp
        case .pppoe: .pppoe
        case .mpls: .mpls
        case .ipv4, .ipv4Fragment: .ipv4
        case .ipv6, .ipv6Extension, .ipv6Fragment, .authentication: .ipv6
        case .gre: .gre
        case .udp, .teredo, .gtp, .gue: .udp
        case .vxlan, .vxlanExtended: .vxlan
        case .geneve: .geneve
        case .tcp: .tcp
        case .unsupported(let layer): layer
        case .unknown(let format): format.registry == .etherType ? .ethernet : .link
        case .linuxCooked1, .linuxCooked2, .loopback, .ciscoHDLC, .frameRelay, .arcnet, .radiotap, .prism, .ppi, .nflog,
            .packetFilterLog, .packetFilterTunnel, .packetTap, .networkAnalyzer, .service, .internetProtocol, .ignored:
            .link
        }
    }
}
