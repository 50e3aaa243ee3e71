// Wingmirror · Apache-2.0
// Native histograms of Prometheus, standard exponential schemas.

import OctetText
import Testing

@testable import TrafficMetrics

@Suite struct NativeHistogramTests {
    private let layout = HistogramLayout.usualDurations

    /// A histogram with one observation in the middle of each of these buckets of schema 3.
    private func histogram(buckets: some Sequence<Int>, zeros: Int = 0) -> HistogramSnapshot {
        var histogram = HistogramSnapshot(layout: layout)
        for _ in 0..<zeros { histogram.observe(0) }
        for bucket in buckets {
            let bounds = [bucket - 1, bucket].map { ExponentialBuckets.upperBound(of: $0) }
            histogram.observe(UInt64(((bounds[0] + bounds[1]) / 2 * 1e9).rounded()))
        }
        return histogram
    }

    private func expand(_ native: NativeHistogram) -> [Int: Int64] {
        var spans: [(offset: Int, length: Int)] = []
        var deltas: [Int64] = []
        native.visitSpans { spans.append(($0, $1)) }
        native.visitDeltas { deltas.append($0) }
        #expect(spans.reduce(0) { $0 + $1.length } == deltas.count)
        var counts: [Int: Int64] = [:]
        var index = 0
        var count: Int64 = 0
        for (number, span) in spans.enumerated() {
            // A smaller gap is bridged.
            #expect(number == 0 || span.offset > 2)
            index += span.offset
            for delta in deltas.prefix(span.length) {
                count += delta
                if count != 0 { counts[index] = count }
                index += 1
            }
            deltas.removeFirst(span.length)
        }
        return counts
    }

    // MARK: - Buckets

    @Test(arguments: [(1.0, 0), (0.005, -61), (10, 27), (0.5, -8), (2, 8), (1.0000001, 1), (0.9999999, 0)])
    func `a duration has the bucket that Prometheus gives it`(_ seconds: Double, _ index: Int) {
        var histogram = HistogramSnapshot(layout: layout)
        histogram.observe(UInt64((seconds * 1e9).rounded()))
        let native = NativeHistogram(histogram)
        #expect(native.schema == 3)
        #expect(native.buckets.map(\.index) == [index])
    }

    @Test func `up to the zero threshold an observation is zero`() {
        var histogram = HistogramSnapshot(layout: layout)
        // 2^-20 s is 953.67 ns.
        for nanoseconds in [0, 1, 953, 954] as [UInt64] { histogram.observe(nanoseconds) }
        let native = NativeHistogram(histogram)
        #expect(native.zeroThreshold == 0x1p-20)
        #expect(native.zeroCount == 3)
        #expect(native.buckets == [.init(index: -159, count: 1)])
    }

    // MARK: - Spans and deltas

    @Test(
        arguments: [
            ([], []), ([5], [(5, 1)]), ([-3, -2, -1], [(-3, 3)]), ([1, 3], [(1, 3)]), ([1, 4], [(1, 4)]),
            ([1, 5], [(1, 1), (3, 1)]), ([-10, -8, 0, 1, 20], [(-10, 3), (7, 2), (18, 1)]), ([0, 3, 6], [(0, 7)]),
        ] as [([Int], [(Int, Int)])]
    )
    func `gaps of up to two buckets are bridged`(_ buckets: [Int], _ spans: [(Int, Int)]) {
        let native = NativeHistogram(histogram(buckets: buckets))
        var found: [(Int, Int)] = []
        native.visitSpans { found.append(($0, $1)) }
        #expect(found.map(\.0) == spans.map(\.0))
        #expect(found.map(\.1) == spans.map(\.1))
        #expect(expand(native) == Dictionary(uniqueKeysWithValues: buckets.map { ($0, 1) }))
    }

