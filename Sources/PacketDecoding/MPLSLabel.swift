// Wingmirror · Apache-2.0
// MPLS: RFC 3032 §2.1; pseudowires and the control word: RFC 4385 §3, RFC 4448 §4.6.

/// One entry of a label stack.
struct MPLSLabel: Sendable, Hashable {
    /// What follows: the next entry, or after the last what the first octets after it look like.
    let next: NextHeader

    /// Decodes the entry at the start of `octets`.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 4 else { throw DecodeFailure(.mpls, .truncated) }
        guard octets[2] & 1 != 0 else {
            next = NextHeader(.mpls, at: 4)
            return
        }
        guard octets.count >= 5 else { throw DecodeFailure(.mpls, .truncated) }
        switch octets[4] >> 4 {
        case 4: next = NextHeader(.ipv4, at: 4)
        case 6: next = NextHeader(.ipv6, at: 4)
        case 1: next = NextHeader(.ignored(.tunnelControl), at: 4)  // an associated channel (RFC 4385 §5)
        default: next = try Self.pseudowire(octets.extracting(droppingFirst: 4))
        }
    }

    /// Looks for an Ethernet frame, with the control word before it or without; its EtherType tells.
    private static func pseudowire(_ octets: Span<UInt8>) throws(DecodeFailure) -> NextHeader {
        guard octets.count >= 4 + EthernetHeader.length else { throw DecodeFailure(.mpls, .truncated) }
        if octets[0] == 0, HeaderKind(etherType: octets.bigEndian16(at: 4 + 12)).carriesInternetProtocol {
            return NextHeader(.ethernet, at: 4 + 4)
        }
        if HeaderKind(etherType: octets.bigEndian16(at: 12)).carriesInternetProtocol {
            return NextHeader(.ethernet, at: 4)
        }
        return NextHeader(.ignored(.tunnelControl), at: 4)
    }
}
