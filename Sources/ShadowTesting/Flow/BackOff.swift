// Wingmirror · Apache-2.0
// Additive increase, multiplicative decrease: D.-M. Chiu and R. Jain, 1989.

import OctetText

/// Takes back the share that is sent to a target when it is overloaded, quickly, and gives it back slowly.
///
/// The share halves when the target says that it is overloaded or lets requests fail, once in an interval however many do,
/// and grows by a twentieth in each interval in which it only answers.
public struct BackOff: Sendable, Hashable {
    /// Within how long one step is taken, up or down.
    public static let interval: Duration = .seconds(1)
    /// What is left of the share after a decrease.
    public static let decrease = 0.5
    /// What comes back in an interval.
    public static let increase = 0.05
    /// The least share: enough for noticing that the target does well again.
    public static let least = 0.01

    /// The share of what ramp and policy allow, 0 to 1.
    public private(set) var share = 1.0
    private var lastStep: Int64?

    /// Makes a back-off that lets everything through.
    public init() {}

    /// A request failed, or was answered with 429 or 503.
    ///
    /// - Returns: Whether the share became less.
    public mutating func overloadNoticed(now: Int64) -> Bool {
        guard isNextStep(now) else { return false }
        share = max(share * Self.decrease, Self.least)
        lastStep = now
        return true
    }

    /// A request was answered.
    public mutating func answerArrived(now: Int64) {
        guard share < 1, isNextStep(now) else { return }
        share = min(share + Self.increase, 1)
        lastStep = now
    }

    private func isNextStep(_ now: Int64) -> Bool {
        guard let lastStep else { return true }
        return now >= lastStep.advanced(by: Self.interval)
    }
}
