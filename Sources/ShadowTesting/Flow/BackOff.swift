// Wingmirror · Apache-2.0

import OctetText

/// Takes back the share that is sent to a target when it is overloaded, quickly, and gives it back slowly.
///
/// It looks at the share of requests that failed or were answered with 429 or 503 in an interval, so that one failure among
/// many answers changes nothing. The share halves after an interval in which more than a tenth did, and grows by a twentieth
/// after each other.
struct BackOff: Sendable, Hashable {
    /// How long an interval is at least.
    static let interval: Duration = .seconds(1)
    /// How many outcomes an interval has at least.
    static let leastOutcomes = 10
    /// The share of failures above which a target counts as overloaded.
    static let overloadedShare = 0.1
    /// What is left of the share after a decrease.
    static let decrease = 0.5
    /// What comes back after an interval.
    static let increase = 0.05
    /// The least share: enough for noticing that the target does well again.
    static let least = 0.01

    /// The share of what ramp and policy allow, 0 to 1.
    private(set) var share = 1.0
    private var start: Int64?
    private var outcomes = 0
    private var overloads = 0

    /// Makes a back-off that lets everything through.
    init() {}

    /// A request was answered, or failed.
    ///
    /// - Parameters:
    ///   - isOverload: Whether it failed, or was answered with 429 or 503.
    ///   - now: When.
    /// - Returns: Whether the share became less.
    mutating func requestEnded(isOverload: Bool, now: Int64) -> Bool {
        let start = start ?? now
        self.start = start
        outcomes += 1
        if isOverload { overloads += 1 }
        guard outcomes >= Self.leastOutcomes, now >= start.advanced(by: Self.interval) else { return false }
        let isOverloaded = Double(overloads) > Self.overloadedShare * Double(outcomes)
        share = isOverloaded ? max(share * Self.decrease, Self.least) : min(share + Self.increase, 1)
        (self.start, outcomes, overloads) = (now, 0, 0)
        return isOverloaded
    }
}
