// Wingmirror · Apache-2.0

import Synchronization

/// Which label sets a family has, where a route can have several: the shards' common account of one family's limit.
///
/// A shard asks only when a combination first occurs on a route. Each admitted route may have a guaranteed number, so no
/// traffic on one route can take them from another; what is left of the limit goes to whoever asks first. All of it is
/// lock-free: an entry of an open-addressing set is claimed by compare and exchange, and entries are never taken back. A
/// ledger lives as long as its route table, and the next one is made from the series that exist then.
final class SeriesLedger: Sendable {
    private let guarantee: Int
    private let pool: Atomic<Int>
    private let entries: AtomicWords
    /// How many label sets each route slot has; several threads change them, by atomic addition.
    private let routeCounts: AtomicWords

    /// Makes a ledger without label sets.
    /// - Parameters:
    ///   - limit: Label sets of the family.
    ///   - slotCount: Route slots of the table.
    ///   - admittedCount: Routes that may have series, at most `limit`.
    ///   - typicalCount: Label sets that a route usually needs: it is guaranteed as many if the limit allows.
    ///   - largestCount: Label sets that a route can have at all.
    init(limit: Int, slotCount: Int, admittedCount: Int, typicalCount: Int, largestCount: Int) {
        guarantee = min(typicalCount, limit / max(1, admittedCount))
        pool = Atomic(limit - guarantee * admittedCount)
        let most = min(limit, admittedCount * largestCount)
        // Never more than half full, so a search always ends.
        entries = AtomicWords(count: 1 << (Int.bitWidth - (2 * most + 1).leadingZeroBitCount))
        routeCounts = AtomicWords(count: slotCount)
    }

    /// Whether a combination on a route may be, or already is, a series of its own.
    func admits(slot: Int, combination: UInt32) -> Bool {
        let entry = UInt64(slot) << 32 | UInt64(combination) + 1
        let mask = entries.count - 1
        var position = Int((entry &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        var hasReserved = false
        while true {
            let found = entries.load(position)
            if found == entry {
                if hasReserved { release(slot: slot) }
                return true
            }
            guard found == 0 else {
                position = (position + 1) & mask
                continue
            }
            if !hasReserved {
                guard reserve(slot: slot) else { return false }
                hasReserved = true
            }
            if entries.compareExchange(expected: 0, desired: entry, at: position).exchanged { return true }
            // Another shard took the place; look at it again, it may be the same label set.
        }
    }

    /// Takes one label set from the route's guarantee, or else from what is left of the limit.
    private func reserve(slot: Int) -> Bool {
        if routeCounts.fetchAdd(1, at: slot) < UInt64(guarantee) { return true }
        if pool.subtract(1, ordering: .relaxed).oldValue > 0 { return true }
        pool.add(1, ordering: .relaxed)
        _ = routeCounts.fetchAdd(UInt64.max, at: slot)
        return false
    }

    /// Gives back what `reserve` took.
    private func release(slot: Int) {
        if routeCounts.fetchAdd(UInt64.max, at: slot) > UInt64(guarantee) {
            pool.add(1, ordering: .relaxed)
        }
    }
}
