// Wingmirror · Apache-2.0

import Synchronization

/// A histogram family that tasks of the slow side observe into, and that a scrape collects; any thread may do either.
///
/// Behind one lock, which an observation holds for well under a microsecond: for what happens once for each copy or
/// request of ours, never for the packet path, which has its shards.
public final class HistogramRecorder: MetricCollector {
    /// The family.
    public let family: MetricFamily
    private let layout: HistogramLayout
    private let seriesLimit: Int
    private let histograms = Mutex<[[String]: HistogramSnapshot]>([:])

    /// The usual limit of label sets: as for the families of routes.
    public static let defaultSeriesLimit = MetricsConfiguration.defaultSeriesLimit

    /// Makes a family without series.
    /// - Parameters:
    ///   - family: A family of histograms.
    ///   - layout: How it divides what it observes.
    ///   - seriesLimit: Label sets; what is observed beyond them is counted where all labels are `__overflow__`.
    public init(_ family: MetricFamily, layout: HistogramLayout, seriesLimit: Int = defaultSeriesLimit) {
        precondition(family.type == .histogram, "HistogramRecorder.init: \(family.name) is a histogram")
        self.family = family
        self.layout = layout
        self.seriesLimit = seriesLimit
    }

    /// Makes a series exist before its first observation.
    public func begin(_ labelValues: [String]) {
        histograms.withLock { histograms in
            _ = series(of: labelValues, in: &histograms)
        }
    }

    /// Counts a duration, for layouts of durations; one below 0 counts as 0.
    public func observe(_ duration: Duration, _ labelValues: [String]) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
        observe(UInt64(min(max(0, nanoseconds.rounded()), 0x1p63)), labelValues)
    }

    /// Counts a size in octets, for layouts of sizes; one below 0 counts as 0.
    public func observe(octets: Int, _ labelValues: [String]) {
        observe(UInt64(max(0, octets)), labelValues)
    }

    /// Removes the series whose label values are no longer wanted, such as those of a route that is gone.
    public func removeSeries(where isUnwanted: ([String]) -> Bool) {
        histograms.withLock { histograms in
            histograms = histograms.filter { !isUnwanted($0.key) }
        }
    }

    /// Adds what was observed so far.
    public func collect(into samples: inout SampleCollection) {
        for (labelValues, histogram) in histograms.withLock({ $0 }) {
            samples.histogram(family, labelValues, histogram)
        }
    }

    private func observe(_ value: UInt64, _ labelValues: [String]) {
        histograms.withLock { histograms in
            let key = series(of: labelValues, in: &histograms)
            histograms[key]?.observe(value)
        }
    }

    /// The key of a series, which exists afterwards.
    private func series(of labelValues: [String], in histograms: inout [[String]: HistogramSnapshot]) -> [String] {
        if histograms[labelValues] != nil { return labelValues }
        let fits = histograms.count < seriesLimit
        let key = fits ? labelValues : labelValues.map { _ in LabelValue.overflow }
        if histograms[key] == nil { histograms[key] = HistogramSnapshot(layout: layout) }
        return key
    }
}
