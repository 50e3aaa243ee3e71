// Wingmirror · Apache-2.0
// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

/// Bounds of a share that was observed.
enum WilsonInterval {
    /// The 97.5th percentile of the normal distribution, for intervals that hold 95 times in a hundred.
    static let normalQuantile = 1.959_963_984_540_054

    /// The upper end of the interval of 95 %; 1 without observations.
    static func upper(_ count: UInt64, of total: UInt64) -> Double {
        bound(count, of: total, sign: 1)
    }

    /// The lower end; 0 without observations.
    static func lower(_ count: UInt64, of total: UInt64) -> Double {
        total == 0 ? 0 : bound(count, of: total, sign: -1)
    }

    private static func bound(_ count: UInt64, of total: UInt64, sign: Double) -> Double {
        guard total > 0 else { return 1 }
        let n = Double(total)
        let share = Double(count) / n
        let square = normalQuantile * normalQuantile
        let centre = share + square / (2 * n)
        let spread = normalQuantile * (share * (1 - share) / n + square / (4 * n * n)).squareRoot()
        return min(1, max(0, (centre + sign * spread) / (1 + square / n)))
    }
}
