// Wingmirror · Apache-2.0

/// Why mirroring is paused, if it is: each reason holds for itself, and all must be gone before anything is sent.
struct PauseSwitch: Sendable, Hashable {
    /// Until when each reason holds; the end of time for one that must be taken back.
    private var ends: [PauseReason: Int64] = [:]

    /// Makes a switch that pauses nothing.
    init() {}

    /// Pauses for a reason until it is taken back; this also makes a pause with an end endless.
    mutating func pause(_ reason: PauseReason) {
        ends[reason] = .max
    }

    /// Pauses for a reason that goes away by itself; an earlier end that is already set moves out, a later one stays.
    mutating func pause(_ reason: PauseReason, until end: Int64) {
        ends[reason] = max(ends[reason] ?? .min, end)
    }

    /// Takes a reason back.
    mutating func resume(_ reason: PauseReason) {
        ends[reason] = nil
    }

    /// The reasons that hold at a time; those that have ended are forgotten.
    mutating func reasons(now: Int64) -> Set<PauseReason> {
        ends = ends.filter { $0.value > now }
        return Set(ends.keys)
    }

    /// Whether any reason holds at a time.
    mutating func isPaused(now: Int64) -> Bool {
        !ends.isEmpty && !reasons(now: now).isEmpty
    }

    /// When the last of the reasons that end by themselves will have ended; `nil` when one must be taken back.
    func end(now: Int64) -> Int64? {
        let last = ends.values.max() ?? now
        return last == .max ? nil : last
    }
}
