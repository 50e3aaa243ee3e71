// Wingmirror · Apache-2.0

/// Counters of a route by combination of labels of which few occur: method, protocol, status and error.
///
/// One thread counts, any thread reads. The writer finds a counter through an index of its own, an open-addressing table
/// that readers never see; readers walk the counters, which never move.
struct CombinationCounters: ~Copyable, Sendable {
    /// Pairs of words: the combination, then its count.
    private let pairs = GrowingWords()
    /// Touched by the writer alone, which is what makes it safe to be neither locked nor atomic: slots of the table hold
    /// the number of a pair plus one, or 0.
    private nonisolated(unsafe) let index = WriterIndex()

    private final class WriterIndex {
        var slots: [UInt32] = []
        var used = 0
    }

    /// Counts one more, writer only; `false` if the combination has no counter yet.
    @inline(__always)
    func increment(_ combination: UInt32) -> Bool {
        guard let pair = find(combination) else { return false }
        pairs.store(pairs.load(pair * 2 + 1) &+ 1, at: pair * 2 + 1)
        return true
    }

    /// Begins to count a combination that has no counter yet, at one; writer only.
    func begin(_ combination: UInt32) {
        let pair = pairs.count / 2
        pairs.append(UInt64(combination), 1)
        unsafe index.used += 1
        if unsafe index.used * 2 > index.slots.count {
            rebuildIndex()
        } else {
            insert(combination, pair: pair)
        }
    }

    /// Calls `body` with each combination and its count, in the order in which they first occurred.
    func visit(_ body: (_ combination: UInt32, _ count: UInt64) -> Void) {
        for pair in 0..<pairs.count / 2 {
            body(UInt32(truncatingIfNeeded: pairs.load(pair * 2)), pairs.load(pair * 2 + 1))
        }
    }

    // MARK: - The writer's index

    @inline(__always)
    private func find(_ combination: UInt32) -> Int? {
        let slots = unsafe index.slots
        guard !slots.isEmpty else { return nil }
        var slot = Self.hash(combination) & (slots.count - 1)
        while slots[slot] != 0 {
            let pair = Int(slots[slot]) - 1
            if pairs.load(pair * 2) == UInt64(combination) { return pair }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func insert(_ combination: UInt32, pair: Int) {
        let mask = unsafe index.slots.count - 1
        var slot = Self.hash(combination) & mask
        while unsafe index.slots[slot] != 0 {
            slot = (slot + 1) & mask
        }
        unsafe index.slots[slot] = UInt32(pair + 1)
    }

    private func rebuildIndex() {
        let size = unsafe max(16, index.slots.count * 2)
        unsafe index.slots = Array(repeating: 0, count: size)
        for pair in 0..<pairs.count / 2 {
            insert(UInt32(truncatingIfNeeded: pairs.load(pair * 2)), pair: pair)
        }
    }

    /// Spreads combinations, which differ in few bits, over the table.
    @inline(__always)
    private static func hash(_ combination: UInt32) -> Int {
        Int((UInt64(combination) &* 0x9E37_79B9_7F4A_7C15) >> 40)
    }
}
