// Wingmirror · Apache-2.0

/// The way that nearly every packet takes: Ethernet, perhaps a VLAN tag, IP without extensions, and TCP, nothing cut.
///
/// It reads the same headers as `HeaderWalk`, in straight-line code on local values, which takes a third of the
/// instructions. Whatever is out of the ordinary gives `nil`, and the walk, which explains everything, starts anew.
enum CommonPath {
    /// The segment in an Ethernet frame of which `missing` octets were not captured.
    @inline(__always)
    static func segment(inEthernet frame: Span<UInt8>, missing: Int) -> TCPSegment? {
        guard missing == 0, let ethernet = try? EthernetHeader(decoding: frame) else { return nil }
        var etherType = ethernet.typeOrLength
        var offset = EthernetHeader.length
        if etherType == 0x8100 {
            guard frame.count >= offset + VLANTag.length else { return nil }
            etherType = frame.bigEndian16(at: offset + 2)
            offset += VLANTag.length
        }
        return segment(in: frame, at: offset, etherType: etherType)
    }

    @inline(__always)
    private static func segment(in frame: Span<UInt8>, at offset: Int, etherType: UInt16) -> TCPSegment? {
        let packet = frame.extracting(droppingFirst: offset)
        switch etherType {
        case 0x0800:
            guard let ip = try? IPv4Header(decoding: packet), ip.protocolNumber == 6, !ip.isFragment,
                let length = ip.totalLength, length <= packet.count
            else { return nil }
            return segment(
                in: packet.extracting(ip.headerLength..<length),
                at: offset + ip.headerLength,
                from: ip.source,
                to: ip.destination,
                identification: ip.identification
            )
        case 0x86DD:
            guard let ip = try? IPv6Header(decoding: packet), ip.nextHeader == 6,
                let length = ip.payloadLength, length <= packet.count - IPv6Header.length
            else { return nil }
            return segment(
                in: packet.extracting(IPv6Header.length..<IPv6Header.length + length),
                at: offset + IPv6Header.length,
                from: ip.source,
                to: ip.destination,
                identification: 0
            )
        default:
            return nil
        }
    }

    @inline(__always)
    private static func segment(
        in octets: Span<UInt8>,
        at offset: Int,
        from source: IPAddress,
        to destination: IPAddress,
        identification: UInt16
    ) -> TCPSegment? {
        guard let header = try? TCPHeader(decoding: octets) else { return nil }
        return TCPSegment(header, from: source, to: destination, identification: identification, in: octets, at: offset)
    }
}
