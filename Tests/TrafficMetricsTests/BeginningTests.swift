// Wingmirror · Apache-2.0
// OpenMetrics 1.0, `_created`; start timestamps of protobuf.

import Testing

@testable import TrafficMetrics

/// When series began, as `_created` tells it.
@Suite struct BeginningTests {
    private static let start: Int64 = 1_000 * 1_000_000_000

    /// The lines of an OpenMetrics page that belong to some families, without the names of routes.
    private func lines(_ registry: MetricsRegistry, at now: Int64, of families: MetricFamily...) -> [String] {
        var body: [UInt8] = []
        ExpositionWriter(.openMetrics).write(registry.snapshot(at: now), into: &body)
        return String(decoding: body, as: UTF8.self).split(separator: "\n").compactMap { line in
            let kinds = ["total", "created", "bucket", "sum", "count"]
            let family = families.first { family in
                kinds.contains { line.hasPrefix("\(family.baseName)_\($0){") }
            }
            guard let family else { return nil }
            let own = line.dropFirst(family.baseName.count + 1)
            return String(own.replacing(/\{.*destination_subset="[^"]*",?/, with: "{"))
        }
    }

    private func registry(createdSeries: Bool = true, startedAt: Int64? = start) throws -> MetricsRegistry {
        let configuration = try MetricsConfiguration(durationBounds: [1], createdSeries: createdSeries)
        return MetricsRegistry(configuration: configuration, shardCount: 2, startedAt: startedAt)
    }

    private func publish(_ registry: MetricsRegistry, at now: Int64) -> RouteSeries {
        let description = RouteTableDescription(generation: 1, series: [Scenario.labels(0)], gateways: [])
        let table = registry.routesPublished(description, at: now)
        for shard in registry.shards { shard.routesChanged(to: table) }
        return table.series(ofRoute: 0)
    }

    @Test func `each counter is followed by when it began, also when that was later`() throws {
        let registry = try registry()
        let route = publish(registry, at: Self.start + 5_000_000_000)
        func exchange(_ shard: Int, _ status: Int, at offset: Int64) {
            registry.shards[shard].exchangeCompleted(
                route: route,
                ExchangeObservation(
                    method: .get,
                    status: status,
                    errorType: status == 200 ? .none : .gatewayError,
                    startedAt: Self.start + offset
                )
            )
        }
        exchange(0, 200, at: 60_000_000_000)
        exchange(0, 502, at: 90_700_000_000)
        exchange(1, 502, at: 80_900_000_000)
        exchange(1, 502, at: 99_000_000_000)
        exchange(1, 503, at: 99_000_000_000)
        let own = #"request_method="GET",request_protocol="http",response_code="#
        for now in [100, 200] as [Int64] {
            #expect(
                lines(registry, at: Self.start + now, of: MetricCatalogue.httpRequests) == [
                    #"total{\#(own)"0",error_type="no_response"} 0"#,
                    #"created{\#(own)"0",error_type="no_response"} 1005.0"#,
                    #"total{\#(own)"200",error_type=""} 1"#, #"created{\#(own)"200",error_type=""} 1005.0"#,
                    #"total{\#(own)"500",error_type="5xx_service"} 0"#,
                    #"created{\#(own)"500",error_type="5xx_service"} 1005.0"#,
                    #"total{\#(own)"502",error_type="5xx_gateway"} 3"#,
                    #"created{\#(own)"502",error_type="5xx_gateway"} 1080.0"#,
                    #"total{\#(own)"503",error_type="5xx"} 0"#, #"created{\#(own)"503",error_type="5xx"} 1005.0"#,
                    #"total{\#(own)"503",error_type="5xx_gateway"} 1"#,
                    #"created{\#(own)"503",error_type="5xx_gateway"} 1005.0"#,
                    #"total{\#(own)"504",error_type="5xx_gateway"} 0"#,
                    #"created{\#(own)"504",error_type="5xx_gateway"} 1005.0"#,
                ]
            )
        }
    }

    @Test func `a histogram is followed by when its first exchange began`() throws {
        let registry = try registry()
        let route = publish(registry, at: Self.start)
        for (shard, seconds) in [(0, 30), (1, 20), (0, 40)] as [(Int, Int64)] {
            registry.shards[shard].exchangeCompleted(
                route: route,
                ExchangeObservation(
                    method: .get,
                    status: 200,
                    durationNanoseconds: 500_000_000,
                    startedAt: Self.start + seconds * 1_000_000_000 + 250_000_000
                )
            )
        }
        let own = #"response_code_class="2xx""#
        #expect(
            lines(registry, at: Self.start, of: MetricCatalogue.httpRequestDuration) == [
                #"bucket{\#(own),le="1.0"} 3"#, #"bucket{\#(own),le="+Inf"} 3"#, #"sum{\#(own)} 1.5"#,
                #"count{\#(own)} 3"#, #"created{\#(own)} 1020.25"#,
            ]
        )
    }

    @Test func `calls of gRPC and upgrades begin with their first`() throws {
        let registry = try registry()
        let route = publish(registry, at: Self.start)
        for (seconds, status) in [(1, 0), (2, 14), (3, 0)] as [(Int64, Int)] {
            registry.shards[0].exchangeCompleted(
                route: route,
                ExchangeObservation(
                    method: .post,
                    status: 200,
                    grpcStatus: status,
                    upgradedToWebSocket: status == 14,
                    startedAt: Self.start + seconds * 1_000_000_000
                )
            )
        }
        let own = "grpc_response_status="
        #expect(
            lines(registry, at: Self.start, of: MetricCatalogue.grpcResponses, MetricCatalogue.websocketUpgrades) == [
                #"total{\#(own)"0"} 2"#, #"created{\#(own)"0"} 1001.0"#, #"total{\#(own)"14"} 1"#,
                #"created{\#(own)"14"} 1002.0"#, "total{} 1", "created{} 1002.0",
            ]
        )
    }

