// Wingmirror · Apache-2.0

import Synchronization

/// Lets tests wait for a condition without asking for it all the time: what may change the condition rings.
///
/// A wait ends when its condition is met or its task is cancelled, as by a test's time limit. Rings are remembered, so one that
/// comes between looking and sleeping is not missed.
public final class ChangeBell: Sendable {
    private struct State {
        var rings = 0
        var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextSleeper = 0
    }

    private let state = Mutex(State())

    /// Makes a bell that has not rung.
    public init() {}

    /// Something may have changed.
    public func ring() {
        let sleepers = state.withLock { state in
            state.rings += 1
            defer { state.sleepers = [:] }
            return state.sleepers
        }
        for sleeper in sleepers.values { sleeper.resume() }
    }

    /// Waits until a condition is met, which is looked at now and after each ring.
    ///
    /// - Returns: Whether it was met; if not, the task was cancelled.
    @discardableResult
    public func wait(until isMet: () -> Bool) async -> Bool {
        while true {
            let rings = state.withLock { $0.rings }
            if isMet() { return true }
            if Task.isCancelled { return false }
            await sleep(after: rings)
        }
    }

    /// Sleeps until there were more rings than `rings`, or the task is cancelled.
    private func sleep(after rings: Int) async {
        let number = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { sleeper in
                let isAwake = state.withLock { state in
                    guard state.rings == rings, !Task.isCancelled else { return true }
                    state.sleepers[number] = sleeper
                    return false
                }
                if isAwake { sleeper.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.resume()
        }
    }
}
