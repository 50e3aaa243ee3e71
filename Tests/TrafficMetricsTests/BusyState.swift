// Wingmirror · Apache-2.0

import OctetText
import Synchronization
import TrafficModel

@testable import TrafficMetrics

/// A registry of which nearly every family has series, with traffic that is drawn from a seed.
final class BusyState {
    let registry: MetricsRegistry
    private let table: RouteSeriesTable
    private let mirrored = ObservedHistograms(MetricCatalogue.mirrorRequestDuration, layout: .usualDurations)
    private var generator = SeededGenerator(seed: 2026)
    /// Nanoseconds since the Unix epoch.
    private(set) var now: Int64
    private(set) var requestCount = 0
    /// The durations of routes, as they were given.
    private(set) var observed: [Observed] = []

    struct Observed {
        let route: String
        let codeClass: String
        let seconds: Double
    }

    private static let names = ["plain", #"quo"te\back"#, "größe {a=b}", "line\nfeed", ""]

    init(createdSeries: Bool, nativeHistograms: Bool = true, now: Int64 = 1_795_406_760_123_456_789) throws {
        self.now = now
        registry = MetricsRegistry(
            configuration: try MetricsConfiguration(nativeHistograms: nativeHistograms, createdSeries: createdSeries),
            shardCount: 2,
            startedAt: now
        )
        let labels = Self.names.map { name in
            RouteLabels(
                gateway: Scenario.gateway,
                virtualServiceNamespace: "shop",
                virtualService: "vs",
                route: name,
                destinationService: name.isEmpty ? "" : "products.shop.svc.cluster.local",
                destinationSubset: name
            )
        }
        table = registry.routesPublished(
            RouteTableDescription(
                generation: 1,
                series: labels,
                gateways: [Scenario.gateway],
                routes: Self.names.map {
                    .init(
                        virtualServiceNamespace: "shop",
                        virtualService: "vs",
                        route: $0,
                        match: "prefix \($0)",
                        hosts: "*",
                        destinations: [.init(service: "s", subset: $0, share: 0.25)]
                    )
                }
            ),
            at: now
        )
        for shard in registry.shards { shard.routesChanged(to: table) }
        registry.add(mirrored)
        registry.add(CounterCells(MetricCatalogue.captureBytes, labelValues: [["eth0"]]))
        registry.add(Infos())
    }

    /// Counts so many exchanges, each a while after the one before.
    func pass(_ count: Int) {
        for _ in 0..<count {
            now += Int64.random(in: 1_000...400_000_000, using: &generator)
            exchange()
        }
    }

    private func exchange() {
        let route = Int.random(in: 0..<Self.names.count, using: &generator)
        let status = [200, 200, 201, 302, 404, 503, 0].randomElement(using: &generator) ?? 0
        // From microseconds to minutes, evenly by order of magnitude.
        let nanoseconds = Int64(1) << Int64.random(in: 11...36, using: &generator)
        let duration = nanoseconds + Int64.random(in: 0..<nanoseconds, using: &generator)
        registry.shards[Int.random(in: 0..<2, using: &generator)].exchangeCompleted(
            route: table.series(ofRoute: route),
            ExchangeObservation(
                method: RequestMethodLabel.allCases.randomElement(using: &generator) ?? .get,
                requestProtocol: Bool.random(using: &generator) ? .http : .grpc,
                status: status,
                errorType: status == 0 ? .noResponse : .none,
                durationNanoseconds: status == 0 ? nil : duration,
                serverWaitNanoseconds: status == 0 ? nil : duration / 2,
                requestBodyBytes: Int.random(in: 0..<10_000, using: &generator),
                responseBodyBytes: Int.random(in: 0..<10_000_000, using: &generator),
                grpcStatus: status == 200 ? Int.random(in: 0...20, using: &generator) : nil,
                upgradedToWebSocket: status == 201,
                startedAt: now,
                trace: TraceContext(
                    traceHigh: generator.next(),
                    traceLow: generator.next(),
                    span: generator.next(),
                    isSampled: Bool.random(using: &generator)
                )
            )
        )
        requestCount += 1
        if status != 0 {
            observed.append(
                Observed(
                    route: LabelValue.clean(Self.names[route]),
                    codeClass: ResponseCodeClass(status: status).text,
                    seconds: Double(duration) / 1e9
                )
            )
            mirrored.observe(UInt64(duration), of: ["staging", "shop", "vs", Self.names[route]])
        }
    }

    private struct Infos: MetricCollector {
        func collect(into samples: inout SampleCollection) {
            samples.info(MetricCatalogue.buildInfo, ["1.0", "abc", "6.3", "1.10", "x86_64"])
            samples.count(MetricCatalogue.processCPU, [], seconds: 0.25)
            samples.set(MetricCatalogue.memoryLimit, [], 67_108_864)
        }
    }
}
