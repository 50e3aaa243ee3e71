// Wingmirror · Apache-2.0

/// How much time lay between answers, over all pairs of a route: how often passing time alone can have changed a value.
///
/// What changes by itself does so between production's answer and the baseline's, too, and there is always time between
/// those. From how rarely the baseline differs follows how fast a value can change at most, and from that, in how many pairs
/// it can have changed between the answers of baseline and candidate.
struct TimeExposure: Sendable, Hashable {
    /// Pairs of which the times are known.
    private(set) var pairs: UInt64 = 0
    /// The time between production's answer and asking the baseline, summed up, in nanoseconds.
    private(set) var lag = 0.0
    /// The most that may lie between the answers of baseline and candidate, summed up, in nanoseconds.
    private(set) var reach = 0.0

    /// Takes in a pair.
    mutating func observed(_ moments: AskingMoments) {
        guard let lag = moments.lag else { return }
        pairs += 1
        self.lag += Double(lag)
        reach += Double(moments.reach)
    }

    /// In how many pairs a value can have changed between the answers of candidate and baseline, at most.
    ///
    /// If changes come at a rate r, each pair in which the baseline's value is not production's was as likely as at most r
    /// times what the unchanged pairs waited, however long single pairs waited: 1 − e^−x ≤ x, and x·e^−x ≤ 1 − e^−x. The count
    /// is taken at its upper end, and so is what follows.
    /// - Parameters:
    ///   - changed: Pairs in which the baseline's value is another one than production's.
    ///   - changedLag: What those waited, in nanoseconds.
    /// - Returns: Without bound where nothing is known.
    func mostChanges(changed: UInt64, changedLag: Double) -> Double {
        let unchangedLag = lag - changedLag
        guard pairs > 0, unchangedLag > 0 else { return .infinity }
        let count = Double(changed)
        let rate = (count + 2 * count.squareRoot() + 3) / unchangedLag
        let most = min(Double(pairs), rate * reach)
        return most + 3 * most.squareRoot() + Double(AskingOrder.surplusLimit)
    }
}
