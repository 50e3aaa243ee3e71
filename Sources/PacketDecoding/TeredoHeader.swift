// Wingmirror · Apache-2.0
// Teredo: RFC 4380 §5.1.1.

/// The indications that may precede the IPv6 packet in a Teredo datagram.
struct TeredoHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Steps over an authentication and an origin indication.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        var offset = 0
        if octets.count >= 4, octets.bigEndian16(at: 0) == 1 {
            offset = 4 + Int(octets[2]) + Int(octets[3]) + 9
        }
        if octets.count >= offset + 8, octets.bigEndian16(at: offset) == 0 {
            offset += 8
        }
        guard octets.count > offset else {
            next = NextHeader(.ignored(.udp), at: 0)
            return
        }
        next = NextHeader(octets[offset] >> 4 == 6 ? .ipv6 : .ignored(.udp), at: offset)
    }
}
