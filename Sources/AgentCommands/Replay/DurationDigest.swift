// Wingmirror · Apache-2.0

import AgentConfiguration
import OctetText

/// Durations counted in buckets of 1.6 % width, so that quantiles of any number of them take the same memory.
struct DurationDigest: Sendable, Equatable {
    /// The bits of a duration that tell buckets apart, beside its highest.
    private static let precision = 6

    private var counts: [Int: Int] = [:]
    /// How many there are.
    private(set) var count = 0
    /// The longest, exactly.
    private(set) var longest = Duration.zero

    /// Counts a duration; a negative one is none.
    mutating func add(_ duration: Duration) {
        let duration = max(duration, .zero)
        counts[Self.bucket(duration.nanoseconds), default: 0] += 1
        count += 1
        longest = max(longest, duration)
    }

    /// The duration that a share of all does not exceed, to within the width of a bucket; `nil` when there is none.
    func quantile(_ share: Double) -> Duration? {
        guard count > 0 else { return nil }
        let rank = max(1, Int((share * Double(count)).rounded(.up)))
        var passed = 0
        for bucket in counts.keys.sorted() {
            passed += counts[bucket] ?? 0
            if passed >= rank { return min(.nanoseconds(Self.upperBound(of: bucket)), longest) }
        }
        return longest
    }

    /// The number of the bucket: how far the highest bit is up, then the bits behind it.
    private static func bucket(_ nanoseconds: Int64) -> Int {
        guard nanoseconds >= 1 << precision else { return Int(nanoseconds) }
        let shift = 63 - nanoseconds.leadingZeroBitCount - precision
        return (shift + 1) << precision + Int(nanoseconds >> shift) - 1 << precision
    }

    private static func upperBound(of bucket: Int) -> Int64 {
        guard bucket >= 1 << precision else { return Int64(bucket) }
        let shift = bucket >> precision - 1
        let bits = Int64(bucket & (1 << precision - 1) + 1 << precision)
        return bits << shift + (1 << shift - 1)
    }
}
