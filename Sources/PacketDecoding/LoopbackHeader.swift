// Wingmirror · Apache-2.0
// BSD loopback: LINKTYPE_NULL and LINKTYPE_LOOP of the link type registry.

/// The address family before the packets of BSD loopback and tunnel interfaces.
///
/// LINKTYPE_NULL has it in the byte order of the machine that captured, which a savefile's reader need not share, and
/// LINKTYPE_LOOP in network byte order. Families are small numbers, so one look tells the order.
struct LoopbackHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header in either byte order.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 4 else { throw DecodeFailure(.link, .truncated) }
        let word = octets.bigEndian32(at: 0)
        next = NextHeader(HeaderKind(addressFamily: word > 0xFFFF ? word.byteSwapped : word), at: 4)
    }
}

extension HeaderKind {
    /// What an address family announces, as any system numbers it.
    init(addressFamily: UInt32) {
        switch addressFamily {
        case 2: self = .ipv4
        case 10, 24, 28, 30: self = .ipv6  // Linux, NetBSD and OpenBSD, FreeBSD, Darwin
        default: self = .ignored(.otherEtherType)
        }
    }
}
