// Wingmirror · Apache-2.0

public import HTTPReconstruction
public import PacketDecoding
internal import RouteAttribution
public import TCPReassembly
public import TLSDecryption

/// All that is done with a packet, in order: decode, reassemble, decrypt, rebuild exchanges, attribute, count, record.
///
/// This is the one place that knows the order. A pipeline is owned by one capture thread and holds everything it needs as
/// plain values; what others may read leaves through its ``WorkerBoard`` and the outputs.
/// Time is packet time throughout, so a savefile gives the same answers every time.
public struct TrafficPipeline: ~Copyable, PacketSink {
    private var decoder: PacketDecoder
    private var connections: ConnectionTable
    private var streams: TLSDecryptor<HTTPReconstructor<ExchangeTaps>>
    private var figures = PipelineFigures()
    /// The interface of the latest packet, whose figures are kept apart because most packets come from the same one.
    private var interface = -1
    private var interfaceFigures = InterfaceFigures()
    private let board: WorkerBoard

    /// Makes a pipeline that has seen nothing.
    /// - Parameters:
    ///   - limits: What each stage may hold.
    ///   - routes: Where the routes come from.
    ///   - board: Where what is counted is left; this pipeline must be its only writer.
    ///   - keys: Where the secrets of TLS connections come from; without it no TLS is decrypted.
    ///   - numbering: The numbers of its connections.
    ///   - outputs: What else leaves the pipeline.
    public init(
        limits: PipelineLimits = PipelineLimits(),
        routes: RouteBoard,
        board: WorkerBoard,
        keys: KeyStore? = nil,
        numbering: ConnectionNumbering = ConnectionNumbering(),
        outputs: PipelineOutputs = PipelineOutputs()
    ) {
        decoder = PacketDecoder(limits: limits.decoding)
        connections = ConnectionTable(limits: limits.reassembly, numbering: numbering)
        let sessions = TLSSessions()
        streams = TLSDecryptor(
            sink: HTTPReconstructor(
                sink: ExchangeTaps(routes: routes, shard: board.shard, sessions: sessions, outputs: outputs),
                limits: limits.http
            ),
            store: keys,
            sessions: sessions,
            limits: limits.tls
        )
        self.board = board
    }

    // MARK: - Packets

