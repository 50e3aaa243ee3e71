// Wingmirror · Apache-2.0

/// Supplies the series of some families at each scrape.
public protocol MetricCollector: Sendable {
    /// Adds the present values; called from the thread of the scrape, which holds no lock meanwhile: a collector may take its
    /// own, and may ask the registry.
    func collect(into samples: inout SampleCollection)
}

/// What collectors have supplied so far for one snapshot.
///
/// Counters and histograms of the same labels add up, so that each worker can supply its own; of gauges the last one
/// stands, unless it is added too.
public struct SampleCollection: Sendable {
    /// The values by family and label values.
    private(set) var samples: [MetricFamily: [[String]: MetricsSnapshot.Value]] = [:]

    /// Makes an empty collection.
    init() {}

    /// Adds to the counter of these label values.
    public mutating func count(_ family: MetricFamily, _ labelValues: [String], _ amount: UInt64) {
        let labelValues = checked(family, labelValues, is: .counter)
        let present = samples[family, default: [:]][labelValues]
        samples[family, default: [:]][labelValues] =
            switch present {
            // A counter wraps where its cells do.
            case .count(let count): .count(count &+ amount)
            case .number(let number): .number(number + Double(amount))
            case .histogram, nil: .count(amount)
            }
    }

    /// Adds to the counter of these label values, which counts what is not whole, such as seconds.
    public mutating func count(_ family: MetricFamily, _ labelValues: [String], seconds amount: Double) {
        let labelValues = checked(family, labelValues, is: .counter)
        precondition(amount >= 0, "SampleCollection.count: a counter is neither negative nor NaN")
        addNumber(family, labelValues, amount)
    }

    /// Sets the gauge of these label values.
    public mutating func set(_ family: MetricFamily, _ labelValues: [String], _ value: Double) {
        let labelValues = checked(family, labelValues, is: .gauge)
        samples[family, default: [:]][labelValues] = .number(value)
    }

    /// Adds to the gauge of these label values, where each worker has a part.
    mutating func add(_ family: MetricFamily, _ labelValues: [String], _ value: Double) {
        let labelValues = checked(family, labelValues, is: .gauge)
        addNumber(family, labelValues, value)
    }

    /// Supplies an info.
    public mutating func info(_ family: MetricFamily, _ labelValues: [String]) {
        let labelValues = checked(family, labelValues, is: .info)
        samples[family, default: [:]][labelValues] = .count(1)
    }

    /// Adds to the histogram of these label values, which must have the same layout wherever it comes from.
    public mutating func histogram(_ family: MetricFamily, _ labelValues: [String], _ histogram: HistogramSnapshot) {
        let labelValues = checked(family, labelValues, is: .histogram)
        if case .histogram(var present) = samples[family, default: [:]][labelValues] {
            present.add(histogram)
            samples[family, default: [:]][labelValues] = .histogram(present)
        } else {
            samples[family, default: [:]][labelValues] = .histogram(histogram)
        }
    }

    private mutating func addNumber(_ family: MetricFamily, _ labelValues: [String], _ amount: Double) {
        let present = samples[family, default: [:]][labelValues]
        samples[family, default: [:]][labelValues] =
            switch present {
            case .count(let count): .number(Double(count) + amount)
            case .number(let number): .number(number + amount)
            case .histogram, nil: .number(amount)
            }
    }

    /// The label values, clean, so that those that are the same once written are the same series.
    private func checked(_ family: MetricFamily, _ labelValues: [String], is type: MetricType) -> [String] {
        precondition(family.type == type, "SampleCollection: \(family.name) is a \(family.type)")
        precondition(
            family.labelNames.count == labelValues.count,
            "SampleCollection: \(family.name) has the labels \(family.labelNames)"
        )
        return labelValues.map { LabelValue.clean($0) }
    }
}
