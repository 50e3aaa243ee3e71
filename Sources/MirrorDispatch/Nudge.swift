// Wingmirror · Apache-2.0

import Synchronization

/// Wakes one task; a nudge that comes first is not missed, and several count as one.
final class Nudge: Sendable {
    private struct State {
        var isPending = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Wakes whoever sleeps, or the next who wants to.
    func give() {
        let sleeper = state.withLock { state in
            defer { state.sleeper = nil }
            state.isPending = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Sleeps until there is a nudge or the task is cancelled; for one task at a time.
    ///
    /// - Returns: Whether there was a nudge.
    func sleep() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { task in
                let isAwake = state.withLock { state in
                    guard !state.isPending, !Task.isCancelled else { return true }
                    state.sleeper = task
                    return false
                }
                if isAwake { task.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleeper.take() }?.resume()
        }
        guard !Task.isCancelled else { return false }
        state.withLock { $0.isPending = false }
        return true
    }
}
