// Wingmirror · Apache-2.0

@testable import TrafficMetrics

/// A registry with routes `route-0`, `route-1` … of one Gateway, and shorthands to use it.
struct Scenario {
    let registry: MetricsRegistry
    private(set) var table: RouteSeriesTable
    private(set) var now: Int64 = 0
    private var generation = 0

    static let gateway = "istio-system/public"
    static let minute: Int64 = 60 * 1_000_000_000

    init(routes: Int, seriesLimit: Int = 20_000, shardCount: Int = 1) throws {
        registry = MetricsRegistry(
            configuration: try MetricsConfiguration(seriesLimit: seriesLimit),
            shardCount: shardCount
        )
        table = registry.table
        publish(Array(0..<routes))
    }

    /// The least limit that gives series to so many routes.
    static func limit(routes: Int) -> Int {
        routes * RequestCombination.outcomeCount
    }

    var shard: TrafficShard {
        registry.shards[0]
    }

    static func labels(_ number: Int) -> RouteLabels {
        RouteLabels(
            gateway: gateway,
            virtualServiceNamespace: "shop",
            virtualService: "products",
            route: name(number),
            destinationService: "products.shop.svc.cluster.local",
            destinationSubset: "v1"
        )
    }

    /// Padded, so that names sort as numbers do.
    static func name(_ number: Int) -> String {
        "route-" + String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
    }

    /// Publishes a table of these routes, in this order.
    mutating func publish(_ routes: [Int]) {
        generation += 1
        take(
            registry.routesPublished(
                RouteTableDescription(
                    generation: generation,
                    series: routes.map(Self.labels),
                    gateways: [Self.gateway]
                ),
                at: now
            )
        )
    }

    mutating func take(_ table: RouteSeriesTable) {
        self.table = table
        for shard in registry.shards {
            shard.routesChanged(to: table)
        }
    }

    mutating func pass(minutes: Int64) {
        now += minutes * Self.minute
    }

    /// Counts an exchange of the route at an index of the table; a status of 5xx is a failure unless something else is said.
    func exchange(
        _ index: Int,
        shard: Int = 0,
        method: RequestMethodLabel = .get,
        status: Int = 200,
        errorType: ErrorTypeLabel? = nil,
        milliseconds: Int64? = 20
    ) {
        registry.shards[shard].exchangeCompleted(
            route: table.series(ofRoute: index),
            ExchangeObservation(
                method: method,
                status: status,
                errorType: errorType ?? (status >= 500 ? .serverError : .none),
                durationNanoseconds: milliseconds.map { $0 * 1_000_000 },
                requestBodyBytes: 10,
                responseBodyBytes: 2000,
                startedAt: now
            )
        )
    }

    /// What a scrape reads.
    func scrape(_ format: ExpositionFormat = .text) throws -> ExpositionReader {
        var body: [UInt8] = []
        ExpositionWriter(format).write(registry.snapshot(at: now), into: &body)
        return try ExpositionReader(body, format)
    }

    /// Requests counted by route name.
    func requestsByRoute() throws -> [String: Double] {
        let family = try scrape().samples[MetricCatalogue.httpRequests.name] ?? [:]
        return Dictionary(family.map { ($0.key.labels["route"] ?? "", $0.value) }, uniquingKeysWith: +)
    }
}
