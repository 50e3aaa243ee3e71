// Wingmirror · Apache-2.0

/// Finds the TCP segment in a captured packet.
///
/// A packet is a row of headers, each of which says what comes next. The decoder walks that row: a header is decoded from
/// the octets that remain, names its successor (`NextHeader`), and the walk goes on from there until it meets TCP or the
/// reason why there is none. Tunnels need nothing special, since a tunnel's header is followed by an IP or Ethernet header
/// as a link layer's is; the addresses of a segment are therefore those of the innermost IP header.
///
/// The only state is that of fragments, which wait for the rest of their datagram. Nothing is allocated otherwise.
///
/// Any octets whatever give a `DecodedPacket`: each header checks its size once, lengths only ever shorten what remains,
/// and the number of headers is bounded.
public struct PacketDecoder: ~Copyable {
    private let limits: DecodingLimits
    private var reassembler: FragmentReassembler
    private var completedDatagram: [UInt8] = []
    private let vxlanPorts: PortSet
    /// Packets whose format is not known, by that format.
    public private(set) var undecoded: [UndecodedFormat: Int] = [:]
    /// Packets in which an IP header lies within another: those of tunnels.
    public private(set) var tunnelledPackets = 0

    /// Makes a decoder that holds no fragments.
    public init(limits: DecodingLimits = DecodingLimits()) {
        self.limits = limits
        reassembler = FragmentReassembler(limits: limits)
        vxlanPorts = PortSet(limits.vxlanPorts)
    }

    /// Octets of the datagram that fragments completed; valid until the next decode.
    public var datagram: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            completedDatagram.span
        }
    }

    /// What became of fragmented datagrams so far.
    public var fragmentCounts: FragmentCounts {
        reassembler.counts
    }

    /// Octets that fragments take at the moment, with the fixed charge of `DecodingLimits.fragmentOctets`.
    var heldFragmentOctets: Int {
        reassembler.heldOctets
    }

    /// No packet will come any more: datagrams of which fragments are missing are given up.
    public mutating func captureEnded() {
        reassembler.captureEnded()
    }

    /// Decodes down to a TCP segment.
    ///
    /// - Parameters:
    ///   - frame: The captured octets, borrowed for the call only.
    ///   - packet: What else the capture says of them.
    /// - Returns: The segment and where its payload lies, or why there is none.
    public mutating func decode(_ frame: Span<UInt8>, of packet: CapturedPacket) -> DecodedPacket {
        if let segment = Self.commonSegment(in: frame, of: packet) {
            return .segment(segment)
        }
        return decodeUncommon(frame, of: packet)
    }

    /// The segment in a packet as most are: see `CommonPath`.
    ///
    /// For callers that go on with it at once, as `decode` would have to give it back by way of memory.
    /// - Returns: `nil` for all others, which `decode` is for.
    @inlinable
    @inline(__always)
    public static func commonSegment(in frame: Span<UInt8>, of packet: CapturedPacket) -> TCPSegment? {
        guard packet.wireLength <= frame.count else { return nil }
        return CommonPath.segment(in: frame, linkType: packet.linkType)
    }

    /// Decodes what is not on the common path; out of line, to keep that one short.
    @inline(never)
    private mutating func decodeUncommon(_ frame: Span<UInt8>, of packet: CapturedPacket) -> DecodedPacket {
        let missing = packet.wireLength > frame.count ? packet.wireLength - frame.count : 0
        guard let kind = HeaderKind(linkType: packet.linkType) else {
            return .failed(unknown(UndecodedFormat(.linkType, UInt32(bitPattern: packet.linkType.rawValue))))
        }
        var walk = HeaderWalk(
            frame,
            missing: missing,
            headersLeft: limits.headersPerPacket,
            vxlanPorts: vxlanPorts
        )
        return decode(from: kind, &walk, of: packet)
    }

    /// Follows the headers from `first` on, which is where `walk` stands.
    private mutating func decode(
        from first: HeaderKind,
        _ walk: inout HeaderWalk,
        of packet: CapturedPacket
    ) -> DecodedPacket {
        do {
            var kind = first
            var networkHeaders = 0
            while true {
                switch kind {
                case .tcp: return .segment(try walk.decodeSegment())
                case .ignored(let reason): return .ignored(reason)
                case .unsupported(let layer): return .failed(DecodeFailure(layer, .unsupported))
                case .unknown(let format): return .failed(unknown(format))
                case .ipv4Fragment: return try ipv4FragmentArrived(&walk, of: packet)
                case .ipv6Fragment:
                    let header = try walk.decodeIPv6FragmentHeader()
                    guard header.isAtomic else { return ipv6FragmentArrived(header, &walk, of: packet) }
                    kind = HeaderKind(protocolNumber: header.nextHeader)
                default:
                    if kind.isInternetProtocol {
                        networkHeaders += 1
                        if networkHeaders == 2 { tunnelledPackets += 1 }
                    }
                    kind = try walk.decodeHeader(kind)
                }
            }
        } catch {
            return .failed(walk.explain(error))
        }
    }
}

