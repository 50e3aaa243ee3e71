// Wingmirror · Apache-2.0

import TrafficMetrics
import TrafficModel

extension Scenario {
    /// Pages from counters.
    static let exposition = Scenario(
        name: "exposition",
        summary:
            "a scrape of about 100,000 samples with their exemplars, in three formats, without compression and network",
        item: "line"
    ) { _ in
        let perRoute = try ExpositionWorkload("", .text, .scrape, routes: 100).items / 100
        let routes = 100_000 / perRoute + 1
        var rows: [any Measurable] = []
        for (name, format) in [
            ("text 0.0.4", ExpositionFormat.text), ("OpenMetrics", .openMetrics), ("protobuf", .protobuf),
        ] {
            rows.append(Row(try ExpositionWorkload("snapshot and \(name)", format, .scrape, routes: routes)))
            rows.append(Row(try ExpositionWorkload("\(name) of a snapshot", format, .page, routes: routes)))
        }
        return rows
    }
}

/// Writes the same page again and again.
private struct ExpositionWorkload: Workload {
    /// Where the work begins.
    enum Extent {
        /// With the counters of the shards.
        case scrape
        /// With a snapshot of them.
        case page
    }

    let label: String
    let items: Int
    let octets: Int
    private let registry: MetricsRegistry
    private let snapshot: MetricsSnapshot
    private let format: ExpositionFormat
    private let extent: Extent
    private var body: [UInt8] = []

    private static let now: Int64 = 1_795_406_760_000_000_000

    /// Makes a registry in which each of so many routes has had a request.
    init(_ label: String, _ format: ExpositionFormat, _ extent: Extent, routes: Int) throws {
        self.label = label
        self.extent = extent
        self.format = format
        registry = try Self.registry(routes: routes)
        snapshot = registry.snapshot(at: Self.now)
        // Each line of a page ends with a line feed, and a comment begins with a number sign. A page of protobuf says
        // the same as one of text, so it has as many items.
        ExpositionWriter(.text).write(snapshot, into: &body)
        items = zip([0x0A] + body, body).count { $0 == 0x0A && $1 != UInt8(ascii: "#") }
        ExpositionWriter(format).write(snapshot, into: &body)
        octets = body.count
    }

    private static func registry(routes: Int) throws -> MetricsRegistry {
        let registry = MetricsRegistry(configuration: try MetricsConfiguration(seriesLimit: 10_000_000))
        let labels = (0..<routes).map { number in
            RouteLabels(
                gateway: "istio-system/ingress",
                virtualServiceNamespace: "shop",
                virtualService: "service-\(number)",
                route: "#0",
                destinationService: "service-\(number).shop.svc.cluster.local",
                destinationSubset: ""
            )
        }
        let description = RouteTableDescription(generation: 1, series: labels, gateways: ["istio-system/ingress"])
        let series = registry.routesPublished(description, at: now)
        registry.shards[0].routesChanged(to: series)
        for route in 0..<routes {
            let observation = ExchangeObservation(
                method: .get,
                status: 200,
                durationNanoseconds: 3_000_000 + Int64(route) * 1000,
                serverWaitNanoseconds: 2_000_000,
                requestBodyBytes: 0,
                responseBodyBytes: route * 7,
                startedAt: now,
                trace: TraceContext(traceHigh: 1, traceLow: UInt64(route) + 1, span: 1, isSampled: true)
            )
            registry.shards[0].exchangeCompleted(route: series.series(ofRoute: route), observation)
        }
        return registry
    }

    mutating func run() -> Int {
        switch extent {
        case .scrape: ExpositionWriter(format).write(registry.snapshot(at: Self.now, for: format), into: &body)
        case .page: ExpositionWriter(format).write(snapshot, into: &body)
        }
        return body.count == octets ? items : 0
    }
}
