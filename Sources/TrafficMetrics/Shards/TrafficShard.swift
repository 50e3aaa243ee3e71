// Wingmirror · Apache-2.0

public import TrafficModel

/// What one capture thread counts of the traffic.
///
/// All methods but those of the reading side are for that one thread. They neither lock nor wait, and allocate only when
/// something occurs for the first time: a combination of labels on a route, a range of durations, a sampled trace there.
///
/// A scrape reads from another thread without stopping the writer; per route, all it reads is of one moment.
public final class TrafficShard: Sendable {
    let layout: ShardLayout
    /// The final statuses of gRPC that count as errors.
    public var grpcErrors: GRPCStatusSet { layout.grpcErrors }
    private let index: Int
    private let table: WriterTable

    /// Counts what is beyond the series limit, or of routes that are gone.
    let overflow: RouteCells
    /// Counts what is of Gateways that are beyond the limit or gone.
    let overflowGateway = GatewayCells()
    private let folds = AtomicWords(count: LimitedFamily.allCases.count * FoldedDetail.allCases.count)
    private let unpairedMessages = AtomicWords(count: UnpairedMessageKind.allCases.count)
    /// Of the responses without a request, those to requests that were captured and cannot be read.
    private let unreadableRequests = AtomicWords(count: 1)

    init(layout: ShardLayout, index: Int, table: ShardTable) {
        self.layout = layout
        self.index = index
        self.table = WriterTable(table)
        overflow = RouteCells(layout: layout)
    }

    /// Takes the series of a newer route table.
    public func routesChanged(to table: RouteSeriesTable) {
        self.table.replace(by: table.shards[index])
    }

    // MARK: - Exchanges

    /// Counts an exchange that a route accounts for.
    public func exchangeCompleted(route: RouteSeries, _ exchange: ExchangeObservation) {
        table.lend { table in
            let isNamed = table.lend(route) { cells in
                count(exchange, for: cells, slot: Int(route.slot), in: table)
            }
            if !isNamed { countFolded(exchange) }
        }
    }

    /// Counts a request that no route accounts for.
    /// - Parameters:
    ///   - gateway: The Gateway it reached.
    ///   - reason: Why no route accounts for it.
    ///   - status: The status of the response; 0 without one, and below it where it was not seen.
    public func requestUnmatched(gateway: GatewaySeries, reason: UnmatchedReason, status: Int) {
        countFor(gateway) { cells in
            cells.requestUnmatched(reason, ResponseCodeClass(status: status))
            if status < 0, reason.isArrival { cells.answerToUnmatchedUnseen() }
        }
    }

    /// Counts a request of which the observer does not know all.
    public func requestPartlySeen(gateway: GatewaySeries, _ reason: PartlySeenReason) {
        countFor(gateway) { $0.requestPartlySeen(reason) }
    }

    /// Counts an exchange whose lifetime is no duration of a request.
    public func streamEnded(gateway: GatewaySeries, _ kind: StreamKindLabel) {
        countFor(gateway) { $0.streamEnded(kind) }
    }

    /// Counts a request whose response is not complete yet.
    public func requestBegan(gateway: GatewaySeries) {
        countFor(gateway) { $0.requestBegan() }
    }

    /// Ends what `requestBegan` began; with the same Gateway, even if the route table has changed since.
    public func requestEnded(gateway: GatewaySeries) {
        countFor(gateway) { $0.requestEnded() }
    }

    /// Counts a request of a client that bears the marker of shadow traffic; the request itself is traffic like any other.
    public func unverifiedMarkerArrived(gateway: GatewaySeries) {
        countFor(gateway) { $0.unverifiedMarkerArrived() }
    }

    /// Counts a request that is shadow traffic already, and nothing else of it.
    public func markedRequestArrived(gateway: GatewaySeries) {
        countFor(gateway) { $0.markedRequestArrived() }
    }

    /// Counts a message without its partner.
    public func messageUnpaired(_ kind: UnpairedMessageKind) {
        unpairedMessages.add(1, at: Int(kind.rawValue))
    }

    /// Counts that a response without its request answers one that was captured and cannot be read.
    public func unreadableRequestAnswered() {
        unreadableRequests.add(1, at: 0)
    }

    // MARK: - Connections

