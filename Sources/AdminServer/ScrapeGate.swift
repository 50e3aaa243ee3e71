// Wingmirror · Apache-2.0

import Synchronization

/// Lets a bounded number of scrapes be rendered at a time.
final class ScrapeGate: Sendable {
    private let limit: Int
    private let active = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// Runs `body` if there is room; `nil` when there is none.
    func admit<Result>(_ body: () async -> Result) async -> Result? {
        defer { active.subtract(1, ordering: .relaxed) }
        guard active.add(1, ordering: .relaxed).oldValue < limit else { return nil }
        return await body()
    }
}
