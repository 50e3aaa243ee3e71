// Wingmirror · Apache-2.0
// PPP: RFC 1661 §2, RFC 1662 §3.1; PPPoE: RFC 2516 §4.

/// A PPP header, in any of the lengths that negotiation can give it.
struct PPPHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the address and control octets, if they are there, and the protocol.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 2 else { throw DecodeFailure(.ppp, .truncated) }
        let hasAddress = octets[0] == 0xFF && octets[1] == 0x03
        let start = hasAddress ? 2 : 0
        guard octets.count > start else { throw DecodeFailure(.ppp, .truncated) }
        let first = octets[start]
        // The last octet of a protocol is the odd one: an odd first octet is a compressed protocol (RFC 1661 §6.5).
        if first & 1 != 0 {
            next = NextHeader(HeaderKind(pppProtocol: UInt16(first)), at: start + 1)
            return
        }
        guard octets.count >= start + 2 else { throw DecodeFailure(.ppp, .truncated) }
        next = NextHeader(HeaderKind(pppProtocol: octets.bigEndian16(at: start)), at: start + 2)
    }

    /// Decodes a frame of a serial line, where Cisco HDLC may stand in place of PPP (LINKTYPE_PPP_HDLC).
    init(decodingSerialLine octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 2 else { throw DecodeFailure(.ppp, .truncated) }
        if octets[0] & 0x7F == 0x0F, octets[1] == 0 {
            next = try CiscoHDLCHeader(decoding: octets).next
        } else {
            self = try PPPHeader(decoding: octets)
        }
    }
}

extension HeaderKind {
    /// What a number of the registry of PPP protocols announces.
    init(pppProtocol: UInt16) {
        switch pppProtocol {
        case 0x0021: self = .ipv4
        case 0x0057: self = .ipv6
        case 0x0281, 0x0283: self = .mpls
        // Not handled: TCP/IP header compression (RFC 1144, RFC 2507), compressed data (RFC 1962), multilink (RFC 1990).
        case 0x002D, 0x002F, 0x003D, 0x0061...0x0069, 0x00FB, 0x00FD, 0x2061...0x2069: self = .unsupported(.ppp)
        default: self = .ignored(.otherPPP)
        }
    }
}

/// The header of a PPPoE session packet.
struct PPPoEHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the six octets; the length is left to the IP header inside.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 6 else { throw DecodeFailure(.pppoe, .truncated) }
        guard octets[0] == 0x11 else { throw DecodeFailure(.pppoe, .malformed) }
        next = NextHeader(octets[1] == 0 ? .ppp : .ignored(.otherPPP), at: 6)
    }
}
