// Wingmirror · Apache-2.0

import OctetText

/// Latencies of candidate and baseline for the same requests, sent at the same time in random order, from the end of the
/// request to the first octet of the answer.
struct LatencyRecord: Sendable {
    /// One request's latencies, in nanoseconds.
    struct Sample: Sendable {
        let candidate: Int64
        let baseline: Int64
        /// How long the copies waited for their turn, the longer of the two.
        let wait: Int64
        let time: Int64
    }

    private var logRatios: [Double] = []
    /// Latencies of the baseline, a random choice of all.
    private var baselines: [Int64] = []
    private(set) var pairs: UInt64 = 0
    /// Pairs in which the candidate took longer by more than the margin, against all others.
    private var median = Tally()
    private var waitSum = 0.0
    private var baselineSum = 0.0
    /// Beyond which latency an answer belongs to the tail; set anew from time to time by what came before.
    private var tailBound: Double?
    private var tailVotes = 0.0
    private var tail = Tally()
    private var tailPairs = (candidate: UInt64(0), baseline: UInt64(0))

    /// After how many pairs the bound of the tail is set anew.
    private static let tailInterval: UInt64 = 64
    /// The quantile of the baseline's latencies behind which the tail begins.
    private static let tailQuantile = 0.95

    /// Takes the latencies of one request.
    mutating func observed(_ sample: Sample, margin: Double, limit: Int, generator: inout SeededGenerator) {
        guard sample.candidate > 0, sample.baseline > 0, limit > 0 else { return }
        pairs += 1
        waitSum += Double(max(sample.wait, 0))
        baselineSum += Double(sample.baseline)
        median.pairSeen(Double(sample.candidate) > Double(sample.baseline) * (1 + margin) ? 1 : -1, time: sample.time)
        observeTail(sample)
        let logRatio = (Double(sample.candidate) / Double(sample.baseline)).logarithm
        if logRatios.count < limit {
            logRatios.append(logRatio)
            baselines.append(sample.baseline)
        } else {
            let position = generator.next() % pairs
            if position < UInt64(limit) {
                logRatios[Int(position)] = logRatio
                baselines[Int(position)] = sample.baseline
            }
        }
        guard baselines.count >= 100, pairs % Self.tailInterval == 0 || tailBound == nil else { return }
        let sorted = baselines.sorted()
        tailBound = Double(sorted[Int(Double(sorted.count) * Self.tailQuantile)]) * (1 + margin)
    }

    /// The bound was set by earlier pairs, so that candidate and baseline are as likely beyond it if they are alike.
    private mutating func observeTail(_ sample: Sample) {
        guard let tailBound else { return }
        let ours = Double(sample.candidate) > tailBound
        let theirs = Double(sample.baseline) > tailBound
        tailVotes += 1
        if ours { tailPairs.candidate += 1 }
        if theirs { tailPairs.baseline += 1 }
        guard ours != theirs else { return }
        if ours { tail.worse += 1 } else { tail.better += 1 }
        tail.pairSeen(ours ? 1 : -1, time: sample.time)
    }

    /// A block of time ended.
    mutating func blockEnded() {
        median.blockEnded()
        tail.blockEnded()
    }

    /// What the latencies say.
    ///
    /// "Higher" speaks of the median and needs three things: evidence, valid at any time, that more than half of the requests
    /// take longer by more than the margin, and that they do in more than half of the blocks of time, since a server that was
    /// just started is slow for a moment, however many requests fall into it; a shift beyond the margin; and an interval of the shift whose lower end is more
    /// than a quarter of its estimate, the bound on effect sizes of Kayenta's judge. The tail is judged apart, by the share of
    /// answers that take longer than all but a twentieth of the baseline's, and the margin on top. While copies wait for
    /// their turn for longer than the difference that is looked for, the agent's own delay is in both latencies, and
    /// nothing is called similar; nor is a candidate that has been slower so far, and not for long enough to be called higher.
    /// - Parameters:
    ///   - margin: How much longer the candidate may take.
    ///   - tailMargin: By how much its share in the tail may exceed the baseline's.
    ///   - logThreshold: The logarithm of the evidence needed.
    ///   - leastPairs: Fewer give no verdict.
    /// - Returns: `nil` without any pair.
    func verdict(margin: Double, tailMargin: Double, logThreshold: Double, leastPairs: Int) -> LatencyVerdict? {
        guard let shift = SignedRankShift(differences: logRatios) else { return nil }
        let logMargin = (1 + margin).logarithm
        let evidence = [median.pairs, median.allBlocks].map {
            SignEvidence.logarithm(worse: $0.worse, better: $0.better)
        }
        .reduce(.infinity, min)
        let isBusy = waitSum > baselineSum * margin
        let isSlowSoFar =
            pairs >= UInt64(leastPairs) && shift.lower > logMargin && 2 * median.pairs.worse > pairs
        let classification: LatencyVerdict.Classification =
            if pairs < UInt64(leastPairs) {
                .unknown
            } else if evidence >= logThreshold, shift.estimate > logMargin, shift.lower > shift.estimate / 4 {
                .higher
            } else if shift.estimate < -logMargin, shift.upper < shift.estimate / 4 {
                .lower
            } else {
                isBusy || isSlowSoFar ? .unknown : .similar
            }
        return LatencyVerdict(
            classification: classification,
            pairs: pairs,
            slower: median.pairs.worse,
            isSlowSoFar: isSlowSoFar,
            ratio: shift.estimate.exponential,
            ratioLower: shift.lower.exponential,
            ratioUpper: shift.upper.exponential,
            logEvidence: evidence,
            waitSeconds: waitSum / Double(max(pairs, 1)) / 1e9,
            tail: tailVerdict(margin: tailMargin, logThreshold: logThreshold, leastPairs: leastPairs)
        )
    }

    private func tailVerdict(margin: Double, logThreshold: Double, leastPairs: Int) -> LatencyVerdict.Tail {
        let count = VoteCount(votes: tailVotes, worse: tail.worse, better: tail.better)
        let evidence = VerdictRecord.evidence(
            count,
            tail,
            margin: margin,
            keys: nil,
            needsKeys: false,
            atLeast: 0
        )
        return LatencyVerdict.Tail(
            boundSeconds: tailBound.map { $0 / 1e9 },
            candidateShare: tailVotes > 0 ? Double(tailPairs.candidate) / tailVotes : 0,
            baselineShare: tailVotes > 0 ? Double(tailPairs.baseline) / tailVotes : 0,
            logEvidence: evidence.least,
            isHigher: tailVotes >= Double(leastPairs) && evidence.least >= logThreshold
        )
    }
}
