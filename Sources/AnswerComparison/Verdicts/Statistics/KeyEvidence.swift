// Wingmirror · Apache-2.0

/// Evidence, valid at any time, that a candidate is worse for more keys than chance makes it.
///
/// A key that is off for good at either end, such as a user whose cart is broken in one database, votes on it again and
/// again. So keys are counted once: if the ends are alike, one that is off is as likely off at either end, which is the
/// evidence of signs. Where few keys are seen at all, that can never be enough, even if the candidate is wrong for each of
/// them; there the share of keys counts too, against the assumption that no more than one in ten is off by chance.
/// The mean of two pieces of evidence is evidence.
enum KeyEvidence {
    /// The share of keys that may be off by chance.
    static let toleratedShare = 0.1

    /// The natural logarithm of the evidence.
    /// - Parameters:
    ///   - keys: Keys for which the candidate is worse, and better.
    ///   - seen: Keys seen at all; `nil` when they are many.
    /// - Returns: The logarithm.
    static func logarithm(_ keys: Tally.Sides, seen: Int?) -> Double {
        let signs = SignEvidence.logarithm(worse: keys.worse, better: keys.better)
        guard let seen else { return signs }
        let share = shareLogarithm(worse: keys.worse, of: max(UInt64(seen), keys.worse))
        let most = max(signs, share)
        return most + (((signs - most).exponential + (share - most).exponential) / 2).logarithm
    }

    /// The logarithm of the mean likelihood ratio of the shares above the tolerated one, by Simpson's rule.
    private static func shareLogarithm(worse: UInt64, of seen: UInt64) -> Double {
        let (hits, misses) = (Double(worse), Double(seen - worse))
        let steps = 60
        let terms = (0...steps).map { step -> (weight: Double, value: Double) in
            let share = toleratedShare + (1 - toleratedShare) * Double(step) / Double(steps)
            let weight = step == 0 || step == steps ? 1.0 : step.isMultiple(of: 2) ? 2.0 : 4.0
            let missed = misses > 0 ? misses * (max(1 - share, 1e-12) / (1 - toleratedShare)).logarithm : 0
            return (weight, hits * (share / toleratedShare).logarithm + missed)
        }
        let height = terms.map(\.value).max() ?? 0
        let sum = terms.reduce(0) { $0 + $1.weight * ($1.value - height).exponential }
        return height + (sum / Double(3 * steps)).logarithm
    }
}
