// Wingmirror · Apache-2.0

/// All numbers below a count, each once, in an order that caches do not guess.
struct Permutation {
    let count: Int
    private var latest = 0
    private let step: Int

    init(count: Int) {
        self.count = count
        // A step without a common divisor meets every number before it meets one again.
        var step = max(1, Int(Double(count) * 0.618))
        while Self.greatestDivisor(step, count) != 1 { step += 1 }
        self.step = step
    }

    /// The next number; after all of them the first again.
    mutating func next() -> Int {
        latest += step
        if latest >= count { latest %= count }
        return latest
    }

    private static func greatestDivisor(_ one: Int, _ other: Int) -> Int {
        other == 0 ? one : greatestDivisor(other, one % other)
    }
}
