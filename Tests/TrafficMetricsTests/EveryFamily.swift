// Wingmirror · Apache-2.0

@testable import TrafficMetrics

/// Supplies a series of each family of the catalogue.
struct EveryFamily: MetricCollector {
    /// A page with every family.
    static func snapshot() -> MetricsSnapshot {
        let registry = MetricsRegistry(startedAt: 0)
        registry.add(EveryFamily())
        return registry.snapshot(at: 0)
    }

    func collect(into samples: inout SampleCollection) {
        for family in MetricCatalogue.all {
            let values = family.labelNames.map { "some \($0)" }
            switch family.type {
            case .counter: samples.count(family, values, 3)
            case .gauge: samples.set(family, values, 0.5)
            case .info: samples.info(family, values)
            case .histogram:
                let layout: HistogramLayout = family.unit == .bytes ? .usualSizes : .usualDurations
                samples.histogram(family, values, HistogramSnapshot(layout: layout))
            }
        }
    }
}