    @Test func `what a collector supplies later began after the scrape before`() throws {
        let registry = try registry()
        let collector = Growing()
        registry.add(collector)
        let family = MetricCatalogue.captureBytes
        #expect(
            lines(registry, at: Self.start + 15_500_000_000, of: family) == [
                #"total{interface="eth0"} 7"#, #"created{interface="eth0"} 1000.0"#,
            ]
        )
        registry.add(Growing("eth1"))
        for now in [30, 45] as [Int64] {
            #expect(
                lines(registry, at: Self.start + now * 1_000_000_000, of: family) == [
                    #"total{interface="eth0"} 7"#, #"created{interface="eth0"} 1000.0"#,
                    #"total{interface="eth1"} 7"#, #"created{interface="eth1"} 1015.5"#,
                ]
            )
        }
    }

    @Test func `what a collector counts anew began after the scrape before`() throws {
        let registry = try registry()
        let cells = CounterCells(MetricCatalogue.captureBytes, labelValues: [["eth0"]])
        registry.add(cells)
        for (now, total, began) in [(10, 5, 1000), (20, 7, 1000), (30, 3, 1020), (40, 4, 1020)]
            as [(Int64, UInt64, Int)]
        {
            cells.publish(total, at: 0)
            #expect(
                lines(registry, at: Self.start + now * 1_000_000_000, of: MetricCatalogue.captureBytes) == [
                    #"total{interface="eth0"} \#(total)"#, #"created{interface="eth0"} \#(began).0"#,
                ]
            )
        }
    }

    @Test func `where the agent's start is not known nothing is made up`() throws {
        let registry = try registry(startedAt: nil)
        registry.add(Growing())
        for now in [0, 1] as [Int64] {
            let found = lines(registry, at: Self.start + now, of: MetricCatalogue.captureBytes)
            #expect(found == [#"total{interface="eth0"} 7"#])
        }
    }

    @Test func `created series are only shown to those who want them`() throws {
        let registry = try registry(createdSeries: false)
        _ = publish(registry, at: Self.start)
        registry.add(Growing())
        for format in [ExpositionFormat.text, .openMetrics] {
            var body: [UInt8] = []
            ExpositionWriter(format).write(registry.snapshot(at: Self.start), into: &body)
            #expect(!String(decoding: body, as: UTF8.self).contains("_created"))
        }
    }

    @Test func `series of a route that was gone begin again`() throws {
        let registry = try registry()
        _ = publish(registry, at: Self.start)
        _ = registry.routesPublished(RouteTableDescription(generation: 2, series: [], gateways: []), at: Self.start)
        let later = Self.start + 16 * Scenario.minute
        for _ in 0..<4 { _ = registry.snapshot(at: later) }
        _ = publish(registry, at: later)
        let found = lines(registry, at: later, of: MetricCatalogue.httpRequests)
        #expect(found.last?.hasSuffix("1960.0") == true)
    }

    /// A counter of one interface.
    private struct Growing: MetricCollector {
        private let interface: String

        init(_ interface: String = "eth0") {
            self.interface = interface
        }

        func collect(into samples: inout SampleCollection) {
            samples.count(MetricCatalogue.captureBytes, [interface], 7)
        }
    }
}
