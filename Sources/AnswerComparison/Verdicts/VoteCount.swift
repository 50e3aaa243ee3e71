// Wingmirror · Apache-2.0

/// Votes for and against a target.
///
/// A vote is the mean of what the requests of one key within one window say, each +1 (worse), −1 (better) or 0, so the
/// counts of worse and better votes have fractions.
struct VoteCount: Sendable, Hashable {
    var votes = 0.0
    var worse = 0.0
    var better = 0.0

    /// Makes a count of its parts.
    init(votes: Double = 0, worse: Double = 0, better: Double = 0) {
        self.votes = votes
        self.worse = worse
        self.better = better
    }

    /// The same votes with as many equal ones more.
    func adding(equal count: Double) -> VoteCount {
        VoteCount(votes: votes + count, worse: worse, better: better)
    }

    /// The same votes with as many more against the target.
    func adding(worse count: Double) -> VoteCount {
        VoteCount(votes: votes + count, worse: worse + count, better: better)
    }

    /// The same votes, as many of the equal ones turned against the target as that.
    func turning(worse count: Double) -> VoteCount {
        VoteCount(votes: votes, worse: worse + max(0, min(count, votes - worse - better)), better: better)
    }

    /// The same votes, no more of them for the target than against it.
    ///
    /// Were the ends alike, neither would be ahead. Where the other side is worse in more, as one that fails for requests of its own is,
    /// it is another server, and what it is worse in is no excuse for what the target is worse in.
    var withoutCredit: VoteCount { VoteCount(votes: votes, worse: worse, better: min(better, worse)) }
}
