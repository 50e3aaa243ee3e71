// Wingmirror · Apache-2.0

/// Follows a total that libpcap keeps in 32 bits, which wraps within an hour at a million packets a second.
struct WrappingTotal: Sendable {
    private var previous: UInt32

    /// Follows a total that stands at `raw` now.
    init(startingAt raw: UInt32 = 0) {
        previous = raw
    }

    /// What was added since the last reading, modulo 2³²: right as long as less than that was.
    mutating func advance(to raw: UInt32) -> UInt64 {
        defer { previous = raw }
        return UInt64(raw &- previous)
    }
}
