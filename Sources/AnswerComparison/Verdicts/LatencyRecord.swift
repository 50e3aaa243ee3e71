// Wingmirror · Apache-2.0

import OctetText

/// Latencies of candidate and baseline for the same requests, sent at the same time in random order.
struct LatencyRecord: Sendable {
    private var logRatios: [Double] = []
    private(set) var pairs: UInt64 = 0
    /// Pairs in which the candidate took longer by more than the margin.
    private var beyond: UInt64 = 0

    /// Takes the latencies of one request, in nanoseconds.
    mutating func observed(
        candidate: Int64,
        baseline: Int64,
        margin: Double,
        limit: Int,
        generator: inout SeededGenerator
    ) {
        guard candidate > 0, baseline > 0 else { return }
        pairs += 1
        if Double(candidate) > Double(baseline) * (1 + margin) { beyond += 1 }
        let logRatio = (Double(candidate) / Double(baseline)).logarithm
        if logRatios.count < limit {
            logRatios.append(logRatio)
        } else {
            let position = generator.next() % pairs
            if position < UInt64(limit) { logRatios[Int(position)] = logRatio }
        }
    }

    /// What the latencies say.
    ///
    /// "Higher" needs three things: evidence, valid at any time, that more than half of the requests take longer by more than
    /// the margin; a shift beyond the margin; and an interval of the shift whose lower end is more than a quarter of its
    /// estimate, the bound on effect sizes of Kayenta's judge.
    /// - Parameters:
    ///   - margin: How much longer the candidate may take.
    ///   - logThreshold: The logarithm of the evidence needed.
    ///   - leastPairs: Fewer give no verdict.
    /// - Returns: `nil` without any pair.
    func verdict(margin: Double, logThreshold: Double, leastPairs: Int) -> LatencyVerdict? {
        guard let shift = SignedRankShift(differences: logRatios) else { return nil }
        let logMargin = (1 + margin).logarithm
        let evidence = SignEvidence.logarithm(worse: beyond, better: pairs - beyond)
        let classification: LatencyVerdict.Classification =
            if pairs < UInt64(leastPairs) {
                .unknown
            } else if evidence >= logThreshold, shift.estimate > logMargin, shift.lower > shift.estimate / 4 {
                .higher
            } else if shift.estimate < -logMargin, shift.upper < shift.estimate / 4 {
                .lower
            } else {
                .similar
            }
        return LatencyVerdict(
            classification: classification,
            pairs: pairs,
            slower: beyond,
            ratio: shift.estimate.exponential,
            ratioLower: shift.lower.exponential,
            ratioUpper: shift.upper.exponential,
            logEvidence: evidence
        )
    }
}
