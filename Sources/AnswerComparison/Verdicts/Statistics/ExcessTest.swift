// Wingmirror · Apache-2.0
// Confidence sequences by betting: Waudby-Smith and Ramdas, 2024. Non-inferiority with a margin.

/// Evidence about the share of votes by which worse exceeds better, and the interval that goes with it.
///
/// Each vote is worth +1 (worse), −1 (better) or 0. Against "the mean is at most µ" a bet of γ between 0 and 1 multiplies
/// the evidence by 1 + γ(D − µ) ÷ (1 + µ), which no such mean lets grow on average; the evidence is the mean over all bets
/// γ = sin φ with φ uniform in a quarter of a circle. At µ = 0 that is `SignEvidence`, with γ = 2θ − 1. The evidence depends on
/// the three counts only, so nothing has to be kept of the order of votes, and bounds hold at any time.
struct ExcessTest: Sendable, Hashable {
    let worse: Double
    let better: Double
    let equal: Double

    /// Takes votes and how many of them are worse and better.
    init(_ count: VoteCount) {
        worse = max(0, count.worse)
        better = max(0, count.better)
        // Weights of a vote are thirds and sevenths, whose sums may come out a little more than the vote.
        equal = max(0, count.votes - worse - better)
    }

    private init(worse: Double, better: Double, equal: Double) {
        self.worse = worse
        self.better = better
        self.equal = equal
    }

    /// The votes as they are seen from the other side.
    private var mirrored: ExcessTest { ExcessTest(worse: better, better: worse, equal: equal) }

    private var votes: Double { worse + better + equal }

    /// The share of votes by which worse exceeds better; 0 without any.
    var excess: Double { votes > 0 ? (worse - better) / votes : 0 }

    // MARK: - Evidence

    /// The natural logarithm of the evidence against "the mean is at most `mean`"; 0 where it is less than `least`.
    func logEvidence(above mean: Double, atLeast least: Double = 0) -> Double {
        let bets = Bets(self, mean: mean)
        guard let peak = bets.peak, bets.logValue(peak) >= least else { return 0 }
        return max(0, bets.logIntegral(around: peak))
    }

    /// The natural logarithm of the evidence against "the mean is at most `mean`", negative where votes speak for that.
    ///
    /// Only so may the mean be taken of the evidence of several nodes: what speaks for a target at one weighs against another's.
    func wholeLogEvidence(above mean: Double) -> Double {
        guard votes > 0 else { return 0 }
        let bets = Bets(self, mean: mean)
        return bets.logIntegral(around: bets.peak ?? 0)
    }

    /// Whether the evidence against "the mean is at most `mean`" reaches a threshold, given by its logarithm.
    ///
    /// Mostly answered by the best single bet, of which the mean over all bets cannot be more.
    func isAbove(_ mean: Double, logThreshold: Double) -> Bool {
        let bets = Bets(self, mean: mean)
        guard let peak = bets.peak, bets.logValue(peak) >= logThreshold else { return false }
        return bets.logIntegral(around: peak) >= logThreshold
    }

    /// Whether the evidence against "the mean is at least `mean`" reaches a threshold.
    func isBelow(_ mean: Double, logThreshold: Double) -> Bool {
        mirrored.isAbove(-mean, logThreshold: logThreshold)
    }

    // MARK: - Bounds

    /// The largest mean that is refuted from below; −1 when none is.
    func lowerBound(logThreshold: Double) -> Double {
        guard votes > 0 else { return -1 }
        var refuted = -1.0
        var open = excess
        for _ in 0..<40 where open - refuted > 1e-7 {
            let middle = (refuted + open) / 2
            if isAbove(middle, logThreshold: logThreshold) { refuted = middle } else { open = middle }
        }
        return refuted
    }

    /// The smallest mean that is refuted from above; 1 when none is.
    func upperBound(logThreshold: Double) -> Double {
        -mirrored.lowerBound(logThreshold: logThreshold)
    }
}

// MARK: -

/// The evidence as a function of the bet.
///
/// The bet is γ = 2u ÷ (1 + u²), u = tan(φ ÷ 2), which needs no sine.
private struct Bets {
    let votes: ExcessTest
    /// What a worse vote adds for each unit of the bet.
    let gain: Double
    /// What an equal vote adds.
    let drift: Double

    init(_ votes: ExcessTest, mean: Double) {
        self.votes = votes
        // A mean of −1 leaves nothing to bet against; the bound is approached, not reached.
        let width = max(1 + mean, 1e-9)
        gain = (1 - mean) / width
        drift = -mean / width
    }

    private func bet(_ u: Double) -> Double { 2 * u / (1 + u * u) }

    /// The logarithm of the product of all factors for one bet.
    func logValue(_ u: Double) -> Double {
        let bet = bet(u)
        var sum = 0.0
        if votes.worse > 0 { sum += votes.worse * (1 + bet * gain).logarithm }
        if votes.better > 0 { sum += votes.better * max(0, 1 - bet).logarithm }
        if votes.equal > 0 { sum += votes.equal * max(0, 1 + bet * drift).logarithm }
        return sum
    }

    private func slope(_ bet: Double) -> Double {
        var sum = votes.worse * gain / (1 + bet * gain)
        if votes.better > 0 { sum -= votes.better / max(1 - bet, 1e-300) }
        return sum + votes.equal * drift / max(1 + bet * drift, 1e-300)
    }

    /// The best bet; `nil` when it is not to bet.
    ///
    /// The logarithm is concave in the bet, so there is one.
    var peak: Double? {
        guard slope(0) > 0 else { return nil }
        guard slope(1) < 0 else { return 1 }
        return Self.bisected(0, 1) { slope(bet($0)) > 0 }
    }

    /// The logarithm of the mean over all bets: Simpson's rule on both sides of the peak, as far as anything is to be added.
    func logIntegral(around peak: Double) -> Double {
        let height = logValue(peak)
        let floor = height - 40
        let start = logValue(0) > floor ? 0 : Self.bisected(0, peak) { logValue($0) <= floor }
        let end = logValue(1) > floor ? 1 : Self.bisected(1, peak) { logValue($0) <= floor }
        let area = integral(from: start, to: peak, height: height) + integral(from: peak, to: end, height: height)
        return height + (area * 4).logarithm - Double.logarithmOfPi
    }

    /// The integral of value ÷ (1 + u²), with the value relative to its height.
    private func integral(from start: Double, to end: Double, height: Double) -> Double {
        guard end > start else { return 0 }
        let steps = 48
        let width = (end - start) / Double(steps)
        var sum = 0.0
        for step in 0...steps {
            let u = start + width * Double(step)
            let weight = step == 0 || step == steps ? 1.0 : step.isMultiple(of: 2) ? 2.0 : 4.0
            sum += weight * (logValue(u) - height).exponential / (1 + u * u)
        }
        return sum * width / 3
    }

    /// A place between two, where `isNearFirst` turns from true to false.
    private static func bisected(_ first: Double, _ second: Double, isNearFirst: (Double) -> Bool) -> Double {
        var near = first
        var far = second
        for _ in 0..<44 {
            let middle = (near + far) / 2
            if isNearFirst(middle) { near = middle } else { far = middle }
        }
        return near
    }
}
