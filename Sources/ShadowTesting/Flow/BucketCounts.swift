// Wingmirror · Apache-2.0

/// A histogram as plain counts, with inclusive upper bounds as Prometheus has them.
public struct BucketCounts: Sendable, Hashable {
    /// The upper bounds in growing order, in the unit of what is observed; one more bucket has none.
    public let bounds: [Int64]
    /// How many observations each bucket has, not cumulative; one more than there are bounds.
    public private(set) var counts: [UInt64]
    /// The sum of all observations.
    public private(set) var sum: Double = 0

    /// Makes an empty histogram.
    init(bounds: [Int64]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// How many observations there are.
    var count: UInt64 { counts.reduce(0, +) }

    /// Counts an observation; a negative one, as clocks that go back give, is zero.
    mutating func observe(_ value: Int64) {
        let value = max(value, 0)
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        counts[low] += 1
        sum += Double(value)
    }

    /// From a millisecond to a minute, in nanoseconds.
    public static let durationBounds: [Int64] =
        [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000].map { $0 * 1_000_000 }
    /// From nothing to 16 MiB in powers of four, in octets.
    public static let sizeBounds: [Int64] = [0] + (4...12).map { Int64(1) << (2 * $0) }
}
