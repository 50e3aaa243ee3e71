// Wingmirror · Apache-2.0

/// Names the series of a route on the packet path.
///
/// Stays valid when the route table changes: an exchange that began under an old table is counted for the route it was
/// attributed to. Once the route's series are gone it is counted under `__overflow__`, never under another route.
public struct RouteSeries: Sendable, Hashable {
    let slot: UInt32
    let serial: UInt32
}

/// Names the series of a Gateway on the packet path; stays valid as `RouteSeries` does.
public struct GatewaySeries: Sendable, Hashable {
    let slot: UInt32
    let serial: UInt32

    /// Traffic that reaches no Gateway; its label is empty.
    public static let none = GatewaySeries(slot: 0, serial: 0)
}

/// Which series the routes of one route table count into; immutable, and made by the registry for each generation.
public final class RouteSeriesTable: Sendable {
    /// What each shard needs on the packet path.
    let shards: [ShardTable]
    private let routes: [RouteSeries]
    private let gateways: [GatewaySeries]

    init(routes: [RouteSeries], gateways: [GatewaySeries], shards: [ShardTable]) {
        self.routes = routes
        self.gateways = gateways
        self.shards = shards
    }

    /// How many routes the description has that the table was made from.
    public var routeCount: Int { routes.count }

    /// How many Gateways the description has that the table was made from.
    public var gatewayCount: Int { gateways.count }

    /// The series of a route, by its index in the description that the table was made from.
    public func series(ofRoute index: Int) -> RouteSeries {
        routes[index]
    }

    /// The series of a Gateway, by its index in the description that the table was made from.
    public func series(ofGateway index: Int) -> GatewaySeries {
        gateways[index]
    }
}

/// What one shard needs of a table on the packet path.
final class ShardTable: Sendable {
    private let routes: SlotTable<RouteCells>
    private let gateways: SlotTable<GatewayCells>
    let requests: SeriesLedger
    /// By ``CodeFamily``.
    private let codes: [SeriesLedger]

    init(
        routes: [(serial: UInt32, cells: RouteCells)?],
        gateways: [(serial: UInt32, cells: GatewayCells)?],
        requests: SeriesLedger,
        codes: [SeriesLedger]
    ) {
        self.routes = SlotTable(routes)
        self.gateways = SlotTable(gateways)
        self.requests = requests
        self.codes = codes
    }

    /// Whether the counter of a code may be, or already is, a series of its own.
    func admits(_ counter: CodeCounter, slot: Int) -> Bool {
        counter.isOutcome
            || codes[counter.family.rawValue].admits(slot: slot, combination: UInt32(counter.index), .coarser)
    }

    /// Lends the cells of a route to `body`; `false` when its series are gone.
    @inline(__always)
    func lend(_ series: RouteSeries, to body: (RouteCells) -> Void) -> Bool {
        routes.lend(series.slot, serial: series.serial, to: body)
    }

    /// Lends the cells of a Gateway to `body`; `false` when its series are gone or beyond the limit.
    @inline(__always)
    func lend(_ series: GatewaySeries, to body: (GatewayCells) -> Void) -> Bool {
        gateways.lend(series.slot, serial: series.serial, to: body)
    }
}

// MARK: - Making one

extension RouteSeriesTable {
    /// Label sets that a route usually has: four methods, six codes.
    private static let typicalCombinations = 24
    /// Label sets that a route can have in `http_requests_total` at all.
    private static let combinationCount =
        RequestMethodLabel.allCases.count * RequestProtocolLabel.allCases.count * 503 * ErrorTypeLabel.allCases.count

    /// Makes the table of a description from what is admitted now.
    convenience init(
        description: RouteTableDescription?,
        routes: RouteAdmission,
        gateways: GatewayAdmission,
        shardCount: Int,
        limit: Int
    ) {
        let records = routes.records
        let ledgers = Ledgers(records: records, limit: limit)
        self.init(
            routes: (description?.series ?? []).map { labels in
                guard let slot = routes.slot(of: labels), let record = records[slot] else {
                    preconditionFailure("RouteSeriesTable.init: a published route has a slot")
                }
                return RouteSeries(slot: UInt32(slot), serial: record.serial)
            },
            gateways: (description?.gateways ?? []).map(gateways.series(of:)),
            shards: (0..<shardCount).map { shard in
                ShardTable(
                    routes: records.map { $0.map { ($0.serial, $0.cells[shard]) } },
                    gateways: gateways.records.map { $0.map { ($0.serial, $0.cells[shard]) } },
                    requests: ledgers.requests,
                    codes: ledgers.codes
                )
            }
        )
    }

    /// The ledgers of a table, with the series that exist already.
    private struct Ledgers {
        let requests: SeriesLedger
        let codes: [SeriesLedger]

        init(records: [RouteRecord?], limit: Int) {
            let admittedCount = records.count { $0?.isExposed ?? false }
            func ledger(outcomeCount: Int, typicalCount: Int, largestCount: Int) -> SeriesLedger {
                SeriesLedger(
                    limit: limit,
                    slotCount: records.count,
                    admittedCount: admittedCount,
                    outcomeCount: outcomeCount,
                    typicalCount: typicalCount,
                    largestCount: largestCount
                )
            }
            requests = ledger(
                outcomeCount: RequestCombination.outcomeCount,
                typicalCount: typicalCombinations,
                largestCount: combinationCount
            )
            codes = CodeFamily.allCases.map {
                ledger(outcomeCount: CodeFamily.outcomeCount, typicalCount: $0.count, largestCount: $0.count)
            }
            for (slot, record) in records.enumerated() {
                if let record, record.isExposed { enter(record, slot: slot) }
            }
        }

        /// Enters the series of a route, those that every route has first.
        private func enter(_ record: RouteRecord, slot: Int) {
            requests.admitFirst(slot: slot, method: .get, .http)
            _ = requests.admits(slot: slot, combination: RequestCombination.likeliest.packed, .finest)
            for cells in record.cells {
                cells.visitCombinations { combination in
                    guard combination.method != .any else {
                        if combination.requestProtocol != .any {
                            _ = requests.admits(slot: slot, combination: combination.packed, .coarser)
                        }
                        return
                    }
                    _ = requests.admits(slot: slot, combination: combination.packed, .finest)
                    requests.admitFirst(slot: slot, method: combination.method, combination.requestProtocol)
                }
                for family in CodeFamily.allCases {
                    for counter in family.counters where cells.has(counter) && !counter.isOutcome {
                        _ = codes[family.rawValue].admits(slot: slot, combination: UInt32(counter.index), .coarser)
                    }
                }
            }
        }
    }
}

extension SeriesLedger {
    /// Makes room for what a route's method has from the beginning, as far as there is any.
    func admitFirst(slot: Int, method: RequestMethodLabel, _ requestProtocol: RequestProtocolLabel) {
        for combination in RequestCombination.watched(method, requestProtocol) {
            _ = admits(slot: slot, combination: combination.packed, .finest)
        }
    }
}
