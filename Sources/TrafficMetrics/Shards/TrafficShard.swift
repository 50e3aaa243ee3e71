// Wingmirror · Apache-2.0

/// What one capture thread counts of the traffic.
///
/// All methods but those of the reading side are for that one thread. They neither lock nor wait, and allocate only when
/// something occurs for the first time: a combination of labels on a route, a range of durations.
///
/// A scrape reads from another thread without stopping the writer; per route, all it reads is of one moment.
public final class TrafficShard: Sendable {
    private let layout: ShardLayout
    private let index: Int
    private let table: WriterTable

    /// Counts what is beyond the series limit, or of routes that are gone.
    let overflow: RouteCells
    /// Counts what is of Gateways that are beyond the limit or gone.
    let overflowGateway = GatewayCells()
    private let folds = AtomicWords(count: LimitedFamily.allCases.count)
    private let unpairedMessages = AtomicWords(count: UnpairedMessageKind.allCases.count)

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
    ///   - status: The status of the response; 0 when none was seen.
    public func requestUnmatched(gateway: GatewaySeries, reason: UnmatchedReason, status: Int) {
        countFor(gateway) { $0.requestUnmatched(reason, ResponseCodeClass(status: status)) }
    }

    /// Counts a request whose response is not complete yet.
    public func requestBegan(gateway: GatewaySeries) {
        countFor(gateway) { $0.requestBegan() }
    }

    /// Ends what `requestBegan` began; with the same Gateway, even if the route table has changed since.
    public func requestEnded(gateway: GatewaySeries) {
        countFor(gateway) { $0.requestEnded() }
    }

    /// Counts a request that is shadow traffic already, and nothing else of it.
    public func markedRequestArrived(gateway: GatewaySeries) {
        countFor(gateway) { $0.markedRequestArrived() }
    }

    /// Counts a message without its partner.
    public func messageUnpaired(_ kind: UnpairedMessageKind) {
        unpairedMessages.add(1, at: Int(kind.rawValue))
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

    @inline(__always)
    private func countFor(_ gateway: GatewaySeries, _ body: (GatewayCells) -> Void) {
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
            beginRequests(combination, of: cells, slot: slot, in: table)
        }
        cells.noteRequest(at: exchange.startedAt)
        if let duration = exchange.durationNanoseconds {
            let codeClass = ResponseCodeClass(status: exchange.status)
            if cells.hasDuration(codeClass) || beginDuration(codeClass, of: cells, slot: slot, in: table) {
                observe(duration: duration, codeClass, for: cells)
            } else {
                countOverflow(.duration) { observe(duration: duration, codeClass, for: $0) }
            }
        }
        if let firstByte = exchange.firstByteNanoseconds {
            observe(firstByte: firstByte, for: cells)
        }
        observe(requestBody: exchange.requestBodyBytes, for: cells)
        if exchange.status != 0 {
            observe(responseBody: exchange.responseBodyBytes, for: cells)
        }
        if let status = exchange.grpcStatus {
            count(GRPCStatusLabel(status: status), for: cells, slot: slot, in: table)
        }
        if exchange.upgradedToWebSocket {
            cells.increment(ShardLayout.websocketUpgrades)
        }
        cells.endExchange()
    }

    @inline(__always)
    private func observe(duration: Int64, _ codeClass: ResponseCodeClass, for cells: RouteCells) {
        let value = UInt64(max(0, duration))
        let cell = layout.duration.cell(of: value)
        cells.observe(value, cell: cell, start: layout.durationStart(of: codeClass))
    }

    @inline(__always)
    private func observe(firstByte: Int64, for cells: RouteCells) {
        let value = UInt64(max(0, firstByte))
        let cell = layout.firstByte.cell(of: value)
        cells.observe(value, cell: cell, start: layout.firstByteStart)
    }

    @inline(__always)
    private func observe(requestBody: Int, for cells: RouteCells) {
        let value = UInt64(max(0, requestBody))
        let cell = layout.bodySize.cell(of: value)
        cells.observe(value, cell: cell, start: layout.requestBodyStart)
    }

