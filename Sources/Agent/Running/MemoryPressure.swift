// Wingmirror · Apache-2.0

import TrafficPipeline

/// Says how much is to be left out at a use of memory, with some distance between going up and coming down.
struct MemoryPressure {
    /// Shares of the budget from which a level holds, and below which it no longer does.
    private static let bounds: [(level: SheddingLevel, from: Double, below: Double)] = [
        (.shadowTraffic, 0.9, 0.85), (.everythingButMetrics, 0.95, 0.9),
    ]

    private let budget: Int
    private var current = SheddingLevel.none

    /// Makes a judgement of use against a budget in octets.
    init(budget: Int) {
        self.budget = budget
    }

    /// The level at this use, given the level before.
    mutating func level(at used: Int) -> SheddingLevel {
        let share = Double(used) / Double(max(budget, 1))
        var level = SheddingLevel.none
        for bound in Self.bounds where share >= (current >= bound.level ? bound.below : bound.from) {
            level = bound.level
        }
        current = level
        return level
    }
}
