// Wingmirror · Apache-2.0
// Native histograms of Prometheus, standard exponential schemas.

/// Which exponential buckets a histogram has, all of `ExponentialBuckets.schema`.
///
/// Either range leaves 320 buckets, and exactly 160 once two neighbours are merged, so a native histogram can always be
/// shown within 160 buckets and no client can make one grow.
struct NativeRange: Sendable, Hashable {
    /// Up to where an observation counts as zero, in base units.
    let zeroThreshold: Double
    /// The first bucket above the zero bucket.
    let first: Int
    /// The last bucket, which has no upper bound.
    let last: Int
    /// The last bucket that may become part of the zero bucket.
    let lastWidened: Int

    /// Durations in seconds, from a microsecond to twelve days; within 0.1 ms, which may be given up, no gateway answers.
    static let durations = NativeRange(
        zeroThreshold: ExponentialBuckets.zeroThreshold,
        first: ExponentialBuckets.first,
        last: ExponentialBuckets.last,
        lastWidened: -13 * 8
    )
    /// Sizes in octets, from two to 2^40; up to 64 octets may be given up.
    static let sizes = NativeRange(zeroThreshold: 1, first: 1, last: 320, lastWidened: 6 * 8)

    /// The upper bounds of the zero bucket and of all others but the last, as the greatest whole octets within.
    var wholeEdges: [UInt64] {
        (first - 1..<last).map { UInt64(ExponentialBuckets.upperBound(of: $0)) }
    }
}