    /// Counts a connection when it is known what it carries, or that this will not be known.
    public func connectionOpened(gateway: GatewaySeries, _ label: ConnectionProtocolLabel) {
        countFor(gateway) { $0.connectionOpened(label) }
    }

    /// Counts a connection that ended.
    public func connectionClosed(gateway: GatewaySeries, _ reason: ConnectionCloseReason) {
        countFor(gateway) { $0.connectionClosed(reason) }
    }

    /// Counts a connection that cannot be read.
    public func connectionIsOpaque(gateway: GatewaySeries, _ reason: OpaqueReason) {
        countFor(gateway) { $0.connectionIsOpaque(reason) }
    }

    /// Counts octets on a connection that cannot be read.
    public func opaqueOctets(gateway: GatewaySeries, _ reason: OpaqueReason, count: Int) {
        countFor(gateway) { $0.opaqueOctets(reason, count: UInt64(max(0, count))) }
    }

    // MARK: - Counting

    /// Lends the cells of a route with the table they belong to; `nil` where its series are gone or beyond the limit.
    func lendCells(of route: RouteSeries, _ body: (RouteCells?, ShardTable) -> Void) {
        table.lend { table in
            let isNamed = table.lend(route) { cells in body(cells.isFolded ? nil : cells, table) }
            if !isNamed { body(nil, table) }
        }
    }

    @inline(__always)
    func countFor(_ gateway: GatewaySeries, _ body: (GatewayCells) -> Void) {
        table.lend { table in
            if !table.lend(gateway, to: body) { body(overflowGateway) }
        }
    }

    /// Counts an exchange of a route whose cells are known.
    @inline(__always)
    private func count(_ exchange: ExchangeObservation, for cells: RouteCells, slot: Int, in table: ShardTable) {
        guard !cells.isFolded else {
            cells.countFolded(at: exchange.startedAt)
            return countFolded(exchange)
        }
        cells.beginExchange()
        let combination = exchange.combination
        if !cells.countRequest(combination) {
            beginRequests(combination, of: exchange, for: cells, slot: slot, in: table)
        }
        cells.noteRequest(at: exchange.startedAt)
        if let duration = exchange.durationNanoseconds {
            observe(duration: duration, ResponseCodeClass(status: exchange.status), of: exchange, for: cells)
        }
        if let serverWait = exchange.serverWaitNanoseconds {
            observe(serverWait: serverWait, of: exchange, for: cells)
        }
        observe(requestBodyOf: exchange, for: cells)
        if exchange.status > 0 {
            observe(responseBodyOf: exchange, for: cells)
        }
        if let status = exchange.grpcStatus {
            let counter = CodeCounter(GRPCStatusLabel(status: status))
            count(counter, at: exchange.startedAt, for: cells, slot: slot, in: table)
        }
        if let call = exchange.call {
            count(call, at: exchange.startedAt, for: cells)
        }
        if exchange.upgradedToWebSocket {
            cells.add(1, to: layout.word(of: .websocketUpgrades), at: exchange.startedAt)
        }
        cells.endExchange()
    }

    @inline(__always)
    private func observe(
        duration: Int64,
        _ codeClass: ResponseCodeClass,
        of exchange: ExchangeObservation,
        for cells: RouteCells
    ) {
        let value = UInt64(max(0, duration))
        let cell = layout.duration.cell(of: value)
        cells.observe(value, cell: cell, start: layout.durationStart(of: codeClass), at: exchange.startedAt)
        if let trace = exchange.trace, trace.isSampled, layout.exemplarSlots > 0 {
            let bucket = Int(layout.duration.classicBuckets[cell])
            cells.offerExemplar(
                trace,
                value: value,
                // Times of packets may be anything: one beyond the range wraps.
                at: exchange.startedAt &+ max(0, duration),
                slot: layout.exemplarSlot(of: codeClass, bucket: bucket)
            )
        }
    }

    @inline(__always)
    private func observe(serverWait: Int64, of exchange: ExchangeObservation, for cells: RouteCells) {
        let value = UInt64(max(0, serverWait))
        let cell = layout.serverWait.cell(of: value)
        cells.observe(value, cell: cell, start: layout.serverWaitStart, at: exchange.startedAt)
    }

    @inline(__always)
    private func observe(requestBodyOf exchange: ExchangeObservation, for cells: RouteCells) {
        let value = UInt64(max(0, exchange.requestBodyBytes))
        let cell = layout.bodySize.cell(of: value)
        cells.observe(value, cell: cell, start: layout.requestBodyStart, at: exchange.startedAt)
    }

