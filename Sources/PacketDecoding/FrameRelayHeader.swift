// Wingmirror · Apache-2.0
// Frame relay: RFC 2427 §3 and §4; network layer protocol identifiers: ISO/IEC TR 9577.

/// A frame relay header, in the encapsulation of the IETF or of Cisco.
struct FrameRelayHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes an address of two to four octets and what names the protocol after it.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        var addressLength = 2
        while true {
            guard octets.count >= addressLength + 2 else { throw DecodeFailure(.link, .truncated) }
            // The last octet of the address has its lowest bit set.
            if octets[addressLength - 1] & 1 != 0 { break }
            addressLength += 1
            guard addressLength <= 4 else { throw DecodeFailure(.link, .malformed) }
        }
        guard octets[addressLength] == 0x03 else {
            next = NextHeader(HeaderKind(etherType: octets.bigEndian16(at: addressLength)), at: addressLength + 2)
            return
        }
        let padding = octets[addressLength + 1] == 0 ? 1 : 0
        let identifier = addressLength + 1 + padding
        guard octets.count > identifier else { throw DecodeFailure(.link, .truncated) }
        next = NextHeader(HeaderKind(networkLayerIdentifier: octets[identifier]), at: identifier + 1)
    }
}

extension HeaderKind {
    /// What a network layer protocol identifier announces.
    init(networkLayerIdentifier: UInt8) {
        switch networkLayerIdentifier {
        case 0xCC: self = .ipv4
        case 0x8E: self = .ipv6
        case 0x80: self = .subnetworkAccess
        case 0xCF: self = .ppp
        default: self = .ignored(.otherLogicalLink)
        }
    }
}
