// Wingmirror · Apache-2.0

import Synchronization

/// Bounds the octets of answers that are kept at the same time.
final class AnswerBudget: Sendable {
    private let free: Atomic<Int>

    /// Makes a budget of so many octets.
    init(octets: Int) {
        free = Atomic(max(octets, 0))
    }

    /// Takes up to `octets` octets.
    ///
    /// - Returns: How many there were.
    func reserve(_ octets: Int) -> Int {
        var available = free.load(ordering: .relaxed)
        while true {
            let taken = min(available, octets)
            guard taken > 0 else { return 0 }
            let (isExchanged, now) = free.weakCompareExchange(
                expected: available,
                desired: available - taken,
                ordering: .relaxed
            )
            if isExchanged { return taken }
            available = now
        }
    }

    /// Gives octets back.
    func release(_ octets: Int) {
        free.add(octets, ordering: .relaxed)
    }
}
