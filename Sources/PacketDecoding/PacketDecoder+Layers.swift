// Wingmirror · Apache-2.0

// What a packet is made of, for those who have it before them again: nothing here is on the path of packets.

extension PacketDecoder {
    /// Where the outermost IP header of a packet begins, so that what stands before it can be left out.
    ///
    /// - Parameters:
    ///   - frame: The captured octets, borrowed for the call only.
    ///   - packet: What else the capture says of them.
    /// - Returns: The offset in `frame`; `nil` where there is no IP header, or the headers before it cannot be decoded.
    public static func internetOffset(in frame: Span<UInt8>, of packet: CapturedPacket) -> Int? {
        guard var kind = HeaderKind(linkType: packet.linkType) else { return nil }
        var walk = Self.walk(frame)
        do {
            while true {
                switch kind {
                case .ipv4, .ipv6: return walk.offset
                case .tcp, .ignored, .unsupported, .unknown: return nil
                default: kind = try walk.decodeHeader(kind)
                }
            }
        } catch {
            return nil
        }
    }

    /// The datagram of which a packet is a fragment; `nil` where it is none.
    public static func fragmentedDatagram(in frame: Span<UInt8>, of packet: CapturedPacket) -> FragmentKey? {
        guard var kind = HeaderKind(linkType: packet.linkType) else { return nil }
        var walk = Self.walk(frame)
        do {
            while true {
                switch kind {
                case .tcp, .ignored, .unsupported, .unknown: return nil
                case .ipv4Fragment: return FragmentKey(of: try IPv4Header(decoding: walk.octets), walk, packet)
                case .ipv6Fragment:
                    let header = try walk.decodeIPv6FragmentHeader()
                    guard header.isAtomic else { return FragmentKey(of: header, walk, packet) }
                    kind = HeaderKind(protocolNumber: header.nextHeader)
                default: kind = try walk.decodeHeader(kind)
                }
            }
        } catch {
            return nil
        }
    }

    @_lifetime(copy frame)
    private static func walk(_ frame: Span<UInt8>) -> HeaderWalk {
        let limits = DecodingLimits()
        return HeaderWalk(
            frame,
            missing: 0,
            headersLeft: limits.headersPerPacket,
            vxlanPorts: PortSet(limits.vxlanPorts)
        )
    }
}

extension FragmentKey {
    /// The datagram of an IPv4 fragment.
    init(of header: IPv4Header, _ walk: borrowing HeaderWalk, _ packet: CapturedPacket) {
        self.init(
            source: header.source,
            destination: header.destination,
            identification: UInt32(header.identification),
            protocolNumber: header.protocolNumber,
            interface: packet.origin,
            network: walk.network
        )
    }

    /// The datagram of an IPv6 fragment.
    init(of header: IPv6FragmentHeader, _ walk: borrowing HeaderWalk, _ packet: CapturedPacket) {
        self.init(
            source: walk.source,
            destination: walk.destination,
            identification: header.identification,
            protocolNumber: nil,
            interface: packet.origin,
            network: walk.network
        )
    }
}
