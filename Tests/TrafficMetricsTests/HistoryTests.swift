// Wingmirror · Apache-2.0

import Testing

@testable import TrafficMetrics

@Suite struct HistoryTests {
    private static let second: Int64 = 1_000_000_000

    /// A registry, the history of what it counts, and a clock.
    private struct Watch {
        var scenario: Scenario
        var history: TrafficHistory
        var now: Int64 = 1_000 * HistoryTests.second
        var capture = CaptureReading()

        init(routes: Int, seriesLimit: Int = 20_000, limits: HistoryLimits = HistoryLimits()) throws {
            scenario = try Scenario(routes: routes, seriesLimit: seriesLimit)
            history = TrafficHistory(of: scenario.registry, limits: limits)
            sample(after: 0)
        }

        mutating func sample(after seconds: Int64 = 1) {
            now += seconds * HistoryTests.second
            history.sampled(scenario.registry, capture: capture, at: now)
        }

        /// Lets seconds pass in each of which `body` does something.
        mutating func pass(seconds: Int, _ body: (Scenario) -> Void = { _ in }) {
            for _ in 0..<seconds {
                body(scenario)
                sample()
            }
        }

        func route(_ number: Int, over window: Duration = .seconds(60)) -> RouteActivity? {
            history.routes(over: window).first { $0.labels == Scenario.labels(number) }
        }
    }

    // MARK: - Rates and shares

    @Test func `what was counted before the first sample belongs to no window`() throws {
        var watch = try Watch(routes: 1)
        watch.history = TrafficHistory(of: watch.scenario.registry)
        for _ in 0..<100 { watch.scenario.exchange(0) }
        watch.sample()
        watch.sample()
        let row = try #require(watch.route(0))
        #expect(row.activity.requests == 0)
        #expect(row.totalRequests == 100)
    }

    @Test func `what was counted before the first sample is told when it is known since when`() throws {
        var watch = try Watch(routes: 1)
        watch.history = TrafficHistory(of: watch.scenario.registry)
        watch.history.countingBegan(at: watch.now)
        for _ in 0..<100 { watch.scenario.exchange(0) }
        watch.sample(after: 2)
        let row = try #require(watch.route(0))
        #expect(row.activity.requests == 100)
        #expect(row.activity.requestsPerSecond == 50)
    }

    @Test func `a row tells rate, errors, classes and quantiles of the window alone`() throws {
        var watch = try Watch(routes: 2)
        watch.pass(seconds: 60) { $0.exchange(0, status: 503, milliseconds: 900) }
        watch.pass(seconds: 60) { scenario in
            for _ in 0..<3 { scenario.exchange(0, milliseconds: 20) }
            scenario.exchange(0, status: 404, milliseconds: 200)
        }
        let activity = try #require(watch.route(0)).activity
        #expect(activity.seconds == 60)
        #expect(activity.requests == 240)
        #expect(activity.requestsPerSecond == 4)
        #expect(activity.errorShare == 0)
        #expect(activity.requests(.success) == 180)
        #expect(activity.requests(.clientError) == 60)
        let median = try #require(activity.latency.quantile(0.5))
        #expect(abs(median - 0.020) < 0.002)
        let high = try #require(activity.latency.quantile(0.95))
        #expect(abs(high - 0.200) < 0.02)

        let both = try #require(watch.route(0, over: .seconds(120))).activity
        #expect(both.requests == 300)
        #expect(both.failures == 60)
        #expect(both.errorShare == 0.2)
    }

    @Test func `routes without requests take no room and are not listed`() throws {
        var watch = try Watch(routes: 1000)
        watch.pass(seconds: 10) { $0.exchange(7) }
        #expect(watch.history.routes(over: .seconds(60)).map(\.labels) == [Scenario.labels(7)])
        #expect(watch.history.size < 2_000)
    }

