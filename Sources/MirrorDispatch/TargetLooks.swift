// Wingmirror · Apache-2.0

import Synchronization

/// Has targets looked up and checked again before it is time, when more has become known of what is refused.
public final class TargetLooks: Sendable {
    private struct State {
        var nudges: [Int: Nudge] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// Wakes nobody yet.
    public init() {}

    /// Has every target looked at now.
    public func lookAgain() {
        for nudge in state.withLock({ Array($0.nudges.values) }) { nudge.give() }
    }

    /// Has a nudge given at each `lookAgain` while `body` runs.
    func waking<Result>(_ nudge: Nudge, while body: () async -> Result) async -> Result {
        let number = state.withLock { state in
            state.next += 1
            state.nudges[state.next] = nudge
            return state.next
        }
        defer { state.withLock { $0.nudges[number] = nil } }
        return await body()
    }
}
