// Wingmirror · Apache-2.0

import Synchronization

@testable import TrafficMetrics

/// Histograms of one family that a test observes into, as a collector of the slow side supplies them.
final class ObservedHistograms: MetricCollector {
    private let family: MetricFamily
    private let layout: HistogramLayout
    private let histograms = Mutex<[[String]: HistogramSnapshot]>([:])

    init(_ family: MetricFamily, layout: HistogramLayout) {
        self.family = family
        self.layout = layout
    }

    /// Counts values in stored units; none make the series exist all the same.
    func observe(_ values: UInt64..., of labelValues: [String]) {
        histograms.withLock { histograms in
            for value in values {
                histograms[labelValues, default: HistogramSnapshot(layout: layout)].observe(value)
            }
            if values.isEmpty { histograms[labelValues] = HistogramSnapshot(layout: layout) }
        }
    }

    func collect(into samples: inout SampleCollection) {
        for (labelValues, histogram) in histograms.withLock({ $0 }) {
            samples.histogram(family, labelValues, histogram)
        }
    }
}

extension HistogramLayout {
    /// Durations with the usual bounds.
    static let usualDurations = durations(bounds: MetricsConfiguration.standard.durationBounds)
    /// Sizes with the usual bounds.
    static let usualSizes = sizes(bounds: MetricsConfiguration.standard.bodySizeBounds)
}
