// Wingmirror · Apache-2.0
// GTP-U, which carries the packets of mobile subscribers and of some clouds' mirrors: 3GPP TS 29.281 §5.

/// A GTP-U header, with its optional fields and extension headers.
struct GTPHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header at the start of a datagram's payload; another version is another protocol's datagram.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.udp, .truncated) }
        guard octets[0] & 0xF0 == 0x30 else {
            next = NextHeader(.ignored(.udp), at: 8)
            return
        }
        guard octets[1] == Self.packetMessage else {
            next = NextHeader(.ignored(.tunnelControl), at: 8)
            return
        }
        let length = try Self.length(of: octets)
        guard octets.count > length else { throw DecodeFailure(.udp, .truncated) }
        next = try Self.payload(of: octets, at: length)
    }

    /// A G-PDU: a message that carries a subscriber's packet.
    private static let packetMessage: UInt8 = 255

    private static func length(of octets: Span<UInt8>) throws(DecodeFailure) -> Int {
        guard octets[0] & 0x07 != 0 else { return 8 }
        guard octets.count >= 12 else { throw DecodeFailure(.udp, .truncated) }
        var length = 12
        // The type field means something only when the flag says so.
        var type = octets[0] & 0x04 != 0 ? octets[11] : 0
        while type != 0 {
            guard octets.count > length else { throw DecodeFailure(.udp, .truncated) }
            let count = Int(octets[length]) * 4
            guard count > 0 else { throw DecodeFailure(.udp, .malformed) }
            guard octets.count >= length + count else { throw DecodeFailure(.udp, .truncated) }
            type = octets[length + count - 1]
            length += count
        }
        return length
    }

    /// A packet of IP, or the Ethernet frame of a session of that kind, which nothing in the header tells apart.
    private static func payload(of octets: Span<UInt8>, at offset: Int) throws(DecodeFailure) -> NextHeader {
        switch octets[offset] >> 4 {
        case 4: return NextHeader(.ipv4, at: offset)
        case 6: return NextHeader(.ipv6, at: offset)
        default:
            guard octets.count >= offset + EthernetHeader.length else { throw DecodeFailure(.udp, .truncated) }
            let isFrame = HeaderKind(etherType: octets.bigEndian16(at: offset + 12)).carriesInternetProtocol
            return NextHeader(isFrame ? .ethernet : .ignored(.tunnelControl), at: offset)
        }
    }
}