    @Test func `a window without requests keeps the totals and the latest request`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 1) { $0.exchange(0) }
        watch.pass(seconds: 100)
        let row = try #require(watch.route(0, over: .seconds(30)))
        #expect(row.activity.requests == 0)
        #expect(row.activity.requestsPerSecond == 0)
        #expect(row.activity.errorShare == nil)
        #expect(row.activity.latency.quantile(0.5) == nil)
        #expect(row.totalRequests == 1)
        #expect(row.lastRequestAt != nil)
    }

    @Test func `the first sample of a history without slots gives no rate rather than zero`() throws {
        let watch = try Watch(routes: 1)
        #expect(watch.history.totals(over: .seconds(60)).requestsPerSecond == nil)
        #expect(watch.history.reach == nil)
    }

    @Test func `totals hold matched and unmatched requests and what was captured`() throws {
        var watch = try Watch(routes: 2)
        watch.pass(seconds: 10) { scenario in
            scenario.exchange(0)
            scenario.exchange(1, status: 500)
            scenario.shard.requestUnmatched(
                gateway: scenario.table.series(ofGateway: 0),
                reason: .noHost,
                status: 404
            )
        }
        watch.capture = CaptureReading(packets: 90, lostPackets: 10, connections: 4, opaqueConnections: 1)
        watch.pass(seconds: 10)
        let totals = watch.history.totals(over: .seconds(20))
        #expect(totals.routes.requests == 20)
        #expect(totals.routes.failures == 10)
        #expect(totals.unmatched == [.noHost: 10])
        #expect(totals.requests == 30)
        #expect(totals.requestsPerSecond == 1.5)
        #expect(totals.packetsPerSecond == 4.5)
        #expect(totals.capture.lostShare == 0.1)
        #expect(totals.capture.opaqueShare == 0.25)
    }

    @Test func `how requests without a route were answered is known of the window alone`() throws {
        var watch = try Watch(routes: 1)
        func unmatched(_ scenario: Scenario, _ reason: UnmatchedReason, _ status: Int) {
            let gateway = scenario.table.series(ofGateway: 0)
            scenario.shard.requestUnmatched(gateway: gateway, reason: reason, status: status)
        }
        watch.pass(seconds: 60) { unmatched($0, .noMatch, 503) }
        watch.capture.answersAlone = 4
        watch.pass(seconds: 10) { scenario in
            scenario.exchange(0, status: -1)
            unmatched(scenario, .noMatch, 503)
            unmatched(scenario, .noHost, 200)
            unmatched(scenario, .noMatch, -1)
            // A request whose rule depends on what is not on the wire has a route, and what passes by does not arrive.
            unmatched(scenario, .conditional, 200)
            unmatched(scenario, .noListener, 503)
            unmatched(scenario, .noListener, -1)
        }
        let totals = watch.history.totals(over: .seconds(10))
        #expect(totals.unmatchedAnswers == UnmatchedAnswers(failures: 10, unseen: 10, served: 10))
        #expect(totals.unseen == 20)
        #expect(totals.capture.answersAlone == 4)
        #expect(watch.history.totals(over: .seconds(70)).unmatchedAnswers.failures == 70)
        #expect(watch.scenario.registry.unmatchedAnswers == UnmatchedAnswers(failures: 70, unseen: 10, served: 10))
    }

    @Test func `answers that were not seen are in no share, and are not missing ones`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 10) { scenario in
            scenario.exchange(0, status: 500)
            scenario.exchange(0, status: 404)
            scenario.exchange(0, status: 0)
            for _ in 0..<7 { scenario.exchange(0, status: -1) }
        }
        let activity = try #require(watch.route(0)).activity
        #expect(activity.requests == 100 && activity.unseen == 70 && activity.knownRequests == 30)
        #expect(activity.errorShare == Double(activity.failures) / 30)
        #expect(activity.share(of: .clientError) == 10.0 / 30)
        #expect(activity.requests(.none) == 10)
        let byAnswer = Dictionary(uniqueKeysWithValues: activity.requestsByAnswer.map { ($0.word, $0.requests) })
        #expect(byAnswer.filter { $0.value > 0 } == ["4xx": 10, "5xx": 10, "none": 10, "unknown": 70])

        var blind = try Watch(routes: 1)
        blind.pass(seconds: 1) { $0.exchange(0, status: -1) }
        #expect(try #require(blind.route(0)).activity.errorShare == nil)
    }

    @Test func `what passes by to a port without a listener has not arrived`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 10) { scenario in
            scenario.exchange(0)
            for reason in [UnmatchedReason.noListener, .noListener, .httpsRedirect, .noMatch] {
                let gateway = scenario.table.series(ofGateway: 0)
                scenario.shard.requestUnmatched(gateway: gateway, reason: reason, status: 0)
            }
        }
        let totals = watch.history.totals(over: .seconds(10))
        #expect(totals.requests == 30)
        #expect(totals.requestsPerSecond == 3)
        #expect(watch.history.trend(TrendShape(steps: 1, step: .seconds(10))) == [3])
        #expect(totals.unmatched == [.noListener: 20, .httpsRedirect: 10, .noMatch: 10])
        #expect(UnmatchedReason.allCases.filter { !$0.isArrival } == [.noListener])
        #expect(UnmatchedReason.allCases.filter { !$0.isMistaken } == [.httpsRedirect, .noListener])
    }

    @Test func `what lost its name to the series limit is a row of its own`() throws {
        var watch = try Watch(routes: 3, seriesLimit: Scenario.limit(routes: 1))
        watch.pass(seconds: 5) { scenario in
            for index in 0..<3 { scenario.exchange(index) }
        }
        let rows = watch.history.routes(over: .seconds(60))
        #expect(rows.count == 2)
        #expect(rows.reduce(0) { $0 + $1.activity.requests } == 15)
        #expect(rows.first { $0.labels == .overflow }?.activity.requests == 10)
    }

    // MARK: - Time

    @Test func `time without samples is a gap, and what was counted in it belongs to no slot`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 10) { $0.exchange(0) }
        for _ in 0..<500 { watch.scenario.exchange(0) }
        watch.sample(after: 60)
        watch.pass(seconds: 10) { $0.exchange(0) }
        let row = try #require(watch.route(0, over: .seconds(80)))
        #expect(row.activity.requests == 20)
        #expect(row.activity.requestsPerSecond == 1)
        #expect(row.totalRequests == 520)
        let points = watch.history.timeline(of: Scenario.labels(0), over: .seconds(80), step: .seconds(20))
        let gaps = zip(points, points.dropFirst()).map { $1.start - $0.end }.filter { $0 > 0 }
        #expect(gaps == [60 * Self.second])
    }

    @Test func `a trend is nil where nobody looked and zero where nothing came`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 10) { $0.exchange(0) }
        watch.sample(after: 30)
        watch.pass(seconds: 10)
        let rows = watch.history.routes(over: .seconds(60), trend: TrendShape(steps: 5, step: .seconds(10)))
        #expect(rows[0].trend == [1, nil, nil, nil, 0])
        #expect(watch.history.trend(TrendShape(steps: 5, step: .seconds(10))) == [1, nil, nil, nil, 0])
    }

    @Test func `with the clock of packets a long step is spread over the time it took`() throws {
        var watch = try Watch(routes: 1, limits: .packetTime)
        for _ in 0..<3600 { watch.scenario.exchange(0) }
        watch.sample(after: 3600)
        let row = try #require(
            watch.history.routes(over: .seconds(60), trend: .init(steps: 4, step: .seconds(600))).first
        )
        #expect(row.activity.seconds == 3600)
        #expect(row.activity.requestsPerSecond == 1)
        #expect(row.trend == [1, 1, 1, 1])
    }

    @Test func `a sample at the time of the one before, or somewhat earlier, is left out`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 5) { $0.exchange(0) }
        let before = watch.history
        watch.scenario.exchange(0)
        watch.sample(after: 0)
        watch.sample(after: -3)
        #expect(watch.history.latestSample == before.latestSample)
        #expect(watch.history.size == before.size)
        watch.sample(after: 4)
        #expect(watch.route(0)?.activity.requests == 6)
    }

    @Test func `a clock set back far begins the history again`() throws {
        var watch = try Watch(routes: 1)
        watch.pass(seconds: 5) { $0.exchange(0) }
        watch.sample(after: -500)
        watch.pass(seconds: 2) { $0.exchange(0) }
        #expect(watch.route(0)?.activity.requests == 2)
        #expect(watch.history.totals(over: .seconds(60)).routes.seconds == 2)
    }

    // MARK: - Timelines

    @Test func `a timeline tells each step apart, those without requests too`() throws {
        var watch = try Watch(routes: 2)
        watch.pass(seconds: 20) { $0.exchange(0, milliseconds: 10) }
        watch.pass(seconds: 20) { $0.exchange(1) }
        watch.pass(seconds: 20) { $0.exchange(0, status: 500, milliseconds: 300) }
        let points = watch.history.timeline(of: Scenario.labels(0), over: .seconds(60), step: .seconds(20))
        #expect(points.map(\.activity.requests) == [20, 0, 20])
        #expect(points.map(\.activity.failures) == [0, 0, 20])
        #expect(points.map { $0.activity.requests(.serverError) } == [0, 0, 20])
        let columns = points.map { $0.activity.latency.buckets(perDoubling: 2) }
        #expect(columns.map(\.count) == [1, 0, 1])
        #expect(columns[0][0].lower < 0.010 && columns[0][0].upper >= 0.010)
        #expect(columns[2][0].lower < 0.300 && columns[2][0].upper >= 0.300)
    }

    @Test func `a route without requests has no timeline`() throws {
        var watch = try Watch(routes: 2)
        watch.pass(seconds: 5) { $0.exchange(0) }
        #expect(watch.history.timeline(of: Scenario.labels(1), over: .seconds(60), step: .seconds(5)).isEmpty)
    }

    // MARK: - Routes that change

    @Test func `a route that vanished stays until no slot names it`() throws {
        var limits = HistoryLimits()
        limits.fineSlots = 2
        limits.coarseSlots = 1
        limits.coarseSlotNanoseconds = 10 * Self.second
        var watch = try Watch(routes: 2, limits: limits)
        watch.pass(seconds: 3) { $0.exchange(1) }
        watch.scenario.publish([0])
        for _ in 0..<4 {
            watch.scenario.pass(minutes: 10)
            _ = watch.scenario.registry.snapshot(at: watch.scenario.now)
        }
        watch.sample()
        #expect(watch.route(1)?.isRemoved == true)
        #expect(watch.route(1)?.activity.requests == 3)
        watch.pass(seconds: 60)
        #expect(watch.route(1) == nil)
    }

    @Test func `a route that comes back after it was forgotten counts from zero`() throws {
        var watch = try Watch(routes: 2)
        watch.pass(seconds: 3) { $0.exchange(1) }
        watch.scenario.publish([0])
        for _ in 0..<4 {
            watch.scenario.pass(minutes: 10)
            _ = watch.scenario.registry.snapshot(at: watch.scenario.now)
        }
        watch.sample()
        watch.scenario.publish([0, 1])
        watch.pass(seconds: 5) { $0.exchange(1) }
        let row = try #require(watch.route(1))
        #expect(!row.isRemoved)
        #expect(row.activity.requests == 8)
        #expect(row.totalRequests == 5)
    }

    // MARK: - Limits

    @Test func `the recent past passes into longer slots without losing a request`() throws {
        var watch = try Watch(routes: 3)
        watch.pass(seconds: 1500) { scenario in
            for index in 0..<3 { scenario.exchange(index, milliseconds: Int64(5 * (index + 1))) }
        }
        #expect(watch.history.fine.count == 120)
        #expect(watch.history.coarse.count < 20)
        for index in 0..<3 {
            let activity = try #require(watch.route(index, over: .seconds(3600))).activity
            #expect(activity.requests == 1500)
            #expect(activity.seconds == 1500)
            #expect(activity.latency.count == 1500)
        }
        #expect(watch.history.totals(over: .seconds(3600)).routes.requests == 4500)
    }

    @Test func `the oldest slots go when all hold too much, and the history says how far it reaches`() throws {
        var limits = HistoryLimits()
        limits.octets = 20_000
        var watch = try Watch(routes: 100, limits: limits)
        watch.pass(seconds: 600) { scenario in
            for index in 0..<100 { scenario.exchange(index, milliseconds: Int64(index)) }
        }
        #expect(watch.history.size <= limits.octets)
        let reach = try #require(watch.history.reach)
        #expect(reach > 1_000 * Self.second)
        #expect(watch.route(5, over: .seconds(5))?.activity.requestsPerSecond == 1)
    }

    @Test func `no more routes are followed than the limit allows`() throws {
        var limits = HistoryLimits()
        limits.routes = 4
        var watch = try Watch(routes: 6, limits: limits)
        watch.pass(seconds: 5) { scenario in
            for index in 0..<6 { scenario.exchange(index) }
        }
        #expect(watch.history.routes(over: .seconds(60)).count == 4)
        #expect(watch.history.leftOutRoutes == 2)
        #expect(watch.history.totals(over: .seconds(60)).routes.requests == 20)
    }
}
