// Wingmirror · Apache-2.0

@testable import TrafficMetrics

/// Counters of one family over a closed list of label values, counted by one thread and collected by a scrape.
///
/// Every series exists from the beginning, at zero. Several of the same family, one for each thread, add up.
final class CounterCells: MetricCollector {
    /// The family.
    let family: MetricFamily
    private let labelValues: [[String]]
    private let words: AtomicWords

    /// Makes counters at zero.
    /// - Parameters:
    ///   - family: A family of counters.
    ///   - labelValues: The label values of each counter; the place in this list is the counter's index.
    init(_ family: MetricFamily, labelValues: [[String]]) {
        precondition(family.type == .counter, "CounterCells.init: \(family.name) is a counter")
        self.family = family
        self.labelValues = labelValues
        words = AtomicWords(count: labelValues.count)
    }

    /// Counts more; for one thread only.
    @inline(__always)
    func add(_ amount: UInt64 = 1, at index: Int) {
        words.add(amount, at: index)
    }

    /// Sets a counter to a total kept elsewhere; for one thread only.
    func publish(_ total: UInt64, at index: Int) {
        words.store(total, at: index)
    }

    /// The present value of a counter.
    func value(at index: Int) -> UInt64 {
        words.load(index)
    }

    /// Adds the present values.
    func collect(into samples: inout SampleCollection) {
        for (index, values) in labelValues.enumerated() {
            samples.count(family, values, words.load(index))
        }
    }
}

/// Gauges of one family over a closed list of label values, set by one thread and collected by a scrape.
///
/// Several of the same family and labels, one for each thread, add up.
final class GaugeCells: MetricCollector {
    /// The family.
    let family: MetricFamily
    private let labelValues: [[String]]
    private let words: AtomicWords

    /// Makes gauges at zero.
    /// - Parameters:
    ///   - family: A family of gauges.
    ///   - labelValues: The label values of each gauge; the place in this list is the gauge's index.
    init(_ family: MetricFamily, labelValues: [[String]]) {
        precondition(family.type == .gauge, "GaugeCells.init: \(family.name) is a gauge")
        self.family = family
        self.labelValues = labelValues
        words = AtomicWords(count: labelValues.count)
    }

    /// Sets a gauge; for one thread only.
    func set(_ value: Double, at index: Int) {
        words.store(value.bitPattern, at: index)
    }

    /// The present value of a gauge.
    func value(at index: Int) -> Double {
        Double(bitPattern: words.load(index))
    }

    /// Adds the present values.
    func collect(into samples: inout SampleCollection) {
        for (index, values) in labelValues.enumerated() {
            samples.add(family, values, value(at: index))
        }
    }
}
