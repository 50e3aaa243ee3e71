// Wingmirror · Apache-2.0

/// The way that nearly every packet takes: a link layer with an EtherType, perhaps a VLAN tag, IP without options or
/// extensions, and TCP, nothing cut.
///
/// It reads the same headers as `HeaderWalk`, in straight-line code on local values, which takes a third of the
/// instructions. Whatever is out of the ordinary gives `nil`, and the walk, which explains everything, starts anew.
///
/// Inlinable, so that the segment comes to be where the caller goes on with it, and is not given back by way of memory.
@usableFromInline
enum CommonPath {
    /// Octets of an IPv4 header without options, of an IPv6 header, and of a TCP header without options.
    @inlinable static var ipv4: Int { 20 }
    @inlinable static var ipv6: Int { 40 }
    @inlinable static var tcp: Int { 20 }

    /// The segment in a frame that was captured whole.
    @inlinable
    @inline(__always)
    static func segment(in frame: Span<UInt8>, linkType: LinkType) -> TCPSegment? {
        guard var (etherType, offset) = linkLayer(of: frame, linkType: linkType) else { return nil }
        var network: UInt32 = 0
        if _slowPath(etherType == 0x8100) {
            guard frame.count - offset >= 4 else { return nil }
            network = NetworkTag.vlan(frame.bigEndian16(at: offset) & 0xFFF).folded(into: network)
            etherType = frame.bigEndian16(at: offset + 2)
            offset += 4
        }
        return segment(in: frame, at: offset, etherType: etherType, network: network)
    }

    /// The EtherType in a link-layer header, and where the header ends.
    @inlinable
    @inline(__always)
    static func linkLayer(of frame: Span<UInt8>, linkType: LinkType) -> (etherType: UInt16, offset: Int)? {
        // By number, because the names are globals of this module, whose values other modules have to ask for.
        switch linkType.rawValue {
        case 1:  // Ethernet
            guard frame.count >= 14 else { return nil }
            return (frame.bigEndian16(at: 12), 14)
        case 276:  // Linux cooked, version 2; the hardware types from 801 on have no EtherType
            guard frame.count >= 20, frame.bigEndian16(at: 8) < 801 else { return nil }
            return (frame.bigEndian16(at: 0), 20)
        case 113:  // Linux cooked
            guard frame.count >= 16, frame.bigEndian16(at: 2) < 801 else { return nil }
            return (frame.bigEndian16(at: 14), 16)
        default:
            return nil
        }
    }

    /// The segment in an IP packet without options or extension headers, whole and in one piece.
    ///
    /// One guard for the size of both headers lets the optimiser drop all checks of their octets, and make one load of the
    /// octets of a number.
    @inlinable
    @inline(__always)
    static func segment(in frame: Span<UInt8>, at offset: Int, etherType: UInt16, network: UInt32) -> TCPSegment? {
        let available = frame.count - offset
        switch etherType {
        case 0x0800:
            guard available >= ipv4 + tcp else { return nil }
            let headers = frame.extracting(offset..<offset + ipv4 + tcp)
            let length = Int(headers.bigEndian16(at: 2))
            guard headers[0] == 0x45, headers[9] == 6, headers.bigEndian16(at: 6) & 0x3FFF == 0, length <= available
            else { return nil }
            return segment(
                headers.extracting(ipv4..<ipv4 + tcp),
                at: offset + ipv4,
                end: offset + length,
                from: IPAddress(ipv4: headers.bigEndian32(at: 12)),
                to: IPAddress(ipv4: headers.bigEndian32(at: 16)),
                identification: headers.bigEndian16(at: 4),
                network: network
            )
        case 0x86DD:
            guard available >= ipv6 + tcp else { return nil }
            let headers = frame.extracting(offset..<offset + ipv6 + tcp)
            let length = Int(headers.bigEndian16(at: 4))
            guard headers[0] >> 4 == 6, headers[6] == 6, length <= available - ipv6 else { return nil }
            return segment(
                headers.extracting(ipv6..<ipv6 + tcp),
                at: offset + ipv6,
                end: offset + ipv6 + length,
                from: IPAddress(high: headers.bigEndian64(at: 8), low: headers.bigEndian64(at: 16)),
                to: IPAddress(high: headers.bigEndian64(at: 24), low: headers.bigEndian64(at: 32)),
                identification: 0,
                network: network
            )
        default:
            return nil
        }
    }

    /// The segment whose header begins at `start` of the frame, and which goes on to `end`.
    @inlinable
    @inline(__always)
    static func segment(
        _ header: Span<UInt8>,
        at start: Int,
        end: Int,
        from source: IPAddress,
        to destination: IPAddress,
        identification: UInt16,
        network: UInt32
    ) -> TCPSegment? {
        let payload = start + Int(header[12] >> 4) * 4
        guard header[12] >> 4 >= 5, payload <= end else { return nil }
        return TCPSegment(
            source: Endpoint(address: source, port: header.bigEndian16(at: 0)),
            destination: Endpoint(address: destination, port: header.bigEndian16(at: 2)),
            sequenceNumber: SequenceNumber(header.bigEndian32(at: 4)),
            acknowledgementNumber: SequenceNumber(header.bigEndian32(at: 8)),
            flags: TCPFlags(rawValue: header[13]),
            // At most 15 words of 4 octets.
            headerLength: header[12] >> 4 &* 4,
            identification: identification,
            payload: payload..<end,
            network: network
        )
    }
}
