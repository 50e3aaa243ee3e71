// Wingmirror · Apache-2.0

/// What two ends said in an earlier pair at a place where both differ from production.
struct RepeatedValue: Sendable {
    /// What only one of them saying again what it said before means.
    enum Side: Sendable, Hashable {
        /// Neither, or both did.
        case neither
        /// Of values that are new each time: 1 when only the candidate did, −1 when only the other.
        case ofNewValues(Int64)
        /// Of a few values that come again and again, such as the names of servers, of which one place may have more than
        /// another.
        case ofFewValues(Int64)
    }

    private var earlier: (candidate: Int, reference: Int)?
    /// Pairs held against each other, and those in which the other end said the same again.
    private var seen: UInt64 = 0
    private var referenceRepeats: UInt64 = 0
    /// Fewer say nothing of how many values there are.
    private static let leastSeen: UInt64 = 16
    /// Values of which less than one in so many is the one before are called new each time.
    private static let fewestNew: UInt64 = 8

    /// Takes in what both say.
    ///
    /// Pairs are held against each other two by two, so that no answer counts twice. Whether values are new each time follows
    /// from the pairs before alone, so that neither side is chosen.
    mutating func observed(candidate: String, reference: String) -> Side {
        let now = (candidate: candidate.hashValue, reference: reference.hashValue)
        guard let before = earlier else {
            earlier = now
            return .neither
        }
        earlier = nil
        let areNew = seen >= Self.leastSeen && referenceRepeats * Self.fewestNew < seen
        let (ours, theirs) = (before.candidate == now.candidate, before.reference == now.reference)
        seen += 1
        if theirs { referenceRepeats += 1 }
        guard ours != theirs else { return .neither }
        let side: Int64 = ours ? 1 : -1
        return areNew ? .ofNewValues(side) : .ofFewValues(side)
    }
}
