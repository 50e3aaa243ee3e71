// Wingmirror · Apache-2.0

/// A place in a packet, and what the headers before it have told.
struct HeaderWalk: ~Copyable, ~Escapable {
    /// The octets from here to the end of what the headers so far have announced, as far as they were captured.
    private(set) var octets: Span<UInt8>
    /// Where these start in the frame or datagram that is being decoded.
    private(set) var offset: Int
    /// Octets announced after these that were not captured.
    private(set) var missing: Int
    /// The sender in the last IP header.
    private(set) var source: IPAddress
    /// The receiver in the last IP header.
    private(set) var destination: IPAddress
    /// The identification in the last IP header, 0 for IPv6.
    private(set) var identification: UInt16
    /// The networks that the tags so far name, folded into one number.
    private(set) var network: UInt32 = 0
    /// Headers that may still be decoded.
    private(set) var headersLeft: Int
    /// The UDP ports on which VXLAN is expected.
    let vxlanPorts: PortSet

    /// Starts at the first octet of a frame.
    @_lifetime(copy frame)
    init(_ frame: Span<UInt8>, missing: Int, headersLeft: Int, vxlanPorts: PortSet) {
        octets = frame
        offset = 0
        self.missing = missing
        source = IPAddress(high: 0, low: 0)
        destination = source
        identification = 0
        self.headersLeft = headersLeft
        self.vxlanPorts = vxlanPorts
    }

    /// Starts at the first octet of a datagram whose IP header `other` has passed.
    @_lifetime(copy datagram)
    init(_ datagram: Span<UInt8>, missing: Int, continuing other: borrowing HeaderWalk) {
        octets = datagram
        offset = 0
        self.missing = missing
        source = other.source
        destination = other.destination
        identification = other.identification
        network = other.network
        headersLeft = other.headersLeft
        vxlanPorts = other.vxlanPorts
    }

    /// Steps over `count` octets, or to the end where the capture is shorter than that.
    @inline(__always)
    mutating func advance(by count: Int) {
        let captured = min(count, octets.count)
        octets = octets.extracting(droppingFirst: captured)
        offset += captured
    }

    /// Takes the octets after the first `length` for padding, or for missing where the capture is shorter than that.
    @inline(__always)
    private mutating func limit(to length: Int) {
        if length <= octets.count {
            octets = octets.extracting(first: length)
            missing = 0
        } else {
            missing = length - octets.count
        }
    }

    /// Tells a header that the snapshot length cut from one that its packet is too short for.
    func explain(_ failure: DecodeFailure) -> DecodeFailure {
        guard failure.reason == .truncated, missing == 0 else { return failure }
        return DecodeFailure(failure.layer, .malformed)
    }
}

// MARK: - Headers

