// Wingmirror · Apache-2.0

/// Tells the cell of a duration: exponential buckets, cut where a classic bound lies within one.
///
/// Exponential bucket and classic bucket both grow with the duration, so their sum grows whenever either does and names
/// the pair: it is the cell. A few numbers are never used, where both grow at once.
final class DurationLadder: Sendable {
    /// What the cells mean.
    let layout: HistogramLayout
    /// For each exponential bucket, the zero bucket first, how many classic bounds lie at or below its lower edge.
    private let boundsBelow: [UInt8]
    private let bounds: [UInt64]

    /// Makes a ladder with classic bounds in nanoseconds, ascending.
    init(bounds: [UInt64]) {
        self.bounds = bounds
        let bucketCount = ExponentialBuckets.last - ExponentialBuckets.first + 2
        var boundsBelow: [UInt8] = []
        for position in 0..<bucketCount {
            let below = bounds.prefix { Self.position(of: $0) < position }.count
            boundsBelow.append(UInt8(below))
        }
        self.boundsBelow = boundsBelow
        layout = Self.layout(bounds: bounds, boundsBelow: boundsBelow)
    }

    /// The cell of a duration in nanoseconds.
    @inline(__always)
    func cell(of nanoseconds: UInt64) -> Int {
        let position = Self.position(of: nanoseconds)
        var classic = Int(boundsBelow[position])
        while classic < bounds.count, nanoseconds > bounds[classic] {
            classic += 1
        }
        return position + classic
    }

    /// The exponential bucket of a duration, numbered from 0 for the zero bucket.
    @inline(__always)
    private static func position(of nanoseconds: UInt64) -> Int {
        let seconds = Double(nanoseconds) / 1e9
        guard seconds > ExponentialBuckets.zeroThreshold else { return 0 }
        let bucket = min(ExponentialBuckets.last, ExponentialBuckets.uncheckedBucket(of: seconds))
        return bucket - ExponentialBuckets.first + 1
    }

    private static func layout(bounds: [UInt64], boundsBelow: [UInt8]) -> HistogramLayout {
        let cellCount = boundsBelow.count + bounds.count
        var classicBuckets = [UInt8](repeating: 0, count: cellCount)
        var nativeBuckets = [Int?](repeating: nil, count: cellCount)
        for position in boundsBelow.indices {
            let next = position + 1 < boundsBelow.count ? Int(boundsBelow[position + 1]) : bounds.count
            for classic in Int(boundsBelow[position])...next {
                classicBuckets[position + classic] = UInt8(classic)
                nativeBuckets[position + classic] = position == 0 ? nil : position - 1 + ExponentialBuckets.first
            }
        }
        return HistogramLayout(
            unitsPerBaseUnit: 1e9,
            bounds: bounds,
            classicBuckets: classicBuckets,
            nativeBuckets: nativeBuckets
        )
    }
}
