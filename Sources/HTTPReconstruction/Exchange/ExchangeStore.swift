// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly
internal import TrafficModel

/// The exchanges in progress on all connections, whatever protocol reads them, each with the sink's tag beside it.
///
/// An exchange keeps its index when a connection changes its reader, so that HTTP/1 can hand the exchange of an upgrade to
/// HTTP/2.
struct ExchangeStore: ~Copyable {
    var exchanges = Slab<Exchange>()
    private var tags = TagStore()

    init() {}

    /// How many exchanges are in progress.
    var count: Int { exchanges.count }

    /// Stores an exchange that begins.
    @inline(__always)
    mutating func insert(_ exchange: consuming Exchange) -> Int32 {
        exchanges.insert(exchange)
    }

    /// Takes out an exchange.
    mutating func remove(at index: Int32) -> Exchange {
        exchanges.remove(at: index)
    }

    /// Stores an exchange that begins, made where it is to lie.
    @inline(__always)
    mutating func insert(_ make: () -> Exchange) -> Int32 {
        exchanges.insert(make)
    }

    /// Ends an exchange.
    @inline(__always)
    mutating func discard(at index: Int32) {
        exchanges.discard(at: index, holdsNothing: exchanges[index].holdsNothing)
    }
}

// MARK: - The sink's part

extension ExchangeStore {
    /// What the sink remembers of an exchange.
    func tag<Tag: BitwiseCopyable>(of exchange: Int32, as type: Tag.Type) -> Tag {
        tags[exchange, as: type]
    }

    /// Keeps what the sink remembers of an exchange.
    mutating func setTag<Tag: BitwiseCopyable>(_ tag: Tag, of exchange: Int32) {
        tags.set(tag, at: exchange)
    }

    /// Shows the sink the head of an exchange's response, whose field lines are the parser's, with the tag where it lies.
    @inline(__always)
    mutating func responseArrived<Sink: ExchangeSink & ~Copyable>(
        _ octets: Span<UInt8>,
        status: Int,
        from parser: borrowing HeadParser,
        of exchange: Int32,
        on connection: ConnectionFacts,
        at time: PacketTime,
        _ sink: inout Sink
    ) {
        let view = ResponseView(octets: octets, status: status, fields: parser.fields)
        sink.responseArrived(view, tag: &tags[exchange, as: Sink.Tag.self], on: connection, at: time)
    }

    /// Says to the sink that the response of one exchange was found to answer the request of another.
    mutating func responsePaired<Sink: ExchangeSink & ~Copyable>(
        _ response: Int32,
        with request: Int32,
        on connection: ConnectionFacts,
        _ sink: inout Sink
    ) {
        let found = tags[response, as: Sink.Tag.self]
        sink.responsePaired(found, with: &tags[request, as: Sink.Tag.self], on: connection)
    }

    /// Lets the sink take an exchange with its tag, if it asks for no more.
    @inline(__always)
    borrowing func count<Sink: ExchangeSink & ~Copyable>(_ exchange: Int32, _ sink: inout Sink) -> Bool {
        sink.exchangeCounted(exchanges[exchange], tag: tags[exchange, as: Sink.Tag.self])
    }

    /// Hands an exchange with its tag to the sink.
    @inline(never)
    borrowing func report<Sink: ExchangeSink & ~Copyable>(
        _ exchange: Int32,
        on connection: ConnectionFacts,
        _ sink: inout Sink
    ) {
        sink.exchangeCompleted(exchanges[exchange], tag: tags[exchange, as: Sink.Tag.self], on: connection)
    }
}

extension SharedReconstruction {
    /// Emits an exchange that is in no list any more, with the next number of its connection, and forgets it.
    mutating func emit<Sink: ExchangeSink & ~Copyable>(_ exchange: Int32, on connection: Int32, _ sink: inout Sink) {
        let hasAnything = exchanges[exchange].hasRequest || exchanges[exchange].hasResponse
        if hasAnything || !exchanges[exchange].interim.isEmpty {
            noteFaults(of: exchange, on: connection)
            exchanges[exchange].number = Int(connections[connection].emittedExchanges)
            connections[connection].emittedExchanges += 1
            report(exchange, on: connection, &sink)
        }
        if _slowPath(exchanges[exchange].retention.keepsHeads) {
            retained.takeBack(&exchanges[exchange].retainedRequest)
            retained.takeBack(&exchanges[exchange].retainedResponse)
        }
        exchanges.discard(at: exchange)
    }

    /// Hands an exchange to the sink, with what is known of its connection if the sink asks for that.
    @inline(__always)
    mutating func report<Sink: ExchangeSink & ~Copyable>(_ exchange: Int32, on connection: Int32, _ sink: inout Sink) {
        if !exchanges.count(exchange, &sink) {
            exchanges.report(exchange, on: connections.facts(of: connection), &sink)
        }
    }

    /// Marks an exchange whose WebSocket carried what is no frame, one of which a message was kept no longer, and one whose times
    /// run backwards or are those of two clocks, which is counted.
    @inline(__always)
    mutating func noteFaults(of exchange: Int32, on connection: Int32) {
        if _slowPath(exchanges[exchange].webSocket != nil) { noteFaultyFrames(of: exchange) }
        if _slowPath(exchanges[exchange].retention.keepsHeads) { dropShedMessages(of: exchange) }
        if _slowPath(exchanges[exchange].runsBackwards || connections[connection].hasTwoClocks) {
            clockIsUnreliable(for: exchange)
        }
    }

    @inline(never)
    private mutating func noteFaultyFrames(of exchange: Int32) {
        guard let figures = exchanges[exchange].webSocket?.figures,
            figures.request.isMalformed || figures.response.isMalformed
        else { return }
        exchanges[exchange].integrity.insert(.malformed)
    }

    @inline(never)
    private mutating func clockIsUnreliable(for exchange: Int32) {
        exchanges[exchange].integrity.insert(.clockUnreliable)
        statistics.unreliableClocks += 1
    }

    /// Marks an exchange of which a message was given up for newer ones, and has that message for one that was not kept.
    private mutating func dropShedMessages(of exchange: Int32) {
        if exchanges[exchange].retainedRequest?.isShed ?? false {
            retained.takeBack(&exchanges[exchange].retainedRequest)
            exchanges[exchange].integrity.insert(.limitReached)
        }
        if exchanges[exchange].retainedResponse?.isShed ?? false {
            retained.takeBack(&exchanges[exchange].retainedResponse)
            exchanges[exchange].integrity.insert(.limitReached)
        }
    }
}
