// Wingmirror · Apache-2.0

import Synchronization
import TestSupport
import Testing
import TrafficModel

@testable import TrafficMetrics

@Suite(.timeLimit(.minutes(20)))
struct ExemplarTests {
    static let second: Int64 = 1_000_000_000

    /// A trace that is told from others by its number.
    static func trace(_ number: UInt64, isSampled: Bool = true) throws -> TraceContext {
        try #require(TraceContext(traceHigh: number, traceLow: ~number, span: number, isSampled: isSampled))
    }

    // MARK: - Places

    @Test func `a newer observation takes the place only after a second`() throws {
        let cells = ExemplarCells(slotCount: 2)
        let wasEmpty = cells.isEmpty
        #expect(wasEmpty)
        #expect(cells.read(slot: 1) == nil)
        cells.offer(try Self.trace(1), value: 10, at: 5 * Self.second, slot: 1)
        cells.offer(try Self.trace(2), value: 20, at: 6 * Self.second - 1, slot: 1)
        #expect(cells.read(slot: 1) == Exemplar(trace: try Self.trace(1), observedAt: 5 * Self.second, storedValue: 10))
        cells.offer(try Self.trace(3), value: 30, at: 6 * Self.second, slot: 1)
        #expect(cells.read(slot: 1)?.trace == (try Self.trace(3)))
        cells.offer(try Self.trace(4), value: 40, at: Self.second, slot: 1)
        #expect(cells.read(slot: 1)?.trace == (try Self.trace(3)))
        #expect(cells.read(slot: 0) == nil)
        let isEmpty = cells.isEmpty
        #expect(!isEmpty)
    }

    @Test func `an exemplar at the epoch is one`() throws {
        let cells = ExemplarCells(slotCount: 1)
        cells.offer(try Self.trace(1), value: 0, at: 0, slot: 0)
        #expect(cells.read(slot: 0)?.observedAt == 0)
    }

    @Test func `what is read while it is being written is never of two traces`() async {
        let slots = 3
        let cells = ExemplarPlaces(count: slots)
        let rounds = 60_000
        var found = 0
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                await OwnThread.run {
                    for number in 1...UInt64(rounds) {
                        guard let trace = try? Self.trace(number) else { continue }
                        cells.cells.offer(
                            trace,
                            value: number &* 3,
                            at: Int64(number) * Self.second,
                            slot: Int(number) % slots
                        )
                    }
                    cells.isFinished.store(true, ordering: .releasing)
                    return 0
                }
            }
            // Both have threads of their own: the reader could spin on the only one of tasks.
            group.addTask(executorPreference: OwnThread()) {
                var found = 0
                var newest = [UInt64](repeating: 0, count: slots)
                repeat {
                    for slot in 0..<slots {
                        guard let exemplar = cells.cells.read(slot: slot) else { continue }
                        let number = exemplar.trace.traceHigh
                        #expect(exemplar.trace.traceLow == ~number)
                        #expect(exemplar.trace.span == number)
                        #expect(exemplar.storedValue == number &* 3)
                        #expect(exemplar.observedAt == Int64(number) * Self.second)
                        #expect(number >= newest[slot])
                        newest[slot] = number
                        found += 1
                    }
                } while !cells.isFinished.load(ordering: .acquiring)
                return found
            }
            for await count in group { found += count }
        }
        #expect(found > 0)
        for slot in 0..<slots {
            let last = UInt64((rounds - slots + 1...rounds).first { $0 % slots == slot } ?? 0)
            #expect(cells.cells.read(slot: slot)?.trace.traceHigh == last)
        }
    }

    // MARK: - Routes

    @Test func `each bucket of each class has the newest sampled trace`() throws {
        let traffic = try Traffic()
        try traffic.exchange(trace: 1, status: 200, milliseconds: 20, at: 0)
        try traffic.exchange(trace: 2, status: 200, milliseconds: 21, at: 2)
        try traffic.exchange(trace: 3, status: 200, milliseconds: 700, at: 2)
        try traffic.exchange(trace: 4, status: 503, milliseconds: 20, at: 2)
        try traffic.exchange(trace: 5, isSampled: false, status: 200, milliseconds: 20, at: 9)
        try traffic.exchange(trace: nil, status: 200, milliseconds: 20, at: 9)
        let page = try traffic.page()
        #expect(
            page == [
                #"_bucket{2xx,le="0.025"} # 2 0.021"#, #"_bucket{2xx,le="1.0"} # 3 0.7"#,
                #"_bucket{5xx,le="0.025"} # 4 0.02"#,
            ]
        )
    }

    @Test func `of two shards the newer exemplar is shown`() throws {
        let traffic = try Traffic(shardCount: 2)
        try traffic.exchange(trace: 1, shard: 0, status: 200, milliseconds: 20, at: 5)
        try traffic.exchange(trace: 2, shard: 1, status: 200, milliseconds: 20, at: 7)
        #expect(try traffic.page() == [#"_bucket{2xx,le="0.025"} # 2 0.02"#])
    }

    @Test func `beyond the series limit exemplars lead on, without the name of the route`() throws {
        let traffic = try Traffic(routes: 2, seriesLimit: Scenario.limit(routes: 1))
        try traffic.exchange(trace: 7, route: 1, status: 200, milliseconds: 20, at: 0)
        #expect(try traffic.page() == [#"_bucket{2xx,le="0.025"} # 7 0.02"#])
    }

    @Test func `exemplars can be switched off`() throws {
        let traffic = try Traffic(exemplars: false)
        try traffic.exchange(trace: 1, status: 200, milliseconds: 20, at: 0)
        #expect(try traffic.page().isEmpty)
    }

    @Test func `an exemplar of ours is one line of text to the octet`() throws {
        let traffic = try Traffic()
        try traffic.exchange(trace: 0xAB, status: 200, milliseconds: 20, at: 1_795_406_760)
        var body: [UInt8] = []
        ExpositionWriter(.openMetrics).write(traffic.registry.snapshot(at: 0), into: &body)
        let line = String(decoding: body, as: UTF8.self).split(separator: "\n").first { $0.contains(" # {") }
        #expect(
            line?.drop { $0 != "}" }
                == #"} 1 # {trace_id="00000000000000abffffffffffffff54",span_id="00000000000000ab"} 0.02 1795406760.02"#
        )
    }
}

