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
    private(set) var zeroThreshold: Double
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
    private let range: NativeRange

    /// Shows the counts of a histogram whose layout has native buckets.
    init(_ histogram: HistogramSnapshot) {
        guard let range = histogram.layout.nativeRange else {
            preconditionFailure("NativeHistogram.init: the layout has native buckets")
        }
        self.range = range
        zeroThreshold = range.zeroThreshold
        buckets.reserveCapacity(histogram.cells.count)
        for cell in histogram.cells {
            guard let index = histogram.layout.nativeBuckets[cell.index] else {
                // Like the buckets' below, part of the histogram's count, which fits.
                zeroCount &+= cell.count
                continue
            }
            if let last = buckets.last, last.index == index {
                buckets[buckets.count - 1].count &+= cell.count
            } else {
                buckets.append(Bucket(index: index, count: cell.count))
            }
        }
        guard buckets.count > Self.bucketLimit else { return }
        widenZeroBucket()
        guard buckets.count > Self.bucketLimit else { return }
        halveResolution()
    }

    /// Whether the limit cost any precision.
    var isReduced: Bool {
        schema != ExponentialBuckets.schema || zeroThreshold != range.zeroThreshold
    }

    /// Makes the lowest buckets part of the zero bucket, as few of them as need be and none above `lastWidened`.
    private mutating func widenZeroBucket() {
        let excess = buckets[buckets.count - Self.bucketLimit - 1].index
        // An even index is a bound of the halved resolution too.
        let last = min(excess + excess & 1, range.lastWidened)
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
    /// Up to how many empty buckets are written as such, which is shorter than a new span.
    private static let bridgedGap = 2

    /// Calls `body` with each run of buckets: how far it is from the end of the one before, the first from bucket 0, and
    /// how many buckets it has.
    func visitSpans(_ body: (_ offset: Int, _ length: Int) -> Void) {
        guard var offset = buckets.first?.index else { return }
        var length = 0
        var next = offset
        for bucket in buckets {
            let gap = bucket.index - next
            if gap > Self.bridgedGap {
                body(offset, length)
                (offset, length) = (gap, 1)
            } else {
                length += gap + 1
            }
            next = bucket.index + 1
        }
        body(offset, length)
    }

    /// Calls `body` with each count of all runs, as its difference from the one before.
    func visitDeltas(_ body: (Int64) -> Void) {
        var previous: Int64 = 0
        var next = buckets.first?.index ?? 0
        for bucket in buckets {
            let gap = bucket.index - next
            if gap > 0, gap <= Self.bridgedGap {
                body(-previous)
                for _ in 1..<gap { body(0) }
                previous = 0
            }
            let count = Int64(truncatingIfNeeded: bucket.count)
            // Deltas are signed; counts below 2^63 have one each.
            body(count &- previous)
            previous = count
            next = bucket.index + 1
        }
    }
}
