// Wingmirror · Apache-2.0

/// When a packet was captured: nanoseconds since the Unix epoch, as the capture stamped it.
///
/// All time on the packet path is packet time, so that a savefile gives the same answers every time it is read.
public struct PacketTime: Sendable, Hashable, Comparable {
    /// Nanoseconds since 1970-01-01T00:00:00Z; negative for earlier.
    public let nanoseconds: Int64

    /// Makes a time of nanoseconds since the Unix epoch.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `earlier` comes before `later`.
    public static func < (earlier: PacketTime, later: PacketTime) -> Bool {
        earlier.nanoseconds < later.nanoseconds
    }

    /// Nanoseconds from `earlier` to this time; negative when the capture's clock went back.
    ///
    /// Wraps rather than traps, because a savefile may hold any 64-bit time.
    public func nanoseconds(since earlier: PacketTime) -> Int64 {
        nanoseconds &- earlier.nanoseconds
    }

    /// The time `nanoseconds` after this one.
    public func advanced(byNanoseconds nanoseconds: Int64) -> PacketTime {
        PacketTime(nanoseconds: self.nanoseconds &+ nanoseconds)
    }
}