    @Test func `spans and deltas say the same as the buckets, whatever they are`() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<200 {
            let buckets = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                Int.random(in: -60...60, using: &generator)
            }
            let expected = Dictionary(buckets.map { ($0, Int64(1)) }, uniquingKeysWith: +)
            #expect(expand(NativeHistogram(histogram(buckets: buckets))) == expected)
        }
    }

    // MARK: - The limit

    @Test func `as many buckets as the limit are shown as they are`() {
        let native = NativeHistogram(histogram(buckets: -159...0))
        #expect(native.buckets.count == 160)
        #expect(!native.isReduced)
    }

    @Test(arguments: [1, 2, 3, 40, 56])
    func `one too many widen the zero bucket, which keeps the resolution`(_ excess: Int) {
        let native = NativeHistogram(histogram(buckets: -159...excess, zeros: 3))
        // The lowest of them, up to a bucket with an even index.
        let last = (-160 + excess) + (-160 + excess) & 1
        #expect(native.schema == 3)
        #expect(native.isReduced)
        #expect(native.buckets.map(\.index) == Array(last + 1...excess))
        #expect(native.zeroThreshold == ExponentialBuckets.upperBound(of: last))
        #expect(native.zeroCount == UInt64(3 + last + 160))
    }

    @Test func `when a wide zero bucket is not enough the resolution is halved, and no count is lost`() {
        let native = NativeHistogram(histogram(buckets: -159...160, zeros: 1))
        #expect(native.schema == 2)
        #expect(native.zeroThreshold == 0x1p-13)
        #expect(native.buckets.count == 132)
        #expect(native.buckets.first == .init(index: -51, count: 2))
        #expect(native.buckets.last == .init(index: 80, count: 2))
        #expect(native.zeroCount == 1 + 56)
        #expect(native.buckets.reduce(native.zeroCount) { $0 + $1.count } == 321)
    }

    @Test func `halved buckets have the bounds of two neighbours`() {
        // 161 buckets above what may be widened.
        let native = NativeHistogram(histogram(buckets: -101...59))
        #expect(native.schema == 2)
        let expected = Dictionary((-101...59).map { (Int(($0 + 1) >> 1), UInt64(1)) }, uniquingKeysWith: +)
        #expect(Dictionary(uniqueKeysWithValues: native.buckets.map { ($0.index, $0.count) }) == expected)
    }

    // MARK: - Resets

    private static let hour: Int64 = 60 * 60 * 1_000_000_000
    private static let series = NativeHistogramResets.Series(family: MetricCatalogue.httpRequestDuration, labels: [1])

    @Test func `before an hour has passed a histogram is not reset`() {
        var resets = NativeHistogramResets()
        var wide = histogram(buckets: -159...160)
        wide.beganAt = 0
        for now in [0, Self.hour - 2, Self.hour - 1] {
            let shown = resets.shown(wide, of: Self.series, mayReset: true, at: now)
            resets.snapshotEnded()
            #expect(shown.count == 320)
            #expect(shown.beganAt == 0)
        }
    }

    @Test func `after an hour it begins again with what came since, and nothing is lost`() {
        var resets = NativeHistogramResets()
        var total = histogram(buckets: -159...160)
        total.beganAt = 0
        let last = resets.shown(total, of: Self.series, mayReset: true, at: Self.hour)
        resets.snapshotEnded()
        // The scrape that finds it too wide still has it whole.
        #expect(last.count == 320)
        #expect(NativeHistogram(last).isReduced)
        total.observe(1_000_000_000)
        total.observe(250_000_000)
        let next = resets.shown(total, of: Self.series, mayReset: true, at: Self.hour + 15)
        resets.snapshotEnded()
        #expect(next.count == 2)
        #expect(next.sum == 1.25)
        #expect(next.beganAt == Self.hour)
        #expect(!NativeHistogram(next).isReduced)
        // Later it goes on from there.
        total.observe(1)
        let later = resets.shown(total, of: Self.series, mayReset: true, at: Self.hour + 30)
        #expect(later.count == 3)
        #expect(later.beganAt == Self.hour)
    }

    @Test func `a reset is for those who read native buckets, and seen by all`() {
        var resets = NativeHistogramResets()
        var wide = histogram(buckets: -159...160)
        wide.beganAt = 0
        for now in [Self.hour, 2 * Self.hour] {
            let shown = resets.shown(wide, of: Self.series, mayReset: false, at: now)
            resets.snapshotEnded()
            #expect(shown.count == 320)
        }
        _ = resets.shown(wide, of: Self.series, mayReset: true, at: 3 * Self.hour)
        resets.snapshotEnded()
        let text = resets.shown(wide, of: Self.series, mayReset: false, at: 3 * Self.hour + 1)
        #expect(text.count == 0)
        #expect(text.beganAt == 3 * Self.hour)
    }

    @Test func `a histogram within the limit is never reset`() {
        var resets = NativeHistogramResets()
        var narrow = histogram(buckets: -159...0)
        narrow.beganAt = 0
        for hours in 1...3 as ClosedRange<Int64> {
            let shown = resets.shown(narrow, of: Self.series, mayReset: true, at: hours * Self.hour)
            resets.snapshotEnded()
            #expect(shown.count == 160)
        }
    }

    @Test func `a series that went and came again begins with all that it has`() {
        var resets = NativeHistogramResets()
        var wide = histogram(buckets: -159...160)
        wide.beganAt = 0
        _ = resets.shown(wide, of: Self.series, mayReset: true, at: Self.hour)
        resets.snapshotEnded()
        resets.snapshotEnded()
        #expect(resets.shown(wide, of: Self.series, mayReset: true, at: Self.hour + 1).count == 320)
    }

    @Test func `a route's histogram is reset in every format at once`() throws {
        var scenario = try Scenario(routes: 1)
        scenario.pass(minutes: 1)
        for bucket in ExponentialBuckets.first...ExponentialBuckets.last {
            scenario.registry.shards[0].exchangeCompleted(
                route: scenario.table.series(ofRoute: 0),
                ExchangeObservation(
                    method: .get,
                    status: 200,
                    durationNanoseconds: Int64(ExponentialBuckets.upperBound(of: bucket) * 1e9),
                    startedAt: scenario.now
                )
            )
        }
        let name = MetricCatalogue.httpRequestDuration.name
        _ = scenario.registry.snapshot(at: scenario.now, for: .protobuf)
        #expect(try scenario.scrape().sum(name + "_count") == 320)
        scenario.pass(minutes: 60)
        _ = scenario.registry.snapshot(at: scenario.now, for: .protobuf)
        scenario.exchange(0)
        let page = try scenario.scrape()
        #expect(page.sum(name + "_count") == 1)
        #expect(page.sum(name + "_sum") == 0.02)
        #expect(page.sum("wingmirror_http_requests_total") == 321)
    }
}
