// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import TrafficMetrics

@Suite(.timeLimit(.minutes(20)))
struct SeriesOverflowTests {
    static let requests = "wingmirror_http_requests_total"

    @Test(arguments: [1, 13, 30, 130, 200, 260, 400, 1000])
    func `beyond the limit only names are lost, the method first and the route last`(_ limit: Int) throws {
        let free = try Self.exercised(try Scenario(routes: 20))
        let limited = try Self.exercised(try Scenario(routes: 20, seriesLimit: limit))
        for name in [
            Self.requests, "wingmirror_http_request_duration_seconds", "wingmirror_http_request_body_size_bytes",
            "wingmirror_http_response_body_size_bytes", "wingmirror_http_server_wait_seconds",
            "wingmirror_grpc_responses_total", "wingmirror_websocket_upgrades_total",
        ] {
            #expect(Self.outcomes(free, name) == Self.outcomes(limited, name))
            #expect(Self.labelSets(limited, name) <= limit)
            #expect(limited.sum("wingmirror_metric_series", where: ["family": name]) <= Double(limit))
            #expect(limited.sum("wingmirror_metric_series_limit", where: ["family": name]) == Double(limit))
            #expect(free.sum("wingmirror_metric_series_overflow_total", where: ["family": name]) == 0)
        }
        // Every fold is counted, and nothing else.
        for (lost, label) in [("route", "route"), ("code", "request_protocol")] {
            let folded = limited.sum(Self.requests, where: [label: "__overflow__"])
            let counted = limited.sum(
                "wingmirror_metric_series_overflow_total",
                where: ["family": Self.requests, "lost": lost]
            )
            #expect(counted == folded)
        }
    }

    @Test(arguments: [1, 30, 400, 10_000])
    func `all requests are in the sum over routes, whatever name they are counted under`(_ limit: Int) throws {
        let scenario = try Scenario(routes: 20, seriesLimit: limit)
        for route in 0..<20 {
            for status in [200, 404, 503] { scenario.exchange(route, status: status) }
        }
        #expect(scenario.registry.routedRequestCount == 60)
        #expect(scenario.registry.routeSummaries().reduce(0) { $0 + $1.requestCount } == 60)
    }

    /// F2: what occurs first are successes, so what came too late for a series of its own used to be the errors.
    @Test(arguments: [(100, 200), (100, 2_000), (10_000, 20_000)])
    func `at the limit the share of errors of every named route is the truth`(_ routes: Int, _ limit: Int) throws {
        let scenario = try Scenario(routes: routes, seriesLimit: limit)
        let statuses = [200, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 500, 502, 503, 504]
        for status in statuses {
            for route in 0..<routes {
                scenario.exchange(
                    route,
                    status: status,
                    errorType: status >= 500 ? ErrorTypeLabel.serverError : ErrorTypeLabel.none
                )
            }
        }
        let family = try #require(try scenario.scrape().samples[Self.requests])
        var counts: [String: (all: Double, errors: Double)] = [:]
        for (key, count) in family {
            let route = key.labels["route"] ?? ""
            counts[route, default: (0, 0)].all += count
            if key.labels["error_type"]?.hasPrefix("5xx") == true { counts[route, default: (0, 0)].errors += count }
        }
        let named = min(routes, limit / RequestCombination.outcomeCount)
        #expect(counts.count == (named < routes ? named + 1 : named))
        for (_, count) in counts {
            #expect(count.errors * 15 == count.all * 4)
        }
        #expect(counts.values.reduce(0) { $0 + $1.all } == Double(routes * statuses.count))
    }

    @Test func `the method is given up before the code, and the code before the route`() throws {
        let scenario = try Scenario(routes: 1, seriesLimit: 26)
        for method in [RequestMethodLabel.get, .post, .put, .delete, .patch, .head, .options] {
            for status in [200, 204, 301, 404, 409] { scenario.exchange(0, method: method, status: status) }
        }
        let family = try #require(try scenario.scrape().samples[Self.requests])
        let lost = { (label: String) in
            family.filter { $0.key.labels[label] == "__overflow__" }.reduce(0) { $0 + $1.value }
        }
        #expect(lost("route") == 0)
        #expect(lost("request_method") > lost("request_protocol"))
        #expect(lost("request_protocol") > 0)
        #expect(family.count <= 26)
        #expect(family.reduce(0) { $0 + $1.value } == 35)
    }

