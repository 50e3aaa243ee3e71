// Wingmirror · Apache-2.0
// Native histograms of Prometheus, standard exponential schemas.

import OctetText
import Testing

@testable import TrafficMetrics

@Suite struct HistogramLayoutTests {
    static let durations = HistogramLayout.durations(bounds: MetricsConfiguration.standard.durationBounds)

    @Test(arguments: [
        (1_000_000_000, 0), (5_000_000, -61), (10_000_000_000, 27), (2_000_000_000, 8), (2_000_000_001, 9),
        (500_000_000, -8), (1_000_000_001, 1), (954, -159), (1_048_576_000_000_000, 160),
        (1_048_577_000_000_000, 160),
    ])
    func `a duration falls into the exponential bucket that Prometheus gives it`(_ nanoseconds: UInt64, _ bucket: Int) {
        #expect(Self.durations.nativeBuckets[Self.durations.cell(of: nanoseconds)] == bucket)
    }

    @Test(arguments: [0, 1, 100, 953] as [UInt64])
    func `what packet clocks cannot tell from zero is in the zero bucket`(_ nanoseconds: UInt64) {
        #expect(Self.durations.nativeBuckets[Self.durations.cell(of: nanoseconds)] == nil)
    }

    @Test(arguments: [
        MetricsConfiguration.standard.durationBounds, [1], [953], [1_000_000_000], [7, 8, 9, 1_000_000],
        [1_048_576_000_000_000],
    ])
    func `both kinds of buckets come exactly from one cell`(_ bounds: [UInt64]) {
        let layout = HistogramLayout.durations(bounds: bounds)
        for value in Self.interestingValues(near: bounds) {
            let cell = layout.cell(of: value)
            #expect(Int(layout.classicBuckets[cell]) == bounds.count { $0 < value })
            #expect(layout.nativeBuckets[cell] == Self.bucket(of: value))
        }
    }

    @Test func `sizes have native buckets too, of which nothing but no content and one octet is zero`() {
        let layout = HistogramLayout.sizes(bounds: [1024, 16_384])
        for value in [0, 1, 2, 3, 9, 1000, 1024, 1025, 123_456, 1 << 40] as [UInt64] {
            let native = (1...320).first { Double(value) <= ExponentialBuckets.upperBound(of: $0) }
            #expect(layout.nativeBuckets[layout.cell(of: value)] == (value <= 1 ? nil : native))
        }
        #expect(layout.nativeBuckets[layout.cell(of: .max)] == 320)
    }

    @Test func `sizes fall into the first bucket whose bound they do not exceed`() {
        let layout = HistogramLayout.sizes(bounds: [1024, 16_384])
        let cells = [0, 1024, 1025, 16_384, 16_385, .max].map(layout.cell(of:))
        #expect(cells.map { layout.classicBuckets[$0] } == [0, 0, 1, 1, 2, 2])
        #expect(
            layout.boundTexts.map { String(decoding: $0, as: UTF8.self) } == [
                #"le="1024.0""#, #"le="16384.0""#, #"le="+Inf""#,
            ]
        )
    }

    @Test func `half the resolution fits the buckets that a native histogram may have`() {
        let halved = Set(Self.durations.nativeBuckets.compactMap { $0 }.map { ($0 + 1) >> 1 })
        #expect(halved.count == 160)
    }

    /// The bucket by its definition: the first whose upper bound is not below the value in seconds.
    private static func bucket(of nanoseconds: UInt64) -> Int? {
        let seconds = Double(nanoseconds) / 1e9
        guard seconds > ExponentialBuckets.zeroThreshold else { return nil }
        return (ExponentialBuckets.first..<ExponentialBuckets.last)
            .first { seconds <= ExponentialBuckets.upperBound(of: $0) } ?? ExponentialBuckets.last
    }

    private static func interestingValues(near bounds: [UInt64]) -> [UInt64] {
        var generator = SeededGenerator(seed: 3)
        let random = (0..<2000).map { _ in generator.next() >> UInt64.random(in: 0..<64, using: &generator) }
        let edges = (bounds + ExponentialBuckets.nanosecondEdges).flatMap { [$0 - 1, $0, $0 + 1] }
        return random + edges + [0, 1, .max]
    }
}

@Suite struct QuantileTests {
    @Test(arguments: [0.5, 0.9, 0.95, 0.99, 0.999])
    func `a quantile of spread durations is found within the width of a bucket's half`(_ quantile: Double) throws {
        var generator = SeededGenerator(seed: 11)
        // From 1 ms to 1 s, evenly on a logarithmic scale.
        let values = (0..<50_000).map { _ -> UInt64 in
            let share = Double.random(in: 0..<1, using: &generator)
            var value = 1e6
            for bit in 0..<10 where Int(share * 1024) >> bit & 1 == 1 { value *= Self.powers[bit] }
            return UInt64(value * (1 + Double.random(in: 0..<0.0067, using: &generator)))
        }
        let histogram = Self.histogram(of: values)
        let exact = Double(values.sorted()[Int(Double(values.count) * quantile)]) / 1e9
        let found = try #require(histogram.quantile(quantile))
        #expect(abs(found / exact - 1) < 0.044)
    }

    @Test func `a single duration is found within its bucket`() throws {
        for value: UInt64 in [2000, 1_000_000, 33_333_333, 7_000_000_000] {
            let found = try #require(Self.histogram(of: [value]).quantile(0.5)) * 1e9
            #expect(abs(found / Double(value) - 1) < 0.0906)
        }
    }

    @Test func `without observations there is no quantile`() {
        #expect(Self.histogram(of: []).quantile(0.5) == nil)
    }

    @Test func `zero and twelve days have quantiles too`() throws {
        let zero = try #require(Self.histogram(of: [0, 0, 0]).quantile(0.99))
        #expect(zero < 1e-6)
        let long = try #require(Self.histogram(of: [.max]).quantile(0.99))
        #expect(long > 900_000)
    }

    @Test func `quantiles never fall as their share grows`() {
        var generator = SeededGenerator(seed: 5)
        let histogram = Self.histogram(of: (0..<999).map { _ in generator.next() >> 30 })
        let quantiles = (0...100).compactMap { histogram.quantile(Double($0) / 100) }
        #expect(quantiles.count == 101)
        #expect(zip(quantiles, quantiles.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test func `histograms of two shards add up`() {
        var left = Self.histogram(of: [1000, 5_000_000, 5_000_000])
        left.add(Self.histogram(of: [5_000_000, 70_000_000_000]))
        #expect(left.cells == Self.histogram(of: [1000, 5_000_000, 5_000_000, 5_000_000, 70_000_000_000]).cells)
        #expect(left.count == 5)
        #expect(left.sum == 70.015001)
    }

    /// 1000^(2^-k), so that products of them fill three decades.
    private static let powers: [Double] = {
        var power = 1000.0
        return (0..<10).map { _ in
            power.formSquareRoot()
            return power
        }.reversed()
    }()

    private static func histogram(of values: [UInt64]) -> HistogramSnapshot {
        var histogram = HistogramSnapshot(layout: HistogramLayoutTests.durations)
        let cells = Dictionary(grouping: values.map(histogram.layout.cell(of:)), by: { $0 })
        histogram.cells = cells.sorted { $0.key < $1.key }.map { .init(index: $0.key, count: UInt64($0.value.count)) }
        histogram.storedSum = values.reduce(0, &+)
        return histogram
    }
}
