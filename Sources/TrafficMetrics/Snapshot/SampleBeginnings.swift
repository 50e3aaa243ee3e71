// Wingmirror · Apache-2.0

/// Since when the series that collectors supply have been counting.
///
/// A collector says what a counter is and not when it began. But a series that the snapshot before did not have was zero
/// then, so that it began no earlier; those of the first snapshot began with the agent.
struct SampleBeginnings: Sendable {
    private var latestSnapshot: Int64?
    private var known: [MetricFamily: [[String]: Int64?]] = [:]

    /// Begins with the agent's own start, in nanoseconds since the Unix epoch, if it is known.
    init(startedAt: Int64?) {
        latestSnapshot = startedAt
    }

    /// When the series of a snapshot began; those that it does not have are forgotten.
    /// - Parameters:
    ///   - samples: What the collectors supplied.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: Nanoseconds since the Unix epoch by family and label values; `nil` for what is not known.
    mutating func beginnings(of samples: SampleCollection, at now: Int64) -> [MetricFamily: [[String]: Int64?]] {
        var beginnings: [MetricFamily: [[String]: Int64?]] = [:]
        for (family, values) in samples.samples where family.type == .counter || family.type == .histogram {
            let known = self.known[family] ?? [:]
            beginnings[family] = Dictionary(
                uniqueKeysWithValues: values.keys.map { ($0, known[$0] ?? latestSnapshot) }
            )
        }
        known = beginnings
        latestSnapshot = now
        return beginnings
    }
}