/// Lends cells, which cannot be copied, to two tasks.
private final class ExemplarPlaces: Sendable {
    let cells: ExemplarCells
    let isFinished = Atomic<Bool>(false)

    init(count: Int) {
        cells = ExemplarCells(slotCount: count)
    }
}

/// A registry whose exchanges have traces.
private struct Traffic {
    let registry: MetricsRegistry
    private let table: RouteSeriesTable

    init(routes: Int = 1, seriesLimit: Int = 20_000, shardCount: Int = 1, exemplars: Bool = true) throws {
        registry = MetricsRegistry(
            configuration: try MetricsConfiguration(seriesLimit: seriesLimit, exemplars: exemplars),
            shardCount: shardCount
        )
        let series = (0..<routes).map { Scenario.labels($0) }
        let description = RouteTableDescription(generation: 1, series: series, gateways: [])
        table = registry.routesPublished(description, at: 0)
        for shard in registry.shards { shard.routesChanged(to: table) }
    }

    func exchange(
        trace: UInt64?,
        isSampled: Bool = true,
        route: Int = 0,
        shard: Int = 0,
        status: Int,
        milliseconds: Int64,
        at second: Int64
    ) throws {
        registry.shards[shard].exchangeCompleted(
            route: table.series(ofRoute: route),
            ExchangeObservation(
                method: .get,
                status: status,
                durationNanoseconds: milliseconds * 1_000_000,
                startedAt: second * ExemplarTests.second,
                trace: try trace.map { try ExemplarTests.trace($0, isSampled: isSampled) }
            )
        )
    }

    /// The exemplars of a page: class, bound, number of the trace and value.
    func page() throws -> [String] {
        var body: [UInt8] = []
        ExpositionWriter(.openMetrics).write(registry.snapshot(at: 0), into: &body)
        let line =
            /wingmirror_http_request_duration_seconds(_bucket)\{.*class="(...)",(le=".*")\} \d+ # \{trace_id="([0-9a-f]{16}).*\} (.*) .*/
        return String(decoding: body, as: UTF8.self).split(separator: "\n").compactMap { text in
            text.wholeMatch(of: line).map { "\($0.1){\($0.2),\($0.3)} # \(Int($0.4, radix: 16) ?? 0) \($0.5)" }
        }
    }
}
