// Wingmirror · Apache-2.0

/// How long to wait before an interface is tried again: twice as long each time, up to a limit.
struct Backoff {
    /// The first wait: an interface that is replaced is often back at once.
    static let shortest = Duration.milliseconds(100)
    /// The longest: opening costs little, and what passes meanwhile is not seen.
    static let longest = Duration.seconds(2)

    private var following = Self.shortest

    /// Takes the next wait.
    mutating func next() -> Duration {
        defer { following = min(following * 2, Self.longest) }
        return following
    }

    /// Begins anew, after a success.
    mutating func reset() {
        following = Self.shortest
    }
}
