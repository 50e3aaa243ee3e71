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
    /// Touched by the capture thread alone, which is what makes it safe to be neither locked nor atomic.
    private nonisolated(unsafe) var table: ShardTable

    /// Counts what is beyond the series limit, or of routes that are gone.
    let overflow: RouteCells
    /// Counts what is of Gateways that are beyond the limit or gone.
    let overflowGateway = GatewayCells()
    private let folds = AtomicWords(count: LimitedFamily.allCases.count)
    private let unpairedMessages = AtomicWords(count: UnpairedMessageKind.allCases.count)

    init(layout: ShardLayout, index: Int, table: ShardTable) {
        self.layout = layout
        self.index = index
        unsafe self.table = table
        overflow = RouteCells(layout: layout)
    }

    /// Takes the series of a newer route table.
    public func routesChanged(to table: RouteSeriesTable) {
        unsafe self.table = table.shards[index]
    }

    // MARK: - Exchanges

    /// Counts an exchange that a route accounts for.
    public func exchangeCompleted(route: RouteSeries, _ exchange: ExchangeObservation) {
        let table = unsafe self.table
        guard let cells = table.cells(of: route) else {
            return countFolded(exchange)
        }
        guard !cells.isFolded else {
            cells.countFolded()
            return countFolded(exchange)
        }
        cells.beginExchange()
        defer { cells.endExchange() }
        let combination = exchange.combination
        if !cells.countRequest(combination) {
            beginRequests(combination, of: cells, slot: Int(route.slot), in: table)
        }
        count(exchange, for: cells, slot: Int(route.slot), in: table)
    }

    /// Counts a request that no route accounts for.
    /// - Parameters:
    ///   - gateway: The Gateway it reached.
    ///   - reason: Why no route accounts for it.
    ///   - status: The status of the response; 0 when none was seen.
    public func requestUnmatched(gateway: GatewaySeries, reason: UnmatchedReason, status: Int) {
        cells(of: gateway).requestUnmatched(reason, ResponseCodeClass(status: status))
    }

    /// Counts a request whose response is not complete yet.
    public func requestBegan(gateway: GatewaySeries) {
        cells(of: gateway).requestBegan()
    }

    /// Ends what `requestBegan` began; with the same Gateway, even if the route table has changed since.
    public func requestEnded(gateway: GatewaySeries) {
        cells(of: gateway).requestEnded()
    }

    /// Counts a message without its partner.
    public func messageUnpaired(_ kind: UnpairedMessageKind) {
        unpairedMessages.add(1, at: Int(kind.rawValue))
    }

    // MARK: - Connections

    /// Counts a connection when it is known what it carries, or that this will not be known.
    public func connectionOpened(gateway: GatewaySeries, _ label: ConnectionProtocolLabel) {
        cells(of: gateway).connectionOpened(label)
    }

    /// Counts a connection that ended.
    public func connectionClosed(gateway: GatewaySeries, _ reason: ConnectionCloseReason) {
        cells(of: gateway).connectionClosed(reason)
    }

    /// Counts a connection that cannot be read.
    public func connectionIsOpaque(gateway: GatewaySeries, _ reason: OpaqueReason) {
        cells(of: gateway).connectionIsOpaque(reason)
    }

    /// Counts octets on a connection that cannot be read.
    public func opaqueOctets(gateway: GatewaySeries, _ reason: OpaqueReason, count: Int) {
        cells(of: gateway).opaqueOctets(reason, count: UInt64(max(0, count)))
    }

    // MARK: - Counting

    @inline(__always)
    private func cells(of gateway: GatewaySeries) -> GatewayCells {
        unsafe table.cells(of: gateway) ?? overflowGateway
    }

    /// Counts everything of an exchange but the request itself.
    @inline(__always)
    private func count(_ exchange: ExchangeObservation, for cells: RouteCells, slot: Int, in table: ShardTable) {
        cells.noteRequest(at: exchange.startedAt)
        if let duration = exchange.durationNanoseconds {
            let codeClass = ResponseCodeClass(status: exchange.status)
            let isNamed =
                cells.hasDuration(codeClass) || beginDuration(codeClass, of: cells, slot: slot, in: table)
            observe(duration: duration, codeClass, for: isNamed ? cells : overflow)
        }
        if let firstByte = exchange.firstByteNanoseconds {
            let value = UInt64(max(0, firstByte))
            cells.observe(value, cell: layout.firstByte.cell(of: value), start: layout.words(of: .firstByte).lowerBound)
        }
        observe(octets: exchange.requestBodyBytes, .requestBody, for: cells)
        if exchange.status != 0 {
            observe(octets: exchange.responseBodyBytes, .responseBody, for: cells)
        }
        if let status = exchange.grpcStatus {
            count(GRPCStatusLabel(status: status), for: cells, slot: slot, in: table)
        }
        if exchange.upgradedToWebSocket {
            cells.increment(ShardLayout.websocketUpgrades)
        }
    }

    @inline(__always)
    private func observe(duration: Int64, _ codeClass: ResponseCodeClass, for cells: RouteCells) {
        let value = UInt64(max(0, duration))
        cells.observe(
            value,
            cell: layout.duration.cell(of: value),
            start: layout.words(of: .duration(codeClass)).lowerBound
        )
    }

    @inline(__always)
    private func observe(octets: Int, _ histogram: RouteHistogram, for cells: RouteCells) {
        let value = UInt64(max(0, octets))
        cells.observe(value, cell: layout.bodySize.cell(of: value), start: layout.words(of: histogram).lowerBound)
    }

    private func count(_ status: GRPCStatusLabel, for cells: RouteCells, slot: Int, in table: ShardTable) {
        if !cells.hasGRPCResponses(status) {
            guard table.gRPCResponses.admits(slot: slot, combination: UInt32(status.index)) else {
                noteFold(.gRPCResponses)
                return overflow.increment(layout.gRPCResponses(status))
            }
            cells.beginGRPCResponses(status)
        }
        cells.increment(layout.gRPCResponses(status))
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
            noteFold(.requests)
            countOverflowRequest(combination)
        }
    }

    @inline(never)
    private func beginDuration(
        _ codeClass: ResponseCodeClass,
        of cells: RouteCells,
        slot: Int,
        in table: ShardTable
    ) -> Bool {
        guard table.durations.admits(slot: slot, combination: UInt32(codeClass.rawValue)) else {
            noteFold(.duration)
            return false
        }
        cells.beginDuration(codeClass)
        return true
    }

    // MARK: - Beyond the limit

    /// Counts an exchange of a route that has no series: only the name of the route is lost.
    @inline(never)
    private func countFolded(_ exchange: ExchangeObservation) {
        overflow.beginExchange()
        defer { overflow.endExchange() }
        countOverflowRequest(exchange.combination)
        noteFold(.requests)
        overflow.noteRequest(at: exchange.startedAt)
        if let duration = exchange.durationNanoseconds {
            observe(duration: duration, ResponseCodeClass(status: exchange.status), for: overflow)
            noteFold(.duration)
        }
        if let firstByte = exchange.firstByteNanoseconds {
            let value = UInt64(max(0, firstByte))
            let start = layout.words(of: .firstByte).lowerBound
            overflow.observe(value, cell: layout.firstByte.cell(of: value), start: start)
            noteFold(.firstByte)
        }
        observe(octets: exchange.requestBodyBytes, .requestBody, for: overflow)
        noteFold(.requestBodySize)
        if exchange.status != 0 {
            observe(octets: exchange.responseBodyBytes, .responseBody, for: overflow)
            noteFold(.responseBodySize)
        }
        if let status = exchange.grpcStatus {
            overflow.increment(layout.gRPCResponses(GRPCStatusLabel(status: status)))
            noteFold(.gRPCResponses)
        }
        if exchange.upgradedToWebSocket {
            overflow.increment(ShardLayout.websocketUpgrades)
            noteFold(.websocketUpgrades)
        }
    }

    private func countOverflowRequest(_ combination: RequestCombination) {
        if !overflow.countRequest(combination) {
            overflow.beginRequests(combination)
        }
    }

    private func noteFold(_ family: LimitedFamily) {
        folds.add(1, at: family.rawValue)
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
