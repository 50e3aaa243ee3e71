// Wingmirror · Apache-2.0

internal import TrafficModel

/// Remembers requests for a short while, so that one that is seen twice is mirrored once.
///
/// A request may be captured on two interfaces, or before and behind another proxy. Two sightings are one request only if
/// their span of a trace, or else their request id, is the same and so are method and target; without such an id nothing
/// is ever a copy. The table has a fixed size; where it is too small, a copy is sent twice.
public struct RecentRequests: Sendable {
    private var entries: [(hash: UInt64, time: Int64)]

    /// How many sampled requests are remembered; a power of two.
    ///
    /// At 2,000 in a second, those of two seconds.
    static let capacity = 4096
    /// How far apart in time two sightings may be, in nanoseconds: longer than any detour within a cluster, and shorter
    /// than a client waits before it asks again.
    static let windowNanoseconds: Int64 = 2_000_000_000

    /// Makes an empty table.
    public init() {
        entries = [(hash: UInt64, time: Int64)](repeating: (0, .min / 2), count: Self.capacity)
    }

    /// Notes a request; says whether it was noted already within the window.
    mutating func isCopy(_ hash: UInt64, at time: Int64) -> Bool {
        let place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
        let isCopy = entries[place].hash == hash && (time - entries[place].time).magnitude < Self.windowNanoseconds
        if !isCopy { entries[place] = (hash, time) }
        return isCopy
    }
}
