// Wingmirror · Apache-2.0

/// How often something about the answers has been worse, and how often better, counted in four ways.
///
/// The votes say how much there is. The other three say what it rests on: requests, for people; blocks of time, so that one
/// bad moment is one thing that happened, however many requests fell into it; and keys, so that one user's broken cart is
/// one thing too, however long it stays broken. Evidence is only what all of them bear out (`VerdictRecord`).
struct Tally: Sendable, Hashable {
    /// Two counts, one for each side.
    struct Sides: Sendable, Hashable {
        var worse: UInt64 = 0
        var better: UInt64 = 0

        /// Counts what has a sign, and nothing for 0.
        mutating func count(_ net: Int64) {
            if net > 0 { worse += 1 } else if net < 0 { better += 1 }
        }

        /// Whether neither is ahead by more than this many standard deviations of as many throws of a coin.
        func isEven(within deviations: UInt64) -> Bool {
            let (count, ahead) = (worse + better, max(worse, better) - min(worse, better))
            return ahead * ahead <= deviations * deviations * count
        }

        /// What has come since.
        func since(_ earlier: Sides) -> Sides {
            Sides(worse: worse - min(worse, earlier.worse), better: better - min(better, earlier.better))
        }

        /// Makes both so many times as large.
        mutating func scale(by factor: Double) {
            worse = UInt64(Double(worse) * factor)
            better = UInt64(Double(better) * factor)
        }

        /// Takes back what has been counted.
        mutating func discount(_ net: Int64) {
            if net > 0 { worse -= 1 } else if net < 0 { better -= 1 }
        }
    }

    /// Weighted votes.
    var worse = 0.0
    var better = 0.0
    /// Pairs.
    var pairs = Sides()
    /// Blocks of time that have ended, by what prevailed in them.
    private(set) var blocks = Sides()
    /// Keys, by what has prevailed for them.
    var keys = Sides()
    /// What prevails in the block that has not ended.
    private var blockNet: Int64 = 0
    /// When a pair was last worse, in nanoseconds since the Unix epoch.
    private(set) var lastWorse: Int64?
    private(set) var lastBetter: Int64?

    /// A pair was worse (1) or better (−1).
    mutating func pairSeen(_ side: Int64, time: Int64) {
        pairs.count(side)
        blockNet += side
        if side > 0 { lastWorse = max(lastWorse ?? time, time) } else { lastBetter = max(lastBetter ?? time, time) }
    }

    /// A block of time ended.
    mutating func blockEnded() {
        blocks.count(blockNet)
        blockNet = 0
    }

    /// Makes the blocks so many times as many.
    mutating func scaleBlocks(by factor: Double) { blocks.scale(by: factor) }

    /// The blocks, the one that has not ended among them.
    var allBlocks: Sides {
        var all = blocks
        all.count(blockNet)
        return all
    }

    /// What has come since an earlier state; a key that had said the opposite before is not told apart.
    func since(_ earlier: Tally) -> Tally {
        var rest = self
        rest.worse = max(0, worse - earlier.worse)
        rest.better = max(0, better - earlier.better)
        rest.pairs = pairs.since(earlier.pairs)
        rest.blocks = blocks.since(earlier.blocks)
        rest.keys = keys.since(earlier.keys)
        return rest
    }

    /// The tally as it is seen from the other side.
    var mirrored: Tally {
        var other = self
        swap(&other.worse, &other.better)
        other.pairs = Sides(worse: pairs.better, better: pairs.worse)
        other.blocks = Sides(worse: blocks.better, better: blocks.worse)
        other.keys = Sides(worse: keys.better, better: keys.worse)
        other.blockNet = -blockNet
        (other.lastWorse, other.lastBetter) = (lastBetter, lastWorse)
        return other
    }
}
