// Wingmirror · Apache-2.0

/// How long requests of some stretch of time took.
public struct LatencyDistribution: Sendable {
    private var histogram: HistogramSnapshot

    init(layout: HistogramLayout, cells: [HistogramSnapshot.Cell]) {
        histogram = HistogramSnapshot(layout: layout)
        histogram.cells = cells
    }

    /// How many requests were timed.
    var count: UInt64 { histogram.count }

    /// The time in seconds within which a share `quantile` of the requests were done; `nil` without any.
    public func quantile(_ quantile: Double) -> Double? {
        histogram.quantile(quantile)
    }

    /// How many requests took a time within some bounds.
    public struct Bucket: Sendable, Hashable {
        /// The bound that all of them are above, in seconds.
        public let lower: Double
        /// The bound that none of them is above, in seconds.
        public let upper: Double
        /// How many there are.
        public let count: UInt64
    }

    /// The requests by time, in buckets that are not empty, ascending.
    ///
    /// All distributions divide time at the same bounds, so buckets of equal bounds make a row of a heatmap.
    /// - Parameter bucketsPerDoubling: 1, 2, 4 or 8.
    /// - Returns: The buckets; the first may begin at 0, the last has no greater upper bound than 2^20 s.
    public func buckets(perDoubling bucketsPerDoubling: Int = 2) -> [Bucket] {
        precondition(
            [1, 2, 4, 8].contains(bucketsPerDoubling),
            "LatencyDistribution.buckets: 1, 2, 4 or 8 to a doubling"
        )
        let width = 8 / bucketsPerDoubling
        var buckets: [Bucket] = []
        for (native, count) in histogram.nativeCounts {
            let (lower, upper) = Self.bounds(of: native, width: width)
            if let last = buckets.last, last.upper == upper {
                buckets[buckets.count - 1] = Bucket(lower: lower, upper: upper, count: last.count + count)
            } else {
                buckets.append(Bucket(lower: lower, upper: upper, count: count))
            }
        }
        return buckets
    }

    /// The bounds of the wider bucket that holds a native one.
    private static func bounds(of native: Int?, width: Int) -> (lower: Double, upper: Double) {
        guard let native else { return (0, ExponentialBuckets.zeroThreshold) }
        // Bucket i covers (bound(i - 1), bound(i)], so the last of a wider one is a multiple of the width.
        let last = Int((Double(native) / Double(width)).rounded(.up)) * width
        return (
            ExponentialBuckets.upperBound(of: max(last - width, ExponentialBuckets.first - 1)),
            ExponentialBuckets.upperBound(of: last)
        )
    }
}
