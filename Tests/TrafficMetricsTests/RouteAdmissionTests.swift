// Wingmirror · Apache-2.0

import Testing

@testable import TrafficMetrics

@Suite struct RouteAdmissionTests {
    static let lastRequest = "wingmirror_route_last_request_timestamp_seconds"

    @Test func `a route that is in both tables keeps its counters`() throws {
        var scenario = try Scenario(routes: 3)
        scenario.exchange(2)
        scenario.publish([2, 7])
        scenario.exchange(0)
        #expect(try scenario.requestsByRoute()["route-0002"] == 2)
    }

    @Test func `an exchange that began under an old table is counted for its own route`() throws {
        var scenario = try Scenario(routes: 3)
        let old = scenario.table.series(ofRoute: 1)
        scenario.publish([5, 6, 1])
        scenario.shard.exchangeCompleted(route: old, ExchangeObservation(method: .get, status: 200, startedAt: 0))
        #expect(
            try scenario.requestsByRoute() == [
                "route-0000": 0, "route-0001": 1, "route-0002": 0, "route-0005": 0, "route-0006": 0,
            ]
        )
    }

    @Test func `a removed route keeps its series for fifteen minutes and three scrapes, then they go at once`() throws {
        var scenario = try Scenario(routes: 2)
        scenario.exchange(1)
        scenario.publish([0])
        for minutes in [0, 7, 7] as [Int64] {
            scenario.pass(minutes: minutes)
            #expect(try scenario.requestsByRoute()["route-0001"] == 1)
        }
        scenario.pass(minutes: 1)
        let page = try scenario.scrape()
        #expect(!page.samples.values.joined().contains { $0.key.labels["route"] == "route-0001" })
    }

    @Test func `time alone does not remove series that few scrapes have seen`() throws {
        var scenario = try Scenario(routes: 1)
        scenario.publish([])
        scenario.pass(minutes: 100)
        #expect(try scenario.requestsByRoute().count == 1)
        #expect(try scenario.requestsByRoute().count == 1)
        #expect(try scenario.requestsByRoute().isEmpty)
    }

    @Test func `a live but quiet route is never removed`() throws {
        var scenario = try Scenario(routes: 1)
        scenario.exchange(0)
        for _ in 0..<50 {
            scenario.pass(minutes: 60)
            #expect(try scenario.requestsByRoute() == ["route-0000": 1])
        }
    }

    @Test func `a route that comes back within the grace goes on, after it begins again`() throws {
        var scenario = try Scenario(routes: 1)
        scenario.exchange(0)
        scenario.publish([])
        scenario.pass(minutes: 14)
        scenario.publish([0])
        scenario.exchange(0)
        #expect(try scenario.requestsByRoute() == ["route-0000": 2])
        scenario.publish([])
        for _ in 0..<3 {
            scenario.pass(minutes: 14)
            _ = try scenario.scrape()
        }
        scenario.publish([0])
        #expect(try scenario.requestsByRoute() == ["route-0000": 0])
    }

    @Test func `an exchange of a route whose series are gone is counted, but under no other route`() throws {
        var scenario = try Scenario(routes: 1)
        let old = scenario.table.series(ofRoute: 0)
        scenario.publish([])
        for _ in 0..<3 {
            scenario.pass(minutes: 15)
            _ = try scenario.scrape()
        }
        let late = ExchangeObservation(method: .get, status: 200, startedAt: 0)
        scenario.shard.exchangeCompleted(route: old, late)
        #expect(try scenario.requestsByRoute() == ["__overflow__": 1])
        // The new route takes the slot of the old one.
        scenario.publish([1])
        scenario.shard.exchangeCompleted(route: old, late)
        #expect(try scenario.requestsByRoute() == ["__overflow__": 2, "route-0001": 0])
    }

    @Test func `which routes are admitted does not depend on the order of the table or of the traffic`() throws {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            var scenario = try Scenario(routes: 0, seriesLimit: Scenario.limit(routes: 2))
            scenario.publish(order)
            for index in [3, 0, 2, 1] { scenario.exchange(index) }
            #expect(try scenario.requestsByRoute() == ["route-0000": 1, "route-0001": 1, "__overflow__": 2])
        }
    }

    @Test func `a folded route that is busier takes the place of an idle one after its grace`() throws {
        var scenario = try Scenario(routes: 3, seriesLimit: Scenario.limit(routes: 2))
        scenario.exchange(0)
        for _ in 0..<10 { scenario.exchange(2) }
        #expect(scenario.registry.admissionReconsidered(at: scenario.now) != nil)
        // The idle route gives its place up, and keeps its series for now; nothing is decided twice.
        #expect(try scenario.requestsByRoute() == ["route-0000": 1, "route-0001": 0, "__overflow__": 10])
        #expect(scenario.registry.admissionReconsidered(at: scenario.now) == nil)
        for _ in 0..<3 {
            scenario.pass(minutes: 10)
            for _ in 0..<10 { scenario.exchange(2) }
            _ = try scenario.scrape()
        }
        scenario.take(try #require(scenario.registry.admissionReconsidered(at: scenario.now)))
        scenario.exchange(2)
        #expect(try scenario.requestsByRoute() == ["route-0000": 1, "route-0002": 1, "__overflow__": 40])
    }

    @Test func `a folded route that is hardly busier takes no place`() throws {
        let scenario = try Scenario(routes: 3, seriesLimit: Scenario.limit(routes: 2))
        for (index, count) in [5, 6, 10].enumerated() {
            for _ in 0..<count { scenario.exchange(index) }
        }
        #expect(scenario.registry.admissionReconsidered(at: scenario.now) == nil)
    }

    @Test func `a route that gave up its place and was removed meanwhile frees it`() throws {
        var scenario = try Scenario(routes: 2, seriesLimit: Scenario.limit(routes: 1))
        for _ in 0..<10 { scenario.exchange(1) }
        #expect(scenario.registry.admissionReconsidered(at: scenario.now) != nil)
        scenario.publish([1])
        for _ in 0..<3 {
            scenario.pass(minutes: 10)
            _ = try scenario.scrape()
        }
        scenario.take(try #require(scenario.registry.admissionReconsidered(at: scenario.now)))
        scenario.exchange(0)
        #expect(try scenario.requestsByRoute() == ["route-0001": 1, "__overflow__": 10])
    }

    @Test func `gateways come and go as routes do`() throws {
        let registry = MetricsRegistry()
        let opened = "wingmirror_connections_opened_total"
        func publish(_ gateways: [String], minute: Int64) -> RouteSeriesTable {
            let description = RouteTableDescription(generation: 1, series: [], gateways: gateways)
            let table = registry.routesPublished(description, at: minute * Scenario.minute)
            registry.shards[0].routesChanged(to: table)
            return table
        }
        func gateways(minute: Int64) throws -> [String: Double] {
            var body: [UInt8] = []
            ExpositionWriter(.text).write(registry.snapshot(at: minute * Scenario.minute), into: &body)
            let family = try #require(try ExpositionReader(body, .text).samples[opened])
            return Dictionary(family.map { ($0.key.labels["gateway"] ?? "?", $0.value) }, uniquingKeysWith: +)
        }
        let old = publish(["a/one"], minute: 0).series(ofGateway: 0)
        registry.shards[0].connectionOpened(gateway: old, .http1)
        _ = publish(["b/two"], minute: 1)
        registry.shards[0].connectionOpened(gateway: old, .http1)
        for minute in [2, 3, 15] as [Int64] {
            #expect(try gateways(minute: minute) == ["a/one": 2, "b/two": 0])
        }
        #expect(try gateways(minute: 16) == ["b/two": 0])
        let new = publish(["c/three", "b/two"], minute: 17)
        registry.shards[0].requestEnded(gateway: old)
        #expect(
            registry.snapshot(at: 0)[MetricCatalogue.httpRequestsInFlight]?.series.allSatisfy {
                guard case .number(let count) = $0.value else { return false }
                return count >= 0
            } == true
        )
        registry.shards[0].connectionOpened(gateway: old, .http1)
        registry.shards[0].connectionOpened(gateway: new.series(ofGateway: 0), .http2)
        #expect(try gateways(minute: 18) == ["b/two": 0, "c/three": 1, "__overflow__": 1])
    }

    @Test func `gateways beyond the limit are counted together`() throws {
        let registry = MetricsRegistry(
            configuration: try MetricsConfiguration(seriesLimit: 2 * GatewayCells.seriesPerGateway)
        )
        let description = RouteTableDescription(generation: 1, series: [], gateways: ["c", "b", "a"])
        let table = registry.routesPublished(description, at: 0)
        registry.shards[0].routesChanged(to: table)
        for index in 0..<3 {
            registry.shards[0].requestUnmatched(
                gateway: table.series(ofGateway: index),
                reason: .noHost,
                status: 404
            )
        }
        #expect(registry.unmatchedSummaries().map(\.gateway) == ["a", "b", "__overflow__"])
    }

    @Test func `routes as configured are shown, with when they were last used`() throws {
        let registry = MetricsRegistry(configuration: try MetricsConfiguration(seriesLimit: Scenario.limit(routes: 1)))
        let route = { (number: Int) in
            RouteTableDescription.Route(
                virtualServiceNamespace: "shop",
                virtualService: "products",
                route: Scenario.name(number),
                match: "prefix /a",
                hosts: "shop.example.com",
                destinations: [
                    .init(service: "products", subset: "v1", share: 0.9),
                    .init(service: "products", subset: "v2", share: 0.1),
                ]
            )
        }
        let table = registry.routesPublished(
            RouteTableDescription(
                generation: 12,
                series: [Scenario.labels(1), Scenario.labels(0)],
                gateways: [],
                routes: [route(1)],
                rejectedObjects: [.init(kind: "VirtualService", reason: "invalid_regex", count: 2)],
                buildSeconds: 0.25
            ),
            at: 0
        )
        registry.shards[0].routesChanged(to: table)
        // Route 1 is beyond the limit, and is used all the same.
        registry.shards[0].exchangeCompleted(
            route: table.series(ofRoute: 0),
            ExchangeObservation(method: .get, status: 200, startedAt: 1_500_000_000)
        )
        var body: [UInt8] = []
        ExpositionWriter(.text).write(registry.snapshot(at: 0), into: &body)
        let page = try ExpositionReader(body, .text)
        #expect(page.sum("wingmirror_route_info", where: ["match": "prefix /a"]) == 1)
        #expect(page.sum(Self.lastRequest, where: ["route": "route-0001"]) == 1.5)
        #expect(page.sum("wingmirror_route_destination_weight_ratio", where: ["destination_subset": "v1"]) == 0.9)
        #expect(page.sum("wingmirror_route_table_routes") == 1)
        #expect(page.sum("wingmirror_route_table_build_duration_seconds") == 0.25)
        #expect(page.sum("wingmirror_route_table_rejected_objects", where: ["reason": "invalid_regex"]) == 2)
    }
}