    @Test func `the count of series is the number of label sets`() throws {
        let page = try Self.exercised(try Scenario(routes: 20))
        for name in [Self.requests, "wingmirror_http_request_duration_seconds", "wingmirror_grpc_responses_total"] {
            #expect(
                page.sum("wingmirror_metric_series", where: ["family": name]) == Double(Self.labelSets(page, name))
            )
        }
    }

    @Test func `traffic on one route does not take the detail of another`() throws {
        let scenario = try Scenario(routes: 4, seriesLimit: 120)
        for status in 100..<500 { scenario.exchange(0, status: status) }
        for status in 200..<207 { scenario.exchange(3, status: status) }
        #expect(
            try scenario.requestsByRoute() == ["route-0000": 400, "route-0001": 0, "route-0002": 0, "route-0003": 7]
        )
        let family = try #require(try scenario.scrape().samples[Self.requests])
        #expect(family.keys.contains { $0.labels["route"] == "route-0003" && $0.labels["response_code"] == "206" })
    }

    @Test func `a combination that one shard may count the others may count too`() throws {
        let scenario = try Scenario(routes: 1, seriesLimit: 40, shardCount: 2)
        for status in 400..<440 { scenario.exchange(0, shard: 0, status: status) }
        for status in 400..<440 { scenario.exchange(0, shard: 1, status: status) }
        let family = try #require(try scenario.scrape().samples[Self.requests])
        #expect(family.filter { $0.key.labels["request_protocol"] == "http" }.allSatisfy { [0, 2].contains($0.value) })
        #expect(family.reduce(0) { $0 + $1.value } == 80)
    }

    @Test func `a new table remembers which combinations there are`() throws {
        var scenario = try Scenario(routes: 1, seriesLimit: 40)
        for status in 400..<440 { scenario.exchange(0, status: status) }
        let before = try #require(try scenario.scrape().samples[Self.requests])
        scenario.publish([0])
        for status in (400..<440).reversed() { scenario.exchange(0, status: status) }
        let after = try #require(try scenario.scrape().samples[Self.requests])
        #expect(after.count == before.count)
        #expect(before.allSatisfy { after[$0.key] == 2 * $0.value })
    }

    /// F6: an increase needs a zero before it.
    @Test func `every method that a route is used with begins with series of the commonest failures`() throws {
        let scenario = try Scenario(routes: 1)
        let watched = { (method: String) in
            try #require(try scenario.scrape().samples[Self.requests])
                .filter { $0.key.labels["request_method"] == method && $0.value == 0 }.keys
                .map { "\($0.labels["response_code"] ?? "") \($0.labels["error_type"] ?? "")" }.sorted()
        }
        let failures = ["0 no_response", "500 5xx_service", "503 5xx", "503 5xx_gateway", "504 5xx_gateway"]
        #expect(try watched("GET") == (failures + ["200 "]).sorted())
        #expect(try watched("POST") == [])
        scenario.exchange(0, method: .post, status: 201)
        #expect(try watched("POST") == failures)
        scenario.exchange(0, method: .post, status: 503, errorType: .gatewayError)
        #expect(try watched("POST") == ["0 no_response", "500 5xx_service", "503 5xx", "504 5xx_gateway"])
    }

    /// F6: a gateway that has not answered for a service yet is not known to name the service's time.
    @Test func `a 503 that nobody can be named for has a zero before it, at the series limit as its class`() throws {
        let sums = { (scenario: Scenario) in
            try #require(try scenario.scrape().samples[Self.requests])
                .filter { $0.key.labels["route"] == "route-0000" && $0.key.labels["error_type"] == "5xx" }
                .map { "\($0.key.labels["response_code"] ?? "") \(Int($0.value))" }
        }
        let wide = try Scenario(routes: 1)
        #expect(try sums(wide) == ["503 0"])
        wide.exchange(0, status: 503, errorType: .serverError)
        #expect(try sums(wide) == ["503 1"])
        let narrow = try Scenario(routes: 10, seriesLimit: 10 * MetricsConfiguration.leastLabelSetsPerRoute)
        #expect(try sums(narrow) == ["5xx 0"])
        narrow.exchange(0, status: 503, errorType: .serverError)
        #expect(try sums(narrow) == ["5xx 1"])
    }

    @Test func `many shards claim no more than the limit at once`() async {
        let ledger = SeriesLedger(
            limit: 520,
            slotCount: 10,
            admittedCount: 10,
            outcomeCount: 2,
            typicalCount: 5,
            largestCount: 10_000
        )
        let admitted = await withTaskGroup(of: Set<[Int]>.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var generator = SeededGenerator(seed: UInt64(task))
                    var admitted: Set<[Int]> = []
                    for _ in 0..<5000 {
                        let pair = [Int.random(in: 0..<10, using: &generator), .random(in: 0..<400, using: &generator)]
                        if ledger.admits(slot: pair[0], combination: UInt32(pair[1]), .coarser) {
                            admitted.insert(pair)
                        }
                    }
                    return admitted
                }
            }
            return await group.reduce(into: Set()) { $0.formUnion($1) }
        }
        #expect(admitted.count == 500)
        #expect(admitted.allSatisfy { ledger.has(slot: $0[0], combination: UInt32($0[1])) })
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
                    errorType: status == 0 ? .noResponse : status == 500 ? .serverError : .none,
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

    /// The values of a family by outcome, with all taken off that a limit may take; without zeros, which exist for some
    /// routes only.
    private static func outcomes(_ page: ExpositionReader, _ name: String) -> [ExpositionReader.Key: Double] {
        let family = name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
        var sums: [ExpositionReader.Key: Double] = [:]
        for (key, value) in page.samples[family] ?? [:] where value != 0 {
            let given = MetricCatalogue.routeLabels + ["request_method", "request_protocol"]
            var labels = key.labels.filter { !given.contains($0.key) }
            if let code = labels["response_code"], code != "0" {
                labels["response_code"] = String(code.prefix(1)) + "xx"
            }
            if let status = labels["grpc_response_status"], status != "0" { labels["grpc_response_status"] = "_OTHER" }
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