    /// Takes a packet through all stages.
    public mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        count(packet, capturedOctets: octets.count)
        if _fastPath(packet.origin != CapturedPacket.withoutClock),
            let segment = PacketDecoder.commonSegment(in: octets, of: packet)
        {
            connections.segmentArrived(
                segment,
                octets: octets,
                at: packet.time,
                interface: packet.origin,
                into: &streams
            )
        } else {
            // There it is decoded as here, if it has only no time.
            uncommonPacketArrived(packet, octets: octets)
        }
    }

    /// A segment came of which nothing says when: no duration of its connection means anything.
    @inline(never)
    private mutating func packetHasNoTime(_ segment: TCPSegment) {
        figures.packetsWithoutTime += 1
        streams.segmentWithoutTime(segment, of: connections)
    }

    @inline(never)
    private mutating func uncommonPacketArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
        switch decoder.decode(octets, of: packet) {
        case .segment(let segment):
            if packet.origin == CapturedPacket.withoutClock { streams.segmentWithoutTime(segment, of: connections) }
            connections.segmentArrived(
                segment,
                octets: octets,
                at: packet.time,
                interface: packet.origin,
                into: &streams
            )
            if packet.origin == CapturedPacket.withoutClock { packetHasNoTime(segment) }
        case .reassembledSegment(let segment):
            Self.deliver(segment, of: packet, from: decoder, to: &connections, into: &streams)
            if packet.origin == CapturedPacket.withoutClock { packetHasNoTime(segment) }
        case .ignored(let reason):
            figures.ignored[Int(reason.rawValue)] += 1
        case .failed(let failure):
            figures.failures[failure, default: 0] += 1
        }
    }

    /// Passes on a segment that came in fragments.
    ///
    /// The stages are separate arguments because the datagram is borrowed from the decoder while the others change.
    private static func deliver(
        _ segment: TCPSegment,
        of packet: CapturedPacket,
        from decoder: borrowing PacketDecoder,
        to connections: inout ConnectionTable,
        into streams: inout TLSDecryptor<HTTPReconstructor<ExchangeTaps>>
    ) {
        if packet.origin == CapturedPacket.withoutClock { streams.segmentWithoutTime(segment, of: connections) }
        connections.segmentArrived(
            segment,
            octets: decoder.datagram,
            at: packet.time,
            interface: packet.origin,
            into: &streams
        )
    }

    /// The number of the connection that took a segment, which has arrived, as records have it; `nil` where none is known.
    public func connectionNumber(of segment: TCPSegment) -> Int? {
        connections.connectionNumber(of: segment)
    }

    /// Between two batches of packets: takes up new routes, and leaves figures and records for others.
    public mutating func batchEnded() {
        storeInterfaceFigures()
        if let latest = figures.latestPacket {
            streams.timePassed(until: latest)
            streams.sink.timePassed(until: latest)
        }
        streams.sink.sink.batchEnded(at: figures.latestPacket)
        publishFigures()
    }

    /// No packet has come for a while: lets what waits for packet time run out.
    /// - Parameter time: The present, on the clock that stamps the packets.
    public mutating func timeAdvanced(to time: PacketTime) {
        connections.timeAdvanced(to: time, into: &streams)
        streams.timePassed(until: time)
        streams.sink.timePassed(until: time)
        streams.sink.sink.timeAdvanced(to: time)
        batchEnded()
    }

    /// No packet will come any more: emits everything that is not complete.
    public mutating func captureEnded() {
        storeInterfaceFigures()
        decoder.captureEnded()
        connections.captureEnded(at: figures.latestPacket ?? PacketTime(nanoseconds: 0), into: &streams)
        streams.captureEnded()
        streams.sink.sink.captureEnded(at: figures.latestPacket)
        gatherFigures()
        board.publishLast(figures)
    }

    // MARK: - Figures

    @inline(__always)
    private mutating func count(_ packet: CapturedPacket, capturedOctets: Int) {
        if _slowPath(packet.interface != interface) { changeInterface(to: packet.interface, at: packet.time) }
        interfaceFigures.packets += 1
        interfaceFigures.octets += capturedOctets
        if _slowPath(capturedOctets < packet.wireLength) { interfaceFigures.truncatedPackets += 1 }
        interfaceFigures.latestPacket = packet.time
    }

    /// Puts the figures of one interface away, and takes up those of another.
    private mutating func changeInterface(to interface: Int, at time: PacketTime) {
        if figures.firstPacket == nil { figures.firstPacket = time }
        storeInterfaceFigures()
        while figures.interfaces.count <= interface { figures.interfaces.append(InterfaceFigures()) }
        interfaceFigures = figures.interfaces[interface]
        self.interface = interface
    }

    private mutating func storeInterfaceFigures() {
        guard interface >= 0 else { return }
        figures.interfaces[interface] = interfaceFigures
        figures.latestPacket = interfaceFigures.latestPacket
    }

    private mutating func publishFigures() {
        gatherFigures()
        board.publish(figures)
    }

    private mutating func gatherFigures() {
        storeInterfaceFigures()
        figures.fragments = decoder.fragmentCounts
        figures.undecoded = decoder.undecoded
        figures.tunnelledPackets = decoder.tunnelledPackets
        figures.reassembly = connections.statistics
        figures.tls = streams.statistics
        figures.passthrough = streams.sink.sink.passthroughFigures
        figures.gatewayServers = streams.sink.sink.gatewayServers
        figures.unservedPorts = streams.sink.sink.unservedPorts
        figures.http = streams.sink.statistics
        figures.parseFailures = streams.sink.sink.parseFailures
        figures.pendingExchanges = streams.sink.pendingExchanges
    }
}

extension StreamSink where Self: ~Copyable {
    /// A segment comes, or came, of which nothing says when: no duration of its connection means anything.
    ///
    /// It may complete exchanges, which have to know before that, and it may open the connection, which is known only behind.
    @inline(never)
    fileprivate mutating func segmentWithoutTime(_ segment: TCPSegment, of connections: borrowing ConnectionTable) {
        if let slot = connections.openSlot(of: segment) { clocksDiffer(slot: slot) }
    }
}

/// What the stages of a pipeline may hold.
public struct PipelineLimits: Sendable {
    /// Fragments and nesting.
    public var decoding = DecodingLimits()
    /// Connections and octets that wait.
    public var reassembly = ReassemblyLimits()
    /// Ciphertext that waits for its keys, and attempts to find records behind holes.
    public var tls = TLSLimits()
    /// Heads and pending exchanges.
    public var http = HTTPLimits()

    /// Makes limits of the stages' defaults.
    public init() {}

    /// What each of several workers may hold, so that all together hold what these limits say.
    func share(among workers: Int) -> PipelineLimits {
        guard workers > 1 else { return self }
        var share = self
        share.decoding.fragmentOctets /= workers
        share.decoding.fragmentedDatagrams /= workers
        share.reassembly.connections /= workers
        share.reassembly.halfOpenConnections /= workers
        share.reassembly.lingeringConnections /= workers
        share.reassembly.waitingConnections /= workers
        share.reassembly.bufferedOctets /= workers
        share.tls.heldOctets /= workers
        share.tls.readerOctets /= workers
        share.tls.trialsPerSecond /= workers
        share.http.heldOctets /= workers
        share.http.readerOctets /= workers
        share.http.openExchanges /= workers
        share.http.retainedOctets /= workers
        return share
    }
}
