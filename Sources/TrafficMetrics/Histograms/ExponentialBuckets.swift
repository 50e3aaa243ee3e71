// Wingmirror · Apache-2.0
// Native histograms of Prometheus, standard exponential schemas.

/// The exponential buckets that durations are counted in: eight to a doubling, from a microsecond to twelve days.
///
/// Bucket *i* of schema 3 covers (2^((i-1)/8), 2^(i/8)] seconds, so a quantile is found to within 4.4 %. What is at or
/// below the zero threshold of 2^-20 s, less than packet clocks tell apart, is in the zero bucket; what is beyond 2^20 s
/// is in the last (``NativeRange``).
enum ExponentialBuckets {
    /// Buckets to a doubling, as a power of two.
    static let schema = 3
    /// The first bucket above the zero bucket.
    static let first = -159
    /// The last bucket.
    static let last = 160
    /// Up to where an observation counts as zero, in seconds.
    static let zeroThreshold = 0x1p-20

    /// 2^(k/8) for k from 0 to 7, written as constants because bounds made by repeated multiplication carry noise.
    private static let significands = [
        0x1p+0, 0x1.172b83c7d517bp+0, 0x1.306fe0a31b715p+0, 0x1.4bfdad5362a27p+0, 0x1.6a09e667f3bcdp+0,
        0x1.8ace5422aa0dbp+0, 0x1.ae89f995ad3adp+0, 0x1.d5818dcfba487p+0,
    ]

    /// The upper bound of a bucket in seconds.
    static func upperBound(of bucket: Int) -> Double {
        significands[bucket & 7] * Double(sign: .plus, exponent: bucket >> 3, significand: 1)
    }

    /// The upper bounds of the zero bucket and of all others but the last, as the greatest whole nanoseconds within.
    static var nanosecondEdges: [UInt64] {
        (first - 1..<last).map { bucket in
            let bound = upperBound(of: bucket)
            var edge = UInt64((bound * 1e9).rounded())
            // A duration lies within when it does so as the number of seconds that is shown.
            while Double(edge) / 1e9 > bound { edge -= 1 }
            while Double(edge + 1) / 1e9 <= bound { edge += 1 }
            return edge
        }
    }
}
