// Wingmirror · Apache-2.0

import OctetText
import Synchronization
import TestSupport
import Testing

@testable import TrafficMetrics

/// Readers spin and writers never pause, so that all of them have threads of their own: spun on, the few threads of tasks would
/// leave none that begins a writer, or on which a time limit ends.
@Suite(.timeLimit(.minutes(20)))
struct ScrapeConcurrencyTests {
    static let requests = "wingmirror_http_requests_total"
    static let duration = "wingmirror_http_request_duration_seconds"

    @Test func `scrapes while writing never fall, are consistent, and end exact`() async throws {
        let scenario = try Scenario(routes: 3, shardCount: 2)
        let exchangeCount = 10_000
        let finished = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for shard in 0..<2 {
                group.addTask {
                    await OwnThread.run {
                        for number in 0..<exchangeCount {
                            scenario.exchange(
                                number % 3,
                                shard: shard,
                                status: [200, 404, 500][number % 7 % 3],
                                milliseconds: Int64(number % 2000)
                            )
                        }
                        finished.increment()
                    }
                }
            }
            group.addTask(executorPreference: OwnThread()) {
                var before: [ExpositionReader.Key: Double] = [:]
                var isLast = false
                repeat {
                    isLast = finished.count == 2
                    let page = try scenario.scrape()
                    let counters = page.samples.values.joined().filter { key, _ in
                        ["_total", "_count", "_sum", "_bucket"].contains { key.name.hasSuffix($0) }
                    }
                    for (key, value) in counters {
                        #expect(value >= before[key, default: 0])
                    }
                    #expect(Set(before.keys).isSubset(of: counters.map(\.key)))
                    before = Dictionary(uniqueKeysWithValues: counters)
                } while !isLast
            }
            try await group.waitForAll()
        }
        let page = try scenario.scrape()
        #expect(page.sum(Self.requests) == Double(2 * exchangeCount))
        #expect(page.sum(Self.duration + "_count") == Double(2 * exchangeCount))
        let milliseconds = 2 * (0..<exchangeCount).reduce(0) { $0 + $1 % 2000 }
        #expect(abs(page.sum(Self.duration + "_sum") - Double(milliseconds) / 1000) < 1e-6)
    }

    @Test func `what is read between two exchanges belongs together`() async {
        let layout = ShardLayout(configuration: .standard)
        let cells = RouteCells(layout: layout)
        let finished = Tally()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await OwnThread.run {
                    for number in 0..<30_000 {
                        cells.beginExchange()
                        if !cells.countRequest(.likeliest) { cells.beginRequests(.likeliest, at: 1) }
                        let value = UInt64(1_000_000 * (1 + number % 500))
                        let (wait, size) = (layout.serverWait.cell(of: value), layout.bodySize.cell(of: 2000))
                        cells.observe(value, cell: wait, start: layout.serverWaitStart, at: 1)
                        cells.observe(2000, cell: size, start: layout.responseBodyStart, at: 1)
                        cells.endExchange()
                        // Something else to do, as a capture thread has between exchanges.
                        var generator = SeededGenerator(seed: UInt64(number))
                        for _ in 0..<50 { _ = generator.next() }
                    }
                    finished.increment()
                }
            }
            group.addTask(executorPreference: OwnThread()) {
                var copy = RouteCopy()
                var isLast = false
                repeat {
                    isLast = finished.count == 1
                    let reading = cells.read(layout: layout, copy: &copy)
                    guard reading.isOfOneMoment else { continue }
                    let count = reading.requests.first?.count ?? 0
                    #expect(reading.serverWait?.count ?? 0 == count)
                    #expect(reading.responseBody?.storedSum ?? 0 == 2000 * count)
                } while !isLast
            }
        }
        var copy = RouteCopy()
        let reading = cells.read(layout: layout, copy: &copy)
        #expect(reading.isOfOneMoment)
        #expect(reading.requests.first?.count == 30_000)
    }

    @Test func `a writer that stopped in the middle of an exchange does not hold a scrape up`() throws {
        let layout = ShardLayout(configuration: .standard)
        let cells = RouteCells(layout: layout)
        cells.beginExchange()
        cells.beginRequests(.likeliest, at: 1)
        var copy = RouteCopy()
        let halfway = cells.read(layout: layout, copy: &copy)
        #expect(!halfway.isOfOneMoment)
        #expect(halfway.requests.first?.count == 1)
        cells.endExchange()
        #expect(cells.read(layout: layout, copy: &copy).isOfOneMoment)
    }

    @Test func `tables change under a writer without losing an exchange`() async throws {
        var scenario = try Scenario(routes: 10, seriesLimit: 30)
        let registry = scenario.registry
        let exchangeCount = 10_000
        let newest = NewestTable(scenario.table)
        let finished = Tally()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await OwnThread.run {
                    let shard = registry.shards[0]
                    var table = newest.table
                    for number in 0..<exchangeCount {
                        if number % 50 == 0 {
                            table = newest.table
                            shard.routesChanged(to: table)
                        }
                        shard.exchangeCompleted(
                            route: table.series(ofRoute: number % 10),
                            ExchangeObservation(method: .get, status: 200 + number % 11, startedAt: 0)
                        )
                    }
                    finished.increment()
                }
            }
            group.addTask(executorPreference: OwnThread()) {
                var generation = 1
                while finished.count == 0 {
                    generation += 1
                    let routes = (0..<10).map { ($0 + generation) % 15 }
                    let table = registry.routesPublished(
                        RouteTableDescription(
                            generation: generation,
                            series: routes.map(Scenario.labels),
                            gateways: []
                        ),
                        at: 0
                    )
                    newest.publish(table)
                    _ = registry.routeSummaries()
                }
            }
        }
        scenario.take(newest.table)
        #expect(try scenario.requestsByRoute().values.reduce(0, +) == Double(exchangeCount))
    }
}

/// Counts across tasks.
private final class Tally: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .acquiring) }

    func increment() {
        value.add(1, ordering: .releasing)
    }
}

/// Hands the newest table from one task to another.
private final class NewestTable: Sendable {
    private let state: Mutex<RouteSeriesTable>

    init(_ table: RouteSeriesTable) {
        state = Mutex(table)
    }

    var table: RouteSeriesTable { state.withLock { $0 } }

    func publish(_ table: RouteSeriesTable) {
        state.withLock { $0 = table }
    }
}