extension PacketDecoder {
    /// Counts a packet of a format that is not known.
    private mutating func unknown(_ format: UndecodedFormat) -> DecodeFailure {
        if undecoded[format] != nil || undecoded.count < limits.undecodedFormats {
            undecoded[format, default: 0] += 1
        }
        return DecodeFailure(format.registry == .etherType ? .ethernet : .link, .unsupported)
    }
}

// MARK: - Fragments

extension PacketDecoder {
    private mutating func ipv4FragmentArrived(
        _ walk: inout HeaderWalk,
        of packet: CapturedPacket
    ) throws(DecodeFailure) -> DecodedPacket {
        let header = try IPv4Header(decoding: walk.octets)
        walk.advance(by: header.headerLength)
        let key = FragmentKey(of: header, walk, packet)
        let fragment = Fragment(
            key: key,
            position: header.fragmentPosition,
            protocolNumber: header.protocolNumber,
            missing: walk.missing,
            time: packet.time
        )
        let outcome = reassembler.fragmentArrived(fragment, octets: walk.octets)
        return decodeCompleted(outcome, after: walk, of: packet)
    }

    private mutating func ipv6FragmentArrived(
        _ header: IPv6FragmentHeader,
        _ walk: inout HeaderWalk,
        of packet: CapturedPacket
    ) -> DecodedPacket {
        let key = FragmentKey(of: header, walk, packet)
        let fragment = Fragment(
            key: key,
            position: header.position,
            protocolNumber: header.nextHeader,
            missing: walk.missing,
            time: packet.time
        )
        let outcome = reassembler.fragmentArrived(fragment, octets: walk.octets)
        return decodeCompleted(outcome, after: walk, of: packet)
    }

    /// Goes on with the datagram if the fragment completed it.
    ///
    /// A datagram may be that of a tunnel and hold fragments in turn; each level takes its turn, within the same bound on
    /// headers, and the innermost is the one that `datagram` shows.
    private mutating func decodeCompleted(
        _ outcome: FragmentReassembler.Outcome,
        after walk: borrowing HeaderWalk,
        of packet: CapturedPacket
    ) -> DecodedPacket {
        switch outcome {
        case .held: return .ignored(.fragmentHeld)
        case .refused(let reason): return .failed(DecodeFailure(.fragment, reason))
        case .completed(let whole):
            var inner = HeaderWalk(whole.octets.span, missing: whole.missing, continuing: walk)
            let decoded = decode(from: HeaderKind(protocolNumber: whole.protocolNumber), &inner, of: packet)
            guard case .segment(let segment) = decoded else { return decoded }
            completedDatagram = whole.octets
            return .reassembledSegment(segment)
        }
    }
}
