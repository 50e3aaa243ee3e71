// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import TrafficMetrics

@Suite struct SeriesOverflowTests {
    static let requests = "wingmirror_http_requests_total"

    @Test(arguments: [1, 2, 5, 17, 40, 200, 1000])
    func `beyond the limit only the name of the route is lost`(_ limit: Int) throws {
        let free = try Self.exercised(try Scenario(routes: 20))
        let limited = try Self.exercised(try Scenario(routes: 20, seriesLimit: limit))
        for name in [
            Self.requests, "wingmirror_http_request_duration_seconds", "wingmirror_http_request_body_size_bytes",
            "wingmirror_http_response_body_size_bytes", "wingmirror_http_server_wait_seconds",
            "wingmirror_grpc_responses_total", "wingmirror_websocket_upgrades_total",
        ] {
            #expect(Self.withoutRoutes(free, name) == Self.withoutRoutes(limited, name))
            #expect(Self.labelSets(limited, name) <= limit)
            #expect(limited.sum("wingmirror_metric_series", where: ["family": name]) <= Double(limit))
            #expect(limited.sum("wingmirror_metric_series_limit", where: ["family": name]) == Double(limit))
            #expect(free.sum("wingmirror_metric_series_overflow_total", where: ["family": name]) == 0)
        }
        // Every fold is counted, and nothing else.
        #expect(
            limited.sum("wingmirror_metric_series_overflow_total", where: ["family": Self.requests])
                == limited.sum(Self.requests, where: ["route": "__overflow__"])
        )
    }

    @Test func `the count of series is the number of label sets`() throws {
        let page = try Self.exercised(try Scenario(routes: 20))
        for name in [Self.requests, "wingmirror_http_request_duration_seconds", "wingmirror_grpc_responses_total"] {
            #expect(
                page.sum("wingmirror_metric_series", where: ["family": name]) == Double(Self.labelSets(page, name))
            )
        }
    }

    @Test func `traffic on one route does not take the share of another`() throws {
        let scenario = try Scenario(routes: 4, seriesLimit: 40)
        for status in 100..<500 { scenario.exchange(0, status: status) }
        for status in 200..<210 { scenario.exchange(3, status: status) }
        let byRoute = try scenario.requestsByRoute()
        #expect(byRoute["route-0003"] == 10)
        #expect(byRoute["route-0000"] == 10)
        #expect(byRoute["__overflow__"] == 390)
    }

    @Test func `a combination that one shard may count the others may count too`() throws {
        let scenario = try Scenario(routes: 1, seriesLimit: 2, shardCount: 2)
        scenario.exchange(0, shard: 0, status: 404)
        scenario.exchange(0, shard: 1, status: 500)
        scenario.exchange(0, shard: 1, status: 404)
        #expect(try scenario.requestsByRoute() == ["route-0000": 2, "__overflow__": 1])
    }

    @Test func `a new table remembers which combinations there are`() throws {
        var scenario = try Scenario(routes: 1, seriesLimit: 2)
        scenario.exchange(0, status: 404)
        scenario.publish([0])
        scenario.exchange(0, status: 500)
        scenario.exchange(0, status: 404)
        #expect(try scenario.requestsByRoute() == ["route-0000": 2, "__overflow__": 1])
    }

    @Test func `many shards claim no more than the limit at once`() async {
        let ledger = SeriesLedger(limit: 500, slotCount: 10, admittedCount: 10, typicalCount: 5, largestCount: 10_000)
        let admitted = await withTaskGroup(of: Set<[Int]>.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var generator = SeededGenerator(seed: UInt64(task))
                    var admitted: Set<[Int]> = []
                    for _ in 0..<5000 {
                        let pair = [Int.random(in: 0..<10, using: &generator), .random(in: 0..<400, using: &generator)]
                        if ledger.admits(slot: pair[0], combination: UInt32(pair[1])) { admitted.insert(pair) }
                    }
                    return admitted
                }
            }
            return await group.reduce(into: Set()) { $0.formUnion($1) }
        }
        #expect(admitted.count == 500)
        #expect(admitted.allSatisfy { ledger.admits(slot: $0[0], combination: UInt32($0[1])) })
        #expect((0..<10).allSatisfy { slot in admitted.count { $0[0] == slot } >= 5 })
    }

    /// Counts a seeded mixture of exchanges and gives the page.
    private static func exercised(_ scenario: Scenario) throws -> ExpositionReader {
        var generator = SeededGenerator(seed: 99)
        for _ in 0..<3000 {
            let status = [200, 200, 200, 304, 404, 500, 0].randomElement(using: &generator) ?? 200
            scenario.shard.exchangeCompleted(
                route: scenario.table.series(ofRoute: .random(in: 0..<20, using: &generator)),
                ExchangeObservation(
                    method: [.get, .get, .post, .other].randomElement(using: &generator) ?? .get,
                    status: status,
                    errorType: status == 0 ? .noResponse : .none,
                    durationNanoseconds: status == 0 ? nil : .random(in: 0..<40_000_000_000, using: &generator),
                    serverWaitNanoseconds: status == 0 ? nil : .random(in: 0..<20_000_000, using: &generator),
                    requestBodyBytes: .random(in: 0..<100_000, using: &generator),
                    responseBodyBytes: .random(in: 0..<10_000_000, using: &generator),
                    grpcStatus: Bool.random(using: &generator) ? .random(in: 0..<20, using: &generator) : nil,
                    upgradedToWebSocket: Int.random(in: 0..<50, using: &generator) == 0,
                    startedAt: 0
                )
            )
        }
        return try scenario.scrape(.openMetrics)
    }

    /// The values of a family with the labels of routes taken off; without zeros, which exist for some routes only.
    private static func withoutRoutes(_ page: ExpositionReader, _ name: String) -> [ExpositionReader.Key: Double] {
        let family = name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
        var sums: [ExpositionReader.Key: Double] = [:]
        for (key, value) in page.samples[family] ?? [:] where value != 0 {
            let labels = key.labels.filter { !MetricCatalogue.routeLabels.contains($0.key) }
            // Sums are made of whole nanoseconds; adding them as seconds may be off in the last digit.
            let scaled = key.name.hasSuffix("_seconds_sum") ? (value * 1e9).rounded() : value
            sums[ExpositionReader.Key(name: key.name, labels: labels), default: 0] += scaled
        }
        return sums
    }

    /// The label sets of a family that name a route.
    private static func labelSets(_ page: ExpositionReader, _ name: String) -> Int {
        let family = name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
        let sets = (page.samples[family] ?? [:]).keys.map { $0.labels.filter { $0.key != "le" } }
        return Set(sets.filter { $0["route"] != "__overflow__" }).count
    }
}
