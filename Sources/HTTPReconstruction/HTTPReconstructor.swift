// Wingmirror · Apache-2.0

public import PacketDecoding
public import TCPReassembly

/// Figures of reconstruction that no exchange carries; they only grow.
public struct HTTPStatistics: Sendable, Hashable {
    /// Connections whose client and server were told from content, because their handshake was not captured.
    public internal(set) var guessedRoles = 0
    /// Octets that were passed over while looking for a head behind a hole or an error.
    public internal(set) var skippedOctets = 0
    /// Streams that could not be read on.
    public internal(set) var parseFailures = 0
    /// Exchanges given up because too many were pending on their connection.
    public internal(set) var abandonedExchanges = 0

    /// Makes statistics of nothing.
    public init() {}
}

/// Rebuilds HTTP/1.x exchanges from the streams of all connections (RFC 9112, seen from the side).
///
/// It is a ``StreamSink``: reassembly delivers streams to it, and it tells complete exchanges to an ``ExchangeSink``. All
/// state is owned by the thread that feeds it. An idle connection holds no buffer and no exchange; content is never
/// copied unless the sink asks for it.
public struct HTTPReconstructor<Sink: ExchangeSink & ~Copyable>: ~Copyable, StreamSink {
    /// What takes the exchanges.
    public var sink: Sink
    private var connections = Slab<HTTPConnection>()
    /// Where the connection of a slot lies in the slab, which reuses what was freed last, and so what is in the cache.
    private var places: [Int32] = []
    private var shared: SharedReconstruction

    /// Makes a reconstructor that has seen nothing.
    public init(sink: consuming Sink, limits: HTTPLimits = HTTPLimits()) {
        self.sink = sink
        shared = SharedReconstruction(limits: limits)
    }

    /// What happened so far.
    public var statistics: HTTPStatistics { shared.statistics }

    /// Exchanges that are not complete.
    public var pendingExchanges: Int { shared.exchanges.count }

    /// Begins to read a connection.
    public mutating func connectionOpened(_ introduction: ConnectionIntroduction) {
        while places.count <= introduction.slot { places.append(-1) }
        places[introduction.slot] = connections.insert(HTTPConnection(introduction, clientDirection: .fromOriginator))
    }

    /// Reads the next octets of a stream.
    public mutating func octetsArrived(_ octets: Span<UInt8>, at position: StreamPosition, slot: Int) {
        connections[places[slot]].octetsArrived(octets, at: position, &shared, &sink)
    }

    /// Passes over octets that were not captured.
    public mutating func octetsMissing(_ count: Int, reason: MissingReason, at position: StreamPosition, slot: Int) {
        connections[places[slot]].octetsMissing(count, reason: reason, at: position, &shared, &sink)
    }

    /// Ends one direction.
    public mutating func streamEnded(_ direction: StreamDirection, _ end: StreamEnd, at time: PacketTime, slot: Int) {
        connections[places[slot]].streamEnded(direction, end, at: time, &shared, &sink)
    }

    /// Ends a connection, and tells what is left of it.
    public mutating func connectionClosed(_ reason: ConnectionEnd, at time: PacketTime, slot: Int) {
        connections[places[slot]].closed(reason, &shared, &sink)
        connections.discard(at: places[slot])
    }
}
