// Wingmirror · Apache-2.0
// Logical link control: IEEE 802.2 §3.2; SNAP: IEEE 802 §10, RFC 1042; bridged and routed PDUs: RFC 2684 §5.

/// An IEEE 802.2 LLC header.
struct LogicalLinkHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the two access points and the control octet, of which only unnumbered information carries IP.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 3 else { throw DecodeFailure(.llc, .truncated) }
        switch (octets[0], octets[1], octets[2]) {
        case (0xAA, 0xAA, 0x03):
            next = NextHeader(.subnetworkAccess, at: 3)
        case (0x06, 0x06, 0x03):
            next = NextHeader(.ipv4, at: 3)
        case (0xFE, 0xFE, 0x03):
            guard octets.count >= 4 else { throw DecodeFailure(.llc, .truncated) }
            next = NextHeader(HeaderKind(networkLayerIdentifier: octets[3]), at: 4)
        default:
            next = NextHeader(.ignored(.otherLogicalLink), at: 3)
        }
    }
}

/// A SNAP header: an organization, and a protocol of its own.
struct SubnetworkAccessHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the five octets, and the padding before a bridged frame.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 5 else { throw DecodeFailure(.llc, .truncated) }
        let organization = UInt32(octets.bigEndian16(at: 0)) << 8 | UInt32(octets[2])
        let protocolType = octets.bigEndian16(at: 3)
        switch (organization, protocolType) {
        case (0x00_0000, _), (0x00_00F8, _):
            next = NextHeader(HeaderKind(etherType: protocolType), at: 5)
        case (0x00_80C2, 0x0001), (0x00_80C2, 0x0007):
            // ATM pads a bridged frame with two octets of 0; frame relay does not. No Ethernet address starts with 00-00
            // and ends in an EtherType that carries IP at both places, so the EtherType decides.
            guard octets.count >= 5 + 2 + EthernetHeader.length else { throw DecodeFailure(.llc, .truncated) }
            let unpadded = HeaderKind(etherType: octets.bigEndian16(at: 5 + 12))
            next = NextHeader(.ethernet, at: unpadded.carriesInternetProtocol ? 5 : 7)
        default:
            next = NextHeader(.ignored(.otherLogicalLink), at: 5)
        }
    }
}
