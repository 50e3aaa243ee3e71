// Wingmirror · Apache-2.0

extension RouteRecord {
    /// Lets a pair vote on what its key has not voted on yet within its window.
    mutating func voted(_ answers: PairComparison, vote: inout VoteTable.Vote, isNew: Bool) {
        count(answers.candidate)
        let candidate = positions(of: answers.candidate)
        let reference = answers.design == .unadjusted ? nil : positions(of: answers.reference)
        voted(candidate: candidate, reference: reference, vote: &vote, isNew: isNew)
    }

    /// Lets a pair vote that differs at these places, and whose reference differs at those.
    ///
    /// The pair as a whole is worse when the candidate differs at places where the reference does not, and the reference at
    /// none where the candidate does not: constant differences of the environment, which both have, hide nothing.
    mutating func voted(candidate: UInt64, reference: UInt64?, vote: inout VoteTable.Vote, isNew: Bool) {
        if isNew { unadjusted.votes += 1 }
        if candidate != 0, !vote.isMismatch {
            vote.isMismatch = true
            unadjusted.worse += 1
        }
        forEachPlace(candidate & ~vote.mismatches) { places[$0].mismatches += 1 }
        vote.mismatches |= candidate
        guard let reference else { return }
        if !vote.isPaired {
            vote.isPaired = true
            paired.votes += 1
        }
        let worse = candidate & ~reference
        let better = reference & ~candidate
        if !vote.isDecided, (worse == 0) != (better == 0) {
            vote.isDecided = true
            if worse != 0 { paired.worse += 1 } else { paired.better += 1 }
        }
        forEachPlace(worse & ~vote.places) { places[$0].worse += 1 }
        forEachPlace(better & ~vote.places) { places[$0].better += 1 }
        vote.places |= worse | better
    }

    /// The places of differences, as bits.
    private mutating func positions(of differences: [AnswerDifference]) -> UInt64 {
        differences.reduce(0) { $0 | 1 << UInt64(places.position(of: $1.place)) }
    }

    private mutating func count(_ differences: [AnswerDifference]) {
        for difference in differences {
            places[places.position(of: difference.place)].kinds[difference.kind, default: 0] += 1
        }
    }

    private func forEachPlace(_ bits: UInt64, _ body: (Int) -> Void) {
        var left = bits
        while left != 0 {
            body(left.trailingZeroBitCount)
            left &= left - 1
        }
    }
}
