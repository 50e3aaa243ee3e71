// Wingmirror · Apache-2.0

/// The way that nearly every packet takes: a link layer with an EtherType, perhaps a VLAN tag, IP without extensions, and
/// TCP, nothing cut.
///
/// It reads the same headers as `HeaderWalk`, in straight-line code on local values, which takes a third of the
/// instructions. Whatever is out of the ordinary gives `nil`, and the walk, which explains everything, starts anew.
enum CommonPath {
    /// The segment in a frame of which `missing` octets were not captured.
    @inline(__always)
    static func segment(in frame: Span<UInt8>, linkType: LinkType, missing: Int) -> TCPSegment? {
        guard missing == 0, var (etherType, offset) = linkLayer(of: frame, linkType: linkType) else { return nil }
        var network: UInt32 = 0
        if etherType == 0x8100 {
            guard let tag = try? VLANTag(decoding: frame.extracting(droppingFirst: offset)) else { return nil }
            etherType = tag.typeOrLength
            network = tag.network.folded(into: network)
            offset += VLANTag.length
        }
        return segment(in: frame, at: offset, etherType: etherType, network: network)
    }

    /// The EtherType in a link-layer header, and where the header ends.
    @inline(__always)
    private static func linkLayer(of frame: Span<UInt8>, linkType: LinkType) -> (etherType: UInt16, offset: Int)? {
        if linkType == .ethernet {
            guard let header = try? EthernetHeader(decoding: frame) else { return nil }
            return (header.typeOrLength, EthernetHeader.length)
        }
        if linkType == .linuxCooked2 {
            // The hardware types from 801 on have no EtherType.
            guard frame.count >= 20, frame.bigEndian16(at: 8) < 801 else { return nil }
            return (frame.bigEndian16(at: 0), 20)
        }
        if linkType == .linuxCooked {
            guard frame.count >= 16, frame.bigEndian16(at: 2) < 801 else { return nil }
            return (frame.bigEndian16(at: 14), 16)
        }
        return nil
    }

    @inline(__always)
    private static func segment(in frame: Span<UInt8>, at offset: Int, etherType: UInt16, network: UInt32)
        -> TCPSegment?
    {
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
                identification: ip.identification,
                network: network
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
                identification: 0,
                network: network
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
        identification: UInt16,
        network: UInt32
    ) -> TCPSegment? {
        guard let header = try? TCPHeader(decoding: octets) else { return nil }
        return TCPSegment(
            header,
            from: source,
            to: destination,
            identification: identification,
            in: octets,
            at: offset,
            network: network
        )
    }
}