extension HeaderWalk {
    /// Decodes the header that starts here, steps over it, and says what comes next.
    mutating func decodeHeader(_ kind: HeaderKind) throws(DecodeFailure) -> HeaderKind {
        guard headersLeft > 0 else { throw DecodeFailure(kind.layer, .limitReached) }
        headersLeft -= 1
        switch kind {
        case .ethernet: return step(try EthernetHeader(decoding: octets).next)
        case .vlan:
            let tag = try VLANTag(decoding: octets)
            return step(tag.next, into: tag.network)
        case .shim(let shim): return step(try shim.next(in: octets))
        case .logicalLink: return step(try LogicalLinkHeader(decoding: octets).next)
        case .subnetworkAccess: return step(try SubnetworkAccessHeader(decoding: octets).next)
        case .linuxCooked1: return step(try LinuxCookedHeader(decodingVersion1: octets).next)
        case .linuxCooked2: return step(try LinuxCookedHeader(decodingVersion2: octets).next)
        case .loopback: return step(try LoopbackHeader(decoding: octets).next)
        case .ppp: return step(try PPPHeader(decoding: octets).next)
        case .pppSerialLine: return step(try PPPHeader(decodingSerialLine: octets).next)
        case .pppDirected: return try stepOver(1, .ppp, failingAs: .ppp)
        case .pppoe: return step(try PPPoEHeader(decoding: octets).next)
        case .ciscoHDLC: return step(try CiscoHDLCHeader(decoding: octets).next)
        case .frameRelay: return step(try FrameRelayHeader(decoding: octets).next)
        case .arcnet: return step(try ARCNETHeader(decoding: octets).next)
        case .wlan: return step(try WLANHeader(decoding: octets).next)
        case .wlanPadded: return step(try WLANHeader(decoding: octets, isPadded: true).next)
        case .radiotap: return step(try RadiotapHeader(decoding: octets).next)
        case .prism: return step(try PrismHeader(decoding: octets).next)
        case .ppi: return step(try PPIHeader(decoding: octets).next)
        case .nflog: return step(try NFLOGHeader(decoding: octets).next)
        case .packetFilterLog: return step(try PacketFilterHeader(decodingLog: octets).next)
        case .packetFilterTunnel: return step(try PacketFilterHeader(decodingTunnel: octets).next)
        case .packetTap: return step(try PacketTapHeader(decoding: octets).next)
        case .networkAnalyzer: return try stepOver(4, .ethernet, failingAs: .link)
        case .service: return step(try ServiceHeader(decoding: octets).next)
        case .mpls: return step(try MPLSLabel(decoding: octets).next)
        case .internetProtocol: return try HeaderKind(versionOf: octets)
        case .ipv4: return try decodeIPv4Header()
        case .ipv6: return try decodeIPv6Header()
        case .ipv6Extension: return step(try IPv6ExtensionHeader(decoding: octets).next)
        case .authentication: return step(try IPv6ExtensionHeader(decodingAuthentication: octets).next)
        case .gre:
            let header = try GREHeader(decoding: octets)
            return step(header.next, into: header.network)
        case .etherIP: return try stepOver(2, .ethernet, failingAs: .ethernet)
        case .udp: return step(try UDPHeader(decoding: octets).next(vxlanPorts))
        case .gtp: return step(try GTPHeader(decoding: octets).next)
        case .gue: return step(try GUEHeader(decoding: octets).next)
        case .vxlan:
            let header = try VXLANHeader(decoding: octets)
            return step(header.next, into: header.network)
        case .vxlanExtended:
            let header = try VXLANHeader(decodingExtended: octets)
            return step(header.next, into: header.network)
        case .geneve:
            let header = try GeneveHeader(decoding: octets)
            return step(header.next, into: header.network)
        case .teredo: return step(try TeredoHeader(decoding: octets).next)
        case .ipv4Fragment, .ipv6Fragment, .tcp, .ignored, .unsupported, .unknown:
            preconditionFailure("HeaderWalk.decodeHeader was asked for \(kind), which its caller handles")
        }
    }

    /// Decodes the TCP header that starts here, and takes what follows for its payload.
    @inline(__always)
    mutating func decodeSegment() throws(DecodeFailure) -> TCPSegment {
        let header = try TCPHeader(decoding: octets)
        return TCPSegment(
            header,
            from: source,
            to: destination,
            identification: identification,
            in: octets,
            at: offset,
            missing: missing,
            network: network
        )
    }

    /// Decodes a fragment header and steps over it.
    mutating func decodeIPv6FragmentHeader() throws(DecodeFailure) -> IPv6FragmentHeader {
        guard headersLeft > 0 else { throw DecodeFailure(.ipv6, .limitReached) }
        headersLeft -= 1
        let header = try IPv6FragmentHeader(decoding: octets)
        advance(by: IPv6FragmentHeader.length)
        return header
    }

    /// Steps over a header that tells nothing.
    private mutating func stepOver(
        _ length: Int,
        _ next: HeaderKind,
        failingAs layer: ProtocolLayer
    ) throws(DecodeFailure) -> HeaderKind {
        guard octets.count >= length else { throw DecodeFailure(layer, .truncated) }
        return step(NextHeader(next, at: length))
    }

    @inline(__always)
    private mutating func step(_ next: NextHeader) -> HeaderKind {
        advance(by: next.offset)
        return next.kind
    }

    /// Steps over a header that names a network.
    private mutating func step(_ next: NextHeader, into tag: NetworkTag) -> HeaderKind {
        network = tag.folded(into: network)
        return step(next)
    }

    private mutating func decodeIPv4Header() throws(DecodeFailure) -> HeaderKind {
        let header = try IPv4Header(decoding: octets)
        if let length = header.totalLength { limit(to: length) }
        source = header.source
        destination = header.destination
        identification = header.identification
        if header.isFragment { return .ipv4Fragment }
        advance(by: header.headerLength)
        return HeaderKind(protocolNumber: header.protocolNumber)
    }

    private mutating func decodeIPv6Header() throws(DecodeFailure) -> HeaderKind {
        let header = try IPv6Header(decoding: octets)
        advance(by: IPv6Header.length)
        if let length = header.payloadLength { limit(to: length) }
        source = header.source
        destination = header.destination
        identification = 0
        return HeaderKind(protocolNumber: header.nextHeader)
    }
}
