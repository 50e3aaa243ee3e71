// Wingmirror · Apache-2.0

/// Which header stands at a place in a packet.
enum HeaderKind: Sendable, Hashable {
    case ethernet
    case vlan
    /// IPv4 or IPv6, told apart by the version.
    case internetProtocol
    case ipv4
    /// An IPv4 header known to be that of a fragment.
    case ipv4Fragment
    case ipv6
    case ipv6Extension
    case ipv6Fragment
    case authentication
    case tcp
    /// What follows is no TCP segment, and how it is counted.
    case ignored(IgnoredReason)
    /// What follows is not decoded, though it may hold a TCP segment.
    case unsupported(ProtocolLayer)
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
        case .raw, .rawLibpcap, .rawOpenBSD: self = .internetProtocol
        case .ipv4: self = .ipv4
        case .ipv6: self = .ipv6
        default: return nil
        }
    }

    /// What an EtherType of the IEEE registry announces.
    init(etherType: UInt16) {
        switch etherType {
        case 0x0800: self = .ipv4
        case 0x86DD: self = .ipv6
        case 0x8100, 0x88A8, 0x9100, 0x9200, 0x9300: self = .vlan
        case 0x0806, 0x8035: self = .ignored(.arp)
        default: self = .ignored(.otherEtherType)
        }
    }

    /// What an assigned Internet protocol number announces, as an IPv4 protocol or an IPv6 next header.
    init(protocolNumber: UInt8) {
        switch protocolNumber {
        case 6: self = .tcp
        case 17: self = .ignored(.udp)
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

    /// Whose failure it is when this header cannot be decoded.
    var layer: ProtocolLayer {
        switch self {
        case .ethernet: .ethernet
        case .vlan: .vlan
        case .internetProtocol, .ignored: .link
        case .ipv4, .ipv4Fragment: .ipv4
        case .ipv6, .ipv6Extension, .ipv6Fragment, .authentication: .ipv6
        case .tcp: .tcp
        case .unsupported(let layer): layer
        }
    }
}
