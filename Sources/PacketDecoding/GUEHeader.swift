// Wingmirror · Apache-2.0
// Generic UDP encapsulation: draft-ietf-intarea-gue §3, §4.

/// A GUE header, in either variant.
struct GUEHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header at the start of a datagram's payload.
    ///
    /// The variant is chosen so that a packet of IP may stand there without any header.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 4 else { throw DecodeFailure(.udp, .truncated) }
        switch octets[0] >> 6 {
        case 0:
            let length = 4 + Int(octets[0] & 0x1F) * 4
            guard octets.count >= length else { throw DecodeFailure(.udp, .truncated) }
            let isControl = octets[0] & 0x20 != 0
            next = NextHeader(
                isControl ? .ignored(.tunnelControl) : HeaderKind(protocolNumber: octets[1]),
                at: length
            )
        case 1:
            next = NextHeader(.internetProtocol, at: 0)
        default:
            next = NextHeader(.ignored(.udp), at: 4)
        }
    }
}