    @inline(__always)
    private func observe(responseBody: Int, for cells: RouteCells) {
        let value = UInt64(max(0, responseBody))
        let cell = layout.bodySize.cell(of: value)
        cells.observe(value, cell: cell, start: layout.responseBodyStart)
    }

    private func count(_ status: GRPCStatusLabel, for cells: RouteCells, slot: Int, in table: ShardTable) {
        if cells.hasGRPCResponses(status) || beginGRPCResponses(status, of: cells, slot: slot, in: table) {
            cells.increment(layout.gRPCResponses(status))
        } else {
            countOverflow(.gRPCResponses) { $0.increment(layout.gRPCResponses(status)) }
        }
    }

    // MARK: - First occurrences

    @inline(never)
    private func beginRequests(
        _ combination: RequestCombination,
        of cells: RouteCells,
        slot: Int,
        in table: ShardTable
    ) {
        if table.requests.admits(slot: slot, combination: combination.packed) {
            cells.beginRequests(combination)
        } else {
            countOverflow(.requests) { countRequest(combination, inOverflow: $0) }
        }
    }

    @inline(never)
    private func beginDuration(
        _ codeClass: ResponseCodeClass,
        of cells: RouteCells,
        slot: Int,
        in table: ShardTable
    ) -> Bool {
        let isAdmitted = table.durations.admits(slot: slot, combination: UInt32(codeClass.rawValue))
        if isAdmitted { cells.beginDuration(codeClass) }
        return isAdmitted
    }

    @inline(never)
    private func beginGRPCResponses(
        _ status: GRPCStatusLabel,
        of cells: RouteCells,
        slot: Int,
        in table: ShardTable
    ) -> Bool {
        let isAdmitted = table.gRPCResponses.admits(slot: slot, combination: UInt32(status.index))
        if isAdmitted { cells.beginGRPCResponses(status) }
        return isAdmitted
    }

    // MARK: - Beyond the limit

    /// Counts an exchange of a route that has no series: only the name of the route is lost.
    @inline(never)
    private func countFolded(_ exchange: ExchangeObservation) {
        countOverflow(.requests) { countRequest(exchange.combination, inOverflow: $0) }
        overflow.noteRequest(at: exchange.startedAt)
        if let duration = exchange.durationNanoseconds {
            let codeClass = ResponseCodeClass(status: exchange.status)
            countOverflow(.duration) { observe(duration: duration, codeClass, for: $0) }
        }
        if let firstByte = exchange.firstByteNanoseconds {
            countOverflow(.firstByte) { observe(firstByte: firstByte, for: $0) }
        }
        countOverflow(.requestBodySize) { observe(requestBody: exchange.requestBodyBytes, for: $0) }
        if exchange.status != 0 {
            countOverflow(.responseBodySize) { observe(responseBody: exchange.responseBodyBytes, for: $0) }
        }
        if let status = exchange.grpcStatus {
            countOverflow(.gRPCResponses) { $0.increment(layout.gRPCResponses(GRPCStatusLabel(status: status))) }
        }
        if exchange.upgradedToWebSocket {
            countOverflow(.websocketUpgrades) { $0.increment(ShardLayout.websocketUpgrades) }
        }
    }

    /// Counts an observation of one family without the name of its route, and that this was done.
    private func countOverflow(_ family: LimitedFamily, _ count: (RouteCells) -> Void) {
        folds.add(1, at: family.rawValue)
        overflow.beginExchange()
        count(overflow)
        overflow.endExchange()
    }

    private func countRequest(_ combination: RequestCombination, inOverflow cells: RouteCells) {
        if !cells.countRequest(combination) {
            cells.beginRequests(combination)
        }
    }

    // MARK: - Reading

    /// How many observations of a family were counted without the name of their route.
    func foldCount(_ family: LimitedFamily) -> UInt64 {
        folds.load(family.rawValue)
    }

    /// How many messages had no partner.
    func unpairedMessageCount(_ kind: UnpairedMessageKind) -> UInt64 {
        unpairedMessages.load(Int(kind.rawValue))
    }
}
