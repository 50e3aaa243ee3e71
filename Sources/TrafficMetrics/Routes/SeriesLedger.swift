// Wingmirror · Apache-2.0

import Synchronization

/// Which label sets a family has, where a route can have several: the shards' common account of one family's limit.
///
/// Every admitted route has room for its outcomes, a few label sets that are never asked for here. What is beyond them is
/// detail, such as the method. A shard asks only when a detail first occurs on a route. Each route is guaranteed some, so no
/// traffic on one route can take them from another; what is left of the limit goes to whoever asks first. The finest detail
/// may not take the last quarter, so that what is less fine still finds room: identity folds before outcome.
///
/// All of it is lock-free: an entry of an open-addressing set is claimed by compare and exchange, and entries are never
/// taken back. A ledger lives as long as its route table, and the next one is made from the series that exist then.
final class SeriesLedger: Sendable {
    /// How much of what a label set says may be given up.
    enum Detail: Sendable {
        /// All labels are as they are.
        case finest
        /// Some stand for all values.
        case coarser
    }

    private let guarantee: Int
    private let initialPool: Int
    private let pool: Atomic<Int>
    private let entries: AtomicWords
    /// How many label sets each route slot has; several threads change them, by atomic addition.
    private let routeCounts: AtomicWords

    /// Makes a ledger without label sets.
    /// - Parameters:
    ///   - limit: Label sets of the family.
    ///   - slotCount: Route slots of the table.
    ///   - admittedCount: Routes that may have series, at most `limit` divided by `outcomeCount`.
    ///   - outcomeCount: Label sets that every route has room for and that are not asked for.
    ///   - typicalCount: Further label sets that a route usually needs: it is guaranteed as many if the limit allows.
    ///   - largestCount: Further label sets that a route can have at all.
    init(limit: Int, slotCount: Int, admittedCount: Int, outcomeCount: Int, typicalCount: Int, largestCount: Int) {
        let free = max(0, limit - outcomeCount * admittedCount)
        guarantee = min(typicalCount, free / max(1, admittedCount))
        initialPool = free - guarantee * admittedCount
        pool = Atomic(initialPool)
        let most = min(free, admittedCount * largestCount)
        // Never more than half full, so a search always ends.
        entries = AtomicWords(count: 1 << (Int.bitWidth - (2 * most + 1).leadingZeroBitCount))
        routeCounts = AtomicWords(count: slotCount)
    }

    /// Whether a combination on a route may be, or already is, a series of its own.
    func admits(slot: Int, combination: UInt32, _ detail: Detail) -> Bool {
        let entry = Self.entry(slot: slot, combination: combination)
        let mask = entries.count - 1
        var position = Self.hash(entry) & mask
        var reservation: Reservation?
        while true {
            let found = entries.load(position)
            if found == entry {
                if let reservation { release(reservation, slot: slot) }
                return true
            }
            guard found == 0 else {
                position = (position + 1) & mask
                continue
            }
            if reservation == nil {
                reservation = reserve(slot: slot, detail)
                guard reservation != nil else { return false }
            }
            if entries.compareExchange(expected: 0, desired: entry, at: position).exchanged { return true }
            // Another shard took the place; look at it again, it may be the same label set.
        }
    }

    /// Whether a combination on a route is a series of its own.
    func has(slot: Int, combination: UInt32) -> Bool {
        let entry = Self.entry(slot: slot, combination: combination)
        let mask = entries.count - 1
        var position = Self.hash(entry) & mask
        while true {
            let found = entries.load(position)
            if found == entry || found == 0 { return found == entry }
            position = (position + 1) & mask
        }
    }

    private static func entry(slot: Int, combination: UInt32) -> UInt64 {
        UInt64(slot) << 32 | UInt64(combination) + 1
    }

    private static func hash(_ entry: UInt64) -> Int {
        // A hash, whose carries go.
        Int((entry &* 0x9E37_79B9_7F4A_7C15) >> 20)
    }

    /// What one label set was taken from.
    private enum Reservation {
        case guarantee
        case pool
    }

    /// Takes one label set from the route's guarantee, or else from what is left of the limit.
    private func reserve(slot: Int, _ detail: Detail) -> Reservation? {
        let (own, kept) =
            switch detail {
            case .finest: (guarantee - guarantee / 4, initialPool / 4)
            case .coarser: (guarantee, 0)
            }
        if routeCounts.fetchAdd(1, at: slot) < UInt64(own) { return .guarantee }
        _ = routeCounts.fetchAdd(UInt64.max, at: slot)
        if pool.subtract(1, ordering: .relaxed).oldValue > kept { return .pool }
        pool.add(1, ordering: .relaxed)
        return nil
    }

    /// Gives back what `reserve` took.
    private func release(_ reservation: Reservation, slot: Int) {
        switch reservation {
        case .guarantee: _ = routeCounts.fetchAdd(UInt64.max, at: slot)
        case .pool: pool.add(1, ordering: .relaxed)
        }
    }
}
