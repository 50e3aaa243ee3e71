// Wingmirror · Apache-2.0
// IP over ARCNET: RFC 1201; its form in captures: LINKTYPE_ARCNET_LINUX of the link type registry.

/// An ARCNET header as Linux gives it.
struct ARCNETHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes addresses, offset and protocol, and for the protocols of RFC 1201 the split flag and sequence number.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.link, .truncated) }
        let kind: HeaderKind? =
            switch octets[4] {
            case 212: .ipv4
            case 213, 214: .ignored(.arp)
            case 196: .ipv6
            default: nil
            }
        if octets[4] == 240 {  // RFC 1051, which knows no split
            next = NextHeader(.ipv4, at: 5)
        } else if let kind {
            // Not handled: packets split over several frames.
            guard octets[5] == 0 else { throw DecodeFailure(.link, .unsupported) }
            next = NextHeader(kind, at: 8)
        } else {
            next = NextHeader(.ignored(.otherEtherType), at: 8)
        }
    }
}