    @inline(__always)
    private func observe(responseBodyOf exchange: ExchangeObservation, for cells: RouteCells) {
        let value = UInt64(max(0, exchange.responseBodyBytes))
        let cell = layout.bodySize.cell(of: value)
        cells.observe(value, cell: cell, start: layout.responseBodyStart, at: exchange.startedAt)
    }

    // MARK: - First occurrences

    @inline(never)
    private func beginRequests(
        _ combination: RequestCombination,
        of exchange: ExchangeObservation,
        for cells: RouteCells,
        slot: Int,
        in table: ShardTable
    ) {
        if table.requests.admits(slot: slot, combination: combination.packed, .finest) {
            table.requests.admitFirst(slot: slot, method: combination.method, combination.requestProtocol)
            cells.beginRequests(combination, at: exchange.startedAt)
            return
        }
        let coarser = combination.withoutMethod
        if cells.countRequest(coarser) { return countFold(.requests, .method) }
        if table.requests.admits(slot: slot, combination: coarser.packed, .coarser) {
            countFold(.requests, .method)
            return cells.beginRequests(coarser, at: exchange.startedAt)
        }
        countFold(.requests, .code)
        if !cells.countRequest(combination.outcome) {
            cells.beginRequests(combination.outcome, at: exchange.startedAt)
        }
    }

    // MARK: - Beyond the limit

    /// Counts an exchange of a route that has no series: only the name of the route is lost.
    @inline(never)
    private func countFolded(_ exchange: ExchangeObservation) {
        countOverflow(.requests) { countRequest(of: exchange, inOverflow: $0) }
        overflow.noteRequest(at: exchange.startedAt)
        if let duration = exchange.durationNanoseconds {
            let codeClass = ResponseCodeClass(status: exchange.status)
            countOverflow(.duration) { observe(duration: duration, codeClass, of: exchange, for: $0) }
        }
        if let serverWait = exchange.serverWaitNanoseconds {
            countOverflow(.serverWait) { observe(serverWait: serverWait, of: exchange, for: $0) }
        }
        countOverflow(.requestBodySize) { observe(requestBodyOf: exchange, for: $0) }
        if exchange.status > 0 {
            countOverflow(.responseBodySize) { observe(responseBodyOf: exchange, for: $0) }
        }
        let time = exchange.startedAt
        if let status = exchange.grpcStatus {
            let counter = CodeCounter(GRPCStatusLabel(status: status))
            countOverflow(.gRPCResponses) { $0.add(1, to: layout.word(of: counter), at: time) }
        }
        if let call = exchange.call {
            countFolded(call, at: time)
        }
        if exchange.upgradedToWebSocket {
            countOverflow(.websocketUpgrades) { $0.add(1, to: layout.word(of: .websocketUpgrades), at: time) }
        }
    }

    /// Counts an observation of one family without the name of its route, and that this was done.
    func countOverflow(_ family: LimitedFamily, _ count: (RouteCells) -> Void) {
        countFold(family, .route)
        overflow.beginExchange()
        count(overflow)
        overflow.endExchange()
    }

    /// Counts that an observation lost a label to the limit.
    func countFold(_ family: LimitedFamily, _ detail: FoldedDetail) {
        folds.add(1, at: family.rawValue * FoldedDetail.allCases.count + Int(detail.rawValue))
    }

    private func countRequest(of exchange: ExchangeObservation, inOverflow cells: RouteCells) {
        let combination = exchange.combination
        if !cells.countRequest(combination) {
            cells.beginRequests(combination, at: exchange.startedAt)
        }
    }

    // MARK: - Reading

    /// How many observations of a family lost a label to the limit.
    func foldCount(_ family: LimitedFamily, _ detail: FoldedDetail) -> UInt64 {
        folds.load(family.rawValue * FoldedDetail.allCases.count + Int(detail.rawValue))
    }

    /// How many messages had no partner.
    func unpairedMessageCount(_ kind: UnpairedMessageKind) -> UInt64 {
        unpairedMessages.load(Int(kind.rawValue))
    }

    /// How many responses without their requests answer such as cannot be read.
    var unreadableRequestCount: UInt64 { unreadableRequests.load(0) }
}
