// Wingmirror · Apache-2.0

/// Keeps a mean rate: a token comes in every so often, and each thing that is let through takes one.
///
/// Time is given with each question, in nanoseconds of any clock. A clock that goes back gives no tokens and takes none.
struct TokenBucket: Sendable, Hashable {
    /// Tokens that come in each second.
    let rate: Double
    /// The most tokens that are kept: what may pass at once after a silence.
    let capacity: Double

    /// What sums of fractions may be off by; without it, the time that was told for a token could be a bit too early.
    private static let rounding = 1e-6

    private var tokens: Double
    private var lastTime: Int64?

    /// Makes a full bucket.
    ///
    /// - Parameters:
    ///   - rate: Tokens a second; nothing passes at zero or less.
    ///   - capacity: The most tokens kept; one at least, so that a low rate lets things through at all.
    init(rate: Double, capacity: Double) {
        self.rate = max(rate, 0)
        self.capacity = max(capacity, 1)
        tokens = rate > 0 ? self.capacity : 0
    }

    /// Takes tokens if there are so many.
    mutating func take(_ count: Double = 1, now: Int64) -> Bool {
        refill(now)
        guard tokens >= count - Self.rounding else { return false }
        tokens -= count
        return true
    }

    /// Takes tokens even if there are too few; those that come in next make up for it.
    mutating func charge(_ count: Double, now: Int64) {
        refill(now)
        tokens -= count
    }

    /// Whether nothing is owed.
    mutating func isSettled(now: Int64) -> Bool {
        refill(now)
        return tokens >= -Self.rounding
    }

    /// When `count` tokens will be there if none is taken before; `nil` for never.
    mutating func time(of count: Double = 1, now: Int64) -> Int64? {
        refill(now)
        guard tokens < count - Self.rounding else { return now }
        guard rate > 0, count <= capacity else { return nil }
        let wait = ((count - tokens) / rate * 1e9).rounded(.up)
        // A minute is as good as never for who waits, and asks again then.
        return now &+ Int64(min(wait, 60e9))
    }

    private mutating func refill(_ now: Int64) {
        defer { lastTime = now }
        guard let lastTime, now > lastTime else { return }
        // The later less the earlier; only times on both ends of the range would wrap.
        tokens = min(capacity, tokens + Double(now &- lastTime) / 1e9 * rate)
    }
}
