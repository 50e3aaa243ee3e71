// Wingmirror · Apache-2.0

/// Counters of a route by combination of labels of which few occur: method, protocol, status and error.
///
/// One thread counts, any thread reads. The writer finds a counter through an index of its own; readers walk the
/// counters, which never move.
struct CombinationCounters: ~Copyable, Sendable {
    /// Pairs of words: the combination, then its count.
    private let pairs = GrowingWords()
    private let index = CombinationIndex()

    /// Counts one more, writer only; `false` if the combination has no counter yet.
    @inline(__always)
    func increment(_ combination: UInt32) -> Bool {
        guard let pair = index.find(combination) else { return false }
        pairs.increment(pair * 2 + 1)
        return true
    }

    /// Begins to count a combination that has no counter yet, at one; writer only.
    func begin(_ combination: UInt32) {
        pairs.append(UInt64(combination), 1)
        index.insert(combination)
    }

    /// Calls `body` with each combination and its count, in the order in which they first occurred.
    func visit(_ body: (_ combination: UInt32, _ count: UInt64) -> Void) {
        for pair in 0..<pairs.count / 2 {
            body(UInt32(truncatingIfNeeded: pairs.load(pair * 2)), pairs.load(pair * 2 + 1))
        }
    }
}
