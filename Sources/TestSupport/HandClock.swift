// Wingmirror · Apache-2.0

import Synchronization

/// A clock that stands still until a test turns it, so that nothing grows old while the machine is busy.
public final class HandClock: Sendable {
    private let time: Atomic<Int64>

    /// Makes a clock that shows `now`, in nanoseconds since the Unix epoch.
    public init(_ now: Int64 = 1_700_000_000_000_000_000) {
        time = Atomic(now)
    }

    /// What it shows, in nanoseconds since the Unix epoch.
    public var now: Int64 { time.load(ordering: .relaxed) }

    /// Turns it forward.
    public func advance(nanoseconds: Int64) {
        time.wrappingAdd(nanoseconds, ordering: .relaxed)
    }
}
