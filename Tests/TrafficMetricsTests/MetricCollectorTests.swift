// Wingmirror · Apache-2.0

import OctetText
import Synchronization
import Testing

@testable import TrafficMetrics

@Suite struct MetricCollectorTests {
    @Test func `counters exist from the beginning and those of two threads add up`() throws {
        let scenario = try Scenario(routes: 0)
        let cells = (0..<2).map { _ in
            CounterCells(MetricCatalogue.decodeErrors, labelValues: [["ip", "truncated"], ["tcp", "checksum"]])
        }
        scenario.registry.add(cells[0])
        scenario.registry.add(cells[1])
        let name = "wingmirror_decode_errors_total"
        #expect(try scenario.scrape().samples[name]?.count == 2)
        cells[0].add(at: 0)
        cells[1].add(4, at: 0)
        cells[1].publish(7, at: 1)
        let page = try scenario.scrape()
        #expect(page.sum(name, where: ["layer": "ip"]) == 5)
        #expect(page.sum(name, where: ["layer": "tcp", "reason": "checksum"]) == 7)
    }

    /// Takes a lock of its own, and asks the registry, as the history of a running agent does from the other side.
    private final class Asking: MetricCollector {
        private let registry: MetricsRegistry
        private let own = Mutex<Void>(())

        init(_ registry: MetricsRegistry) {
            self.registry = registry
        }

        func collect(into samples: inout SampleCollection) {
            own.withLock { _ in
                samples.set(MetricCatalogue.historyRoutesLeftOut, [], Double(registry.routeSummaries().count))
            }
        }
    }

    /// A registry that kept its state locked meanwhile would end the process here, and, with two threads, whenever a scrape met
    /// a sample of the history.
    @Test func `a collector may ask the registry, which is not locked while collectors are asked`() throws {
        let scenario = try Scenario(routes: 3)
        scenario.registry.add(Asking(scenario.registry))
        scenario.exchange(0)
        #expect(try scenario.scrape().sum("wingmirror_history_routes_left_out") >= 1)
    }

    @Test func `gauges of two threads add up`() throws {
        let scenario = try Scenario(routes: 0)
        for value in [1.5, 2] {
            let cells = GaugeCells(MetricCatalogue.pipelineLag, labelValues: [["all"]])
            cells.set(value, at: 0)
            scenario.registry.add(cells)
        }
        #expect(try scenario.scrape().sum("wingmirror_pipeline_lag_seconds") == 3.5)
    }

    @Test func `a collector supplies any kind of family, ordered by labels`() throws {
        let registry = MetricsRegistry()
        registry.add(Everything())
        let snapshot = registry.snapshot(at: 0)
        let received = try #require(snapshot[MetricCatalogue.capturePacketsReceived])
        #expect(received.series.map { $0.label("interface") } == ["eth0", "eth1"])
        #expect(snapshot[MetricCatalogue.buildInfo]?.series.count == 1)
        #expect(snapshot[MetricCatalogue.captureRestarts] == nil)
        let positions = snapshot.families.compactMap { MetricCatalogue.positions[$0.family] }
        #expect(positions == positions.sorted())
    }

    @Test func `histograms of two collectors add up, label set by label set`() throws {
        let scenario = try Scenario(routes: 0)
        let family = MetricCatalogue.mirrorQueueWait
        let collectors = (0..<2).map { _ in ObservedHistograms(family, layout: .usualDurations) }
        for collector in collectors { scenario.registry.add(collector) }
        collectors[0].observe(3_000_000, 40_000_000, of: ["a"])
        collectors[1].observe(4_000_000, of: ["a"])
        collectors[1].observe(of: ["b"])
        let page = try scenario.scrape()
        #expect(page.sum(family.name + "_count", where: ["target": "a"]) == 3)
        #expect(page.sum(family.name + "_bucket", where: ["target": "a", "le": "0.005"]) == 2)
        #expect(page.sum(family.name + "_sum") == 0.047)
        #expect(page.samples[family.name]?.keys.count { $0.labels["target"] == "b" } == 17)
    }

    @Test func `counts that somebody else keeps are shown in their buckets`() throws {
        let scenario = try Scenario(routes: 0)
        scenario.registry.add(CountedElsewhere())
        let name = MetricCatalogue.mirrorBodySize.name
        let page = try scenario.scrape()
        #expect(page.sum(name + "_bucket", where: ["le": "10.0"]) == 2)
        #expect(page.sum(name + "_bucket", where: ["le": "20.0"]) == 2)
        #expect(page.sum(name + "_count") == 5)
        #expect(page.sum(name + "_sum") == 100)
    }

