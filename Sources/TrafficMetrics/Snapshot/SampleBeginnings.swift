// Wingmirror · Apache-2.0

/// Since when the series that collectors supply have been counting.
///
/// A collector says what a counter is and not when it began. But a series that the snapshot before did not have, or had with
/// a higher value, was zero at some time since, so that it began no earlier; those of the first snapshot began with the agent.
struct SampleBeginnings: Sendable {
    private var latestSnapshot: Int64?
    private var known: [MetricFamily: [[String]: Beginning]] = [:]

    /// When a series began, if that is known, and what it was last.
    private struct Beginning {
        var time: Int64?
        var value: Double
    }

    /// Begins with the agent's own start, in nanoseconds since the Unix epoch, if it is known.
    init(startedAt: Int64?) {
        latestSnapshot = startedAt
    }

    /// Takes the series of a snapshot; those that it does not have are forgotten.
    /// - Parameters:
    ///   - samples: What the collectors supplied.
    ///   - now: Nanoseconds since the Unix epoch.
    mutating func snapshotTaken(of samples: SampleCollection, at now: Int64) {
        var present: [MetricFamily: [[String]: Beginning]] = [:]
        for (family, values) in samples.samples where family.type == .counter || family.type == .histogram {
            let before = known[family] ?? [:]
            var beginnings: [[String]: Beginning] = [:]
            for (labelValues, value) in values {
                let total = value.total
                let goesOn = before[labelValues].flatMap { $0.value <= total ? $0 : nil }
                beginnings[labelValues] = Beginning(time: goesOn.map(\.time) ?? latestSnapshot, value: total)
            }
            present[family] = beginnings
        }
        known = present
        latestSnapshot = now
    }

    /// When a series of the snapshot taken last began, in nanoseconds since the Unix epoch; `nil` if that is not known.
    func beganAt(_ family: MetricFamily, _ labelValues: [String]) -> Int64? {
        known[family]?[labelValues]?.time
    }
}

extension MetricsSnapshot.Value {
    /// What only grows from one snapshot to the next, unless it begins again.
    fileprivate var total: Double {
        switch self {
        case .count(let count): Double(count)
        case .number(let number): number
        case .histogram(let histogram): Double(histogram.count)
        }
    }
}
