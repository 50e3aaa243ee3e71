// Wingmirror · Apache-2.0

/// Lets one task sleep until something has changed; a change that came first is not missed.
struct Signal {
    private var isRaised = false
    private var sleeper: CheckedContinuation<Void, Never>?

    /// Something has changed.
    ///
    /// - Returns: Who is to be resumed, outside of any lock.
    mutating func raise() -> CheckedContinuation<Void, Never>? {
        guard let sleeper else {
            isRaised = true
            return nil
        }
        self.sleeper = nil
        return sleeper
    }

    /// A task goes to sleep.
    ///
    /// - Returns: Who is to be resumed at once: the task itself when there was a change, or one that slept here before.
    mutating func sleep(_ task: CheckedContinuation<Void, Never>) -> CheckedContinuation<Void, Never>? {
        if isRaised {
            isRaised = false
            return task
        }
        defer { sleeper = task }
        return sleeper
    }
}