    @Test(arguments: [HistogramLayout.usualDurations, .usualSizes])
    func `counts that somebody else keeps in cells have the native buckets of what was observed`(
        _ layout: HistogramLayout
    ) {
        var generator = SeededGenerator(seed: 7)
        var observed = HistogramSnapshot(layout: layout)
        let bounds = layout.cellBounds
        var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        var sum = 0.0
        for _ in 0..<2000 {
            let value = UInt64.random(in: 0..<1 << UInt64.random(in: 1..<45, using: &generator), using: &generator)
            observed.observe(value)
            counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
            sum += Double(value)
        }
        let counted = HistogramSnapshot(counts: counts, sum: sum, in: layout)
        #expect(NativeHistogram(counted) == NativeHistogram(observed))
        #expect(NativeHistogram(counted).buckets.count > 50)
        #expect(counted.classicCounts == observed.classicCounts)
    }

    @Test func `label values that are the same once clean are one series`() {
        var samples = SampleCollection()
        samples.count(MetricCatalogue.captureBytes, ["a\u{1}"], 2)
        samples.count(MetricCatalogue.captureBytes, ["a\u{2}"], 3)
        samples.count(MetricCatalogue.processCPU, [], seconds: 0.5)
        samples.count(MetricCatalogue.processCPU, [], seconds: 0.25)
        #expect(samples.samples[MetricCatalogue.captureBytes]?.count == 1)
        guard case .count(5)? = samples.samples[MetricCatalogue.captureBytes]?[["a\u{FFFD}"]],
            case .number(0.75)? = samples.samples[MetricCatalogue.processCPU]?[[]]
        else {
            Issue.record("counters of the same labels add up")
            return
        }
    }

    private struct CountedElsewhere: MetricCollector {
        private static let layout = HistogramLayout.sizes(bounds: [10, 20])

        func collect(into samples: inout SampleCollection) {
            let bounds = Self.layout.cellBounds
            var counts = [UInt64](repeating: 0, count: bounds.count + 1)
            if let ten = bounds.firstIndex(of: 10) { counts[ten] = 2 }
            counts[bounds.count] = 3
            let counted = HistogramSnapshot(counts: counts, sum: 100, in: Self.layout)
            samples.histogram(MetricCatalogue.mirrorBodySize, ["staging", "sent"], counted)
        }
    }

    private struct Everything: MetricCollector {
        func collect(into samples: inout SampleCollection) {
            samples.count(MetricCatalogue.capturePacketsReceived, ["eth1"], 5)
            samples.count(MetricCatalogue.capturePacketsReceived, ["eth0"], 5)
            samples.set(MetricCatalogue.captureInterfaceUp, ["eth0"], 1)
            samples.info(MetricCatalogue.buildInfo, ["1.0", "abc", "6.3", "1.10", "x86_64"])
        }
    }
}

@Suite struct MetricsConfigurationTests {
    @Test func `the usual bounds are whole nanoseconds`() throws {
        #expect(try MetricsConfiguration() == .standard)
        #expect(MetricsConfiguration.standard.durationBounds.first == 1_000_000)
        #expect(MetricsConfiguration.standard.durationBounds.last == 30_000_000_000)
    }

    @Test(
        arguments: [
            ([], .boundCount(0)), (Array(repeating: 1, count: 65), .boundCount(65)),
            ([0.1, 0.1], .boundsNotAscending(0.1)),
            ([1, 0.5], .boundsNotAscending(0.5)), ([0], .boundOutOfRange(0)), ([-1], .boundOutOfRange(-1)),
            ([.infinity], .boundOutOfRange(.infinity)), ([2e6], .boundOutOfRange(2e6)),
        ] as [([Double], MetricsConfigurationError)]
    )
    func `bounds that make no ladder are refused`(_ bounds: [Double], _ error: MetricsConfigurationError) {
        #expect(throws: error) { try MetricsConfiguration(durationBounds: bounds) }
    }

    @Test func `a bound that is no number is refused`() {
        #expect(throws: MetricsConfigurationError.self) { try MetricsConfiguration(durationBounds: [.nan]) }
    }

    @Test func `other bounds are the ones shown`() throws {
        let registry = MetricsRegistry(configuration: try MetricsConfiguration(durationBounds: [0.075, 1.25]))
        let table = registry.routesPublished(
            RouteTableDescription(generation: 1, series: [Scenario.labels(0)], gateways: []),
            at: 0
        )
        registry.shards[0].routesChanged(to: table)
        registry.shards[0].exchangeCompleted(
            route: table.series(ofRoute: 0),
            ExchangeObservation(method: .get, status: 200, durationNanoseconds: 75_000_000, startedAt: 0)
        )
        var body: [UInt8] = []
        ExpositionWriter(.text).write(registry.snapshot(at: 0), into: &body)
        let page = try ExpositionReader(body, .text)
        let name = "wingmirror_http_request_duration_seconds_bucket"
        #expect(page.sum(name, where: ["le": "0.075"]) == 1)
        #expect(page.sum(name) == 3)
    }
}
