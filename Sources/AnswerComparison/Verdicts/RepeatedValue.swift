// Wingmirror · Apache-2.0

/// What two ends said in an earlier pair at a place where both differ from production.
struct RepeatedValue: Sendable {
    private var earlier: (candidate: Int, reference: Int)?

    /// Takes in what both say.
    ///
    /// Pairs are held against each other two by two, so that no answer counts twice.
    /// - Returns: 1 when only the candidate says again what it said before, −1 when only the other does, and otherwise 0.
    mutating func observed(candidate: String, reference: String) -> Int64 {
        let now = (candidate: candidate.hashValue, reference: reference.hashValue)
        guard let before = earlier else {
            earlier = now
            return 0
        }
        earlier = nil
        let (ours, theirs) = (before.candidate == now.candidate, before.reference == now.reference)
        return ours == theirs ? 0 : ours ? 1 : -1
    }
}
