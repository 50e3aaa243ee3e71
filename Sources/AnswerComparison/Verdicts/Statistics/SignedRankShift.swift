// Wingmirror · Apache-2.0
// Hodges and Lehmann, 1963; Wilcoxon's signed ranks.

/// By how much paired values are shifted: the median of all means of two, and the interval of Wilcoxon's signed ranks.
struct SignedRankShift: Sendable, Hashable {
    /// The Hodges–Lehmann estimate.
    let estimate: Double
    /// The lower end of the interval of 95 %.
    let lower: Double
    /// The upper end.
    let upper: Double

    /// Takes the paired differences; `nil` without any.
    init?(differences: [Double]) {
        guard !differences.isEmpty else { return nil }
        let means = WalshMeans(sorted: differences.sorted())
        let n = Double(differences.count)
        let spread = WilsonInterval.normalQuantile * (n * (n + 1) * (2 * n + 1) / 24).squareRoot()
        let outer = min(means.count, max(1, Int((n * (n + 1) / 4 - spread).rounded())))
        estimate = (means.value(rank: (means.count + 1) / 2) + means.value(rank: means.count / 2 + 1)) / 2
        lower = means.value(rank: outer)
        upper = means.value(rank: means.count + 1 - outer)
    }
}

/// The means of every two of some values, each with itself among them, found by rank without listing them.
private struct WalshMeans {
    let sorted: [Double]
    var count: Int { sorted.count * (sorted.count + 1) / 2 }

    /// The mean of that rank, from 1, to about 12 digits of the range.
    func value(rank: Int) -> Double {
        guard var low = sorted.first, var high = sorted.last else { return 0 }
        if countUpTo(low) >= rank { return low }
        for _ in 0..<46 {
            let middle = low + (high - low) / 2
            if countUpTo(middle) >= rank { high = middle } else { low = middle }
        }
        return high
    }

    /// How many means are at most `bound`: one walk from both ends.
    private func countUpTo(_ bound: Double) -> Int {
        var total = 0
        var partner = sorted.count - 1
        for index in sorted.indices {
            while partner >= index, sorted[index] + sorted[partner] > 2 * bound { partner -= 1 }
            guard partner >= index else { break }
            total += partner - index + 1
        }
        return total
    }
}
