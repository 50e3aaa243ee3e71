// Wingmirror · Apache-2.0
// Native histograms of Prometheus, standard exponential schemas.

/// A histogram in exponential buckets, as few as readers are promised.
///
/// Made anew from the counts at each scrape. Counts only grow, so the more there is to show, the coarser it gets, and
/// never finer again until the histogram is reset. What is shown beyond the limit follows client_golang: first the zero
/// bucket is widened, and when that is not enough the resolution is halved, which always is (`ExponentialBuckets`).
struct NativeHistogram: Sendable, Hashable {
    /// Buckets to a doubling, as a power of two.
    private(set) var schema = ExponentialBuckets.schema
    /// Up to where an observation counts as zero, in base units.
    private(set) var zeroThreshold = ExponentialBuckets.zeroThreshold
    /// How many observations count as zero.
    private(set) var zeroCount: UInt64 = 0
    /// The buckets that are not empty, ascending.
    private(set) var buckets: [Bucket] = []

    /// One bucket.
    struct Bucket: Sendable, Hashable {
        var index: Int
        var count: UInt64
    }

    /// How many buckets are shown at most, without the zero bucket: what 100 µs to 60 s take at full resolution.
    static let bucketLimit = 160
    /// The last bucket that may become part of the zero bucket: up to 2^-13 s, 0.1 ms, within which no gateway answers.
    static let lastWidened = -13 * 8

    /// Shows the counts of a histogram whose layout has native buckets.
    init(_ histogram: HistogramSnapshot) {
        buckets.reserveCapacity(min(histogram.cells.count, Self.bucketLimit))
        for (bucket, count) in histogram.nativeCounts {
            if let bucket {
                buckets.append(Bucket(index: bucket, count: count))
            } else {
                zeroCount &+= count
            }
        }
        guard buckets.count > Self.bucketLimit else { return }
        widenZeroBucket()
        guard buckets.count > Self.bucketLimit else { return }
        halveResolution()
    }

    /// Whether the limit cost any precision.
    var isReduced: Bool {
        schema != ExponentialBuckets.schema || zeroThreshold != ExponentialBuckets.zeroThreshold
    }

    /// Makes the lowest buckets part of the zero bucket, as few of them as need be and none above `lastWidened`.
    private mutating func widenZeroBucket() {
        let excess = buckets[buckets.count - Self.bucketLimit - 1].index
        // An even index is a bound of the halved resolution too.
        let last = min(excess + excess & 1, Self.lastWidened)
        let absorbed = buckets.prefix { $0.index <= last }
        guard !absorbed.isEmpty else { return }
        zeroCount &+= absorbed.reduce(0) { $0 &+ $1.count }
        buckets.removeFirst(absorbed.count)
        zeroThreshold = ExponentialBuckets.upperBound(of: last)
    }

    /// Makes one bucket of each two neighbours.
    private mutating func halveResolution() {
        schema -= 1
        var halved: [Bucket] = []
        for bucket in buckets {
            // Rounded up, also below zero: bucket i covers what buckets 2i-1 and 2i did.
            let index = (bucket.index + 1) >> 1
            if let last = halved.last, last.index == index {
                halved[halved.count - 1].count &+= bucket.count
            } else {
                halved.append(Bucket(index: index, count: bucket.count))
            }
        }
        buckets = halved
    }
}

// MARK: - Spans and deltas

extension NativeHistogram {
    /// A run of buckets, and how far it is from the end of the one before; the first from bucket 0.
    struct BucketSpan: Sendable, Hashable {
        var offset: Int
        var length: Int
    }

    /// Up to how many empty buckets are written as such, which is shorter than a new span.
    private static let bridgedGap = 2

    /// The buckets as they are written: runs, and each count as its difference from the one before.
    var spansAndDeltas: (spans: [BucketSpan], deltas: [Int64]) {
        var spans: [BucketSpan] = []
        var deltas: [Int64] = []
        var next = 0
        var previous: Int64 = 0
        func append(_ count: Int64) {
            deltas.append(count &- previous)
            previous = count
            spans[spans.count - 1].length += 1
        }
        for bucket in buckets {
            let gap = bucket.index - next
            if spans.isEmpty || gap > Self.bridgedGap {
                spans.append(BucketSpan(offset: gap, length: 0))
            } else {
                for _ in 0..<gap { append(0) }
            }
            append(Int64(truncatingIfNeeded: bucket.count))
            next = bucket.index + 1
        }
        return (spans, deltas)
    }
}
