// Wingmirror · Apache-2.0
// Native histograms of Prometheus, standard exponential schemas.

/// The exponential buckets that durations are counted in: eight to a doubling, from a microsecond to twelve days.
///
/// Bucket *i* of schema 3 covers (2^((i-1)/8), 2^(i/8)] seconds, so a quantile is found to within 4.4 %. What is at or
/// below the zero threshold of 2^-20 s, less than packet clocks tell apart, is in the zero bucket; what is beyond 2^20 s
/// is in the last. That leaves 320 buckets, and exactly 160 once two neighbours are merged, so a native histogram can
/// always be shown within 160 buckets and no client can make one grow.
enum ExponentialBuckets {
    /// Buckets to a doubling, as a power of two.
    static let schema = 3
    /// The first bucket above the zero bucket.
    static let first = -159
    /// The last bucket.
    static let last = 160
    /// Up to where an observation counts as zero, in seconds.
    static let zeroThreshold = 0x1p-20

    /// The lower halves of the bounds' significands, 2^(k/8) for k from 1 to 7, as the 52 bits after the point.
    ///
    /// Written as constants, because bounds made by repeated multiplication carry noise.
    private static let significands: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
        (0x1.172b83c7d517bp+0).significandBitPattern,
        (0x1.306fe0a31b715p+0).significandBitPattern,
        (0x1.4bfdad5362a27p+0).significandBitPattern,
        (0x1.6a09e667f3bcdp+0).significandBitPattern,
        (0x1.8ace5422aa0dbp+0).significandBitPattern,
        (0x1.ae89f995ad3adp+0).significandBitPattern,
        (0x1.d5818dcfba487p+0).significandBitPattern
    )

    /// The bucket of a duration in seconds, `nil` for the zero bucket.
    static func bucket(of seconds: Double) -> Int? {
        guard seconds > zeroThreshold else { return nil }
        return min(last, uncheckedBucket(of: seconds))
    }

    /// The bucket of any positive, finite, normal value.
    ///
    /// With the significand in [1, 2) and exponent *e*, the bucket is 8·e plus the number of bounds 2^(k/8), k from 0
    /// to 7, below the significand: comparisons of integers, and no logarithm whose rounding could miss an edge.
    @inline(__always)
    static func uncheckedBucket(of value: Double) -> Int {
        let significand = value.significandBitPattern
        let exponent = Int(value.exponentBitPattern) - 1023
        var position = significand > 0 ? 1 : 0
        position += significand > significands.0 ? 1 : 0
        position += significand > significands.1 ? 1 : 0
        position += significand > significands.2 ? 1 : 0
        position += significand > significands.3 ? 1 : 0
        position += significand > significands.4 ? 1 : 0
        position += significand > significands.5 ? 1 : 0
        position += significand > significands.6 ? 1 : 0
        return exponent * 8 + position
    }

    /// The upper bound of a bucket in seconds.
    static func upperBound(of bucket: Int) -> Double {
        let exponent = bucket >> 3
        let fractions = [
            0, significands.0, significands.1, significands.2, significands.3, significands.4, significands.5,
            significands.6,
        ]
        return Double(
            sign: .plus,
            exponentBitPattern: UInt(exponent + 1023),
            significandBitPattern: fractions[bucket & 7]
        )
    }
}
