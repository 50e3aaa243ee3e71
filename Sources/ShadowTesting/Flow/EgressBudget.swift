// Wingmirror · Apache-2.0

/// Bounds the octets that are sent to all targets together: what was sent too much must be waited for.
struct EgressBudget: Sendable, Hashable {
    private var bucket: TokenBucket?

    /// Makes a budget.
    ///
    /// - Parameter octetsPerSecond: The mean; up to a second's worth may go at once. `nil` for no bound.
    init(octetsPerSecond: Int?) {
        bucket = octetsPerSecond.map { TokenBucket(rate: Double($0), capacity: Double($0)) }
    }

    /// A request of so many octets was sent.
    ///
    /// - Returns: Until when nothing should be sent, when that was too much.
    mutating func requestSent(octets: Int, now: Int64) -> Int64? {
        guard bucket != nil else { return nil }
        bucket?.charge(Double(octets), now: now)
        guard bucket?.isSettled(now: now) == false else { return nil }
        return bucket?.time(of: 0, now: now)
    }
}
