// Wingmirror · Apache-2.0

import Synchronization

/// Holds sampled exchanges between the capture threads and the targets, and all counts of mirroring.
///
/// Everything is under one lock, so that the counts of a snapshot belong to one moment and add up: each request that a policy
/// decided on is exactly one of filtered, not sampled, dropped, queued and sent, and each one sent is exactly one of answered,
/// failed and in flight. Capture threads only ever try the lock; who finds it taken keeps its outbox for the next batch.
/// What is done under the lock is bounded: a batch of an outbox, one copy, or a snapshot.
///
/// A copy waits until it is taken (`take`), is built outside of the lock while it still counts as queued, and then is either
/// sent (`beginSending`) or found not eligible (`found`). Sending ends with `ended`. When all copies of an exchange have
/// ended, it is handed to the judge (`takeFinished`), who gives its memory back (`judged`). So one budget of octets bounds
/// exchanges from entering to judging, whatever is slow.
///
/// Times are nanoseconds since the Unix epoch, given by the callers. A clock that goes back makes things wait a little longer
/// and nothing else.
public final class MirrorQueue: Sendable {
    private let state: Mutex<MirrorQueueState>
    private let changed: (@Sendable () -> Void)?

    /// Makes an empty queue without any plan.
    ///
    /// - Parameters:
    ///   - limits: How much it holds.
    ///   - seed: From which the order of targets and the choice of repeated requests follow.
    ///   - changed: Called after each change, outside of the lock, so that a test can wait for what the figures show.
    public init(limits: Limits = Limits(), seed: UInt64, changed: (@Sendable () -> Void)? = nil) {
        state = Mutex(MirrorQueueState(limits: limits, seed: seed))
        self.changed = changed
    }

    /// Looks at the state, which may only bring what depends on the time up to date.
    func look<Result: Sendable>(_ body: (inout MirrorQueueState) -> Result) -> Result {
        state.withLock { body(&$0) }
    }

    /// Changes the state, then does what may take longer.
    func change<Result: Sendable>(_ body: (inout MirrorQueueState) -> Result) -> Result {
        let (result, woken, _) = state.withLock { state in
            let result = body(&state)
            return state.leave(with: result)
        }
        // The exchanges that were released are given back when this function ends, outside of the lock as well.
        for task in woken { task.resume() }
        changed?()
        return result
    }

    /// Changes the state if nobody else does at the moment.
    func changeIfFree<Result: Sendable>(_ body: (inout MirrorQueueState) -> Result) -> Result? {
        let left = state.withLockIfAvailable { state in
            let result = body(&state)
            return state.leave(with: result)
        }
        guard let (result, woken, _) = left else { return nil }
        for task in woken { task.resume() }
        changed?()
        return result
    }
}

extension MirrorQueueState {
    /// What is to be done after leaving the lock.
    fileprivate mutating func leave<Result>(
        with result: Result
    ) -> (Result, [CheckedContinuation<Void, Never>], [MirrorTicket]) {
        defer {
            woken = []
            released = []
        }
        return (result, woken, released)
    }
}
