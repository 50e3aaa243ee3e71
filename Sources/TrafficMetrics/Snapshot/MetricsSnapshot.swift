// Wingmirror · Apache-2.0

/// All families and their series at one moment; immutable, and what every encoder renders from.
public struct MetricsSnapshot: Sendable {
    /// The families that have series, in the order of the catalogue.
    public let families: [Family]
    /// Whether OpenMetrics tells when each series began, as a series of its own.
    let showsCreatedSeries: Bool
    /// Whether protobuf has native buckets.
    let showsNativeHistograms: Bool

    init(families: [Family], showsCreatedSeries: Bool = false, showsNativeHistograms: Bool = true) {
        self.families = families
        self.showsCreatedSeries = showsCreatedSeries
        self.showsNativeHistograms = showsNativeHistograms
    }

    /// A family and its series.
    public struct Family: Sendable {
        /// What the catalogue says of it.
        public let family: MetricFamily
        /// The series, ordered by their labels.
        public let series: [Series]
    }

    /// A label set and its value.
    public struct Series: Sendable {
        /// The labels that the series shares with others of its route; empty for those without a route.
        public let shared: LabelBlock
        /// The labels of its own.
        public let own: LabelBlock
        /// The value.
        public let value: Value
        /// When a counter or histogram began at zero, in nanoseconds since the Unix epoch; `nil` if that is not known.
        public let beganAt: Int64?

        init(shared: LabelBlock, own: LabelBlock, value: Value, beganAt: Int64? = nil) {
            self.shared = shared
            self.own = own
            self.value = value
            self.beganAt = beganAt
        }
    }

    /// The value of a series.
    public enum Value: Sendable {
        /// A counter of things that were counted one by one, or an info.
        case count(UInt64)
        /// A gauge, or a counter that is not whole.
        case number(Double)
        /// A histogram.
        case histogram(HistogramSnapshot)
    }
}

extension MetricsSnapshot.Series {
    /// The value of a label; `nil` if the series does not have it.
    public func label(_ name: String) -> String? {
        let isNamed = { (label: LabelBlock.Label) in label.name == name }
        return (shared.labels.first(where: isNamed) ?? own.labels.first(where: isNamed))?.value
    }
}

extension MetricsSnapshot {
    /// The family of a name, if it has series.
    public subscript(family: MetricFamily) -> Family? {
        families.first { $0.family == family }
    }
}
