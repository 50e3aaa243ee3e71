// Wingmirror · Apache-2.0

/// Counters of a route by combination of labels of which few occur: method, protocol, status and error.
///
/// One thread counts, any thread reads. The writer finds a counter through an index of its own; readers walk the
/// counters, which never move.
struct CombinationCounters: ~Copyable, Sendable {
    /// Pairs of words: the combination, in the upper half of its word the second in which it began, then its count.
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
    /// - Parameters:
    ///   - combination: The combination.
    ///   - time: Nanoseconds since the Unix epoch, kept to the second and as the nearest that 32 bits hold.
    func begin(_ combination: UInt32, at time: Int64) {
        let second = UInt32(clamping: time / 1_000_000_000)
        pairs.append(UInt64(second) << 32 | UInt64(combination), 1)
        index.insert(combination)
    }

    /// Calls `body` with each combination, its count and when it began, in the order in which they first occurred.
    func visit(_ body: (_ combination: UInt32, _ count: UInt64, _ beganAt: Int64) -> Void) {
        for pair in 0..<pairs.count / 2 {
            let word = pairs.load(pair * 2)
            body(UInt32(truncatingIfNeeded: word), pairs.load(pair * 2 + 1), Int64(word >> 32) * 1_000_000_000)
        }
    }
}
