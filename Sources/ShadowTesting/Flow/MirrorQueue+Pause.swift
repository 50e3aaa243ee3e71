// Wingmirror · Apache-2.0

extension MirrorQueue {
    /// Pauses mirroring until the reason is taken back: nothing more is sent, what waits is dropped, and who sends is told to
    /// cancel what is in flight.
    public func pause(_ reason: PauseReason, now: Int64) {
        change { state in
            state.pauses.pause(reason)
            state.pauseBegan(now: now)
        }
    }

    /// Pauses mirroring until a time.
    public func pause(_ reason: PauseReason, until end: Int64, now: Int64) {
        change { state in
            state.pauses.pause(reason, until: end)
            state.pauseBegan(now: now)
        }
    }

    /// Takes a reason back; mirroring goes on when no other is left.
    public func resume(_ reason: PauseReason) {
        change { state in
            state.pauses.resume(reason)
            state.wakeAllTargets()
        }
    }

    /// The reasons for which mirroring is paused.
    public func pauseReasons(now: Int64) -> Set<PauseReason> {
        change { $0.pauses.reasons(now: now) }
    }
}

extension MirrorQueueState {
    fileprivate mutating func pauseBegan(now: Int64) {
        guard isStopped(now: now) else { return }
        for place in targets.indices { drain(place, .paused) }
        wakeAllTargets()
    }
}
