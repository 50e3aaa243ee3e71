// Wingmirror · Apache-2.0

import Synchronization

/// What the watches know of time and chance; tests turn the time by hand.
package struct WatchClock: Sendable {
    /// Nanoseconds since the Unix epoch.
    package var now: @Sendable () -> Int64
    /// Waits before the next request; throws when the task is cancelled.
    package var pause: @Sendable (Duration) async throws -> Void
    /// Returns when an exchange has taken as long as it may; throws when the task is cancelled.
    package var expire: @Sendable (Duration) async throws -> Void
    /// A number from 0 to below 1, for jitter.
    package var random: @Sendable () -> Double

    /// Makes a clock of its parts.
    package init(
        now: @escaping @Sendable () -> Int64,
        pause: @escaping @Sendable (Duration) async throws -> Void,
        expire: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.pause = pause
        self.expire = expire
        self.random = random
    }

    /// The machine's time, and chance.
    ///
    /// - Parameter now: Nanoseconds since the Unix epoch.
    /// - Returns: The clock.
    package static func system(now: @escaping @Sendable () -> Int64) -> WatchClock {
        WatchClock(
            now: now,
            pause: { try await Task.sleep(for: $0) },
            random: { Double.random(in: 0..<1) }
        )
    }
}

/// How long to wait after failures: the figures of client-go's reflector, so that many agents weigh on the server as little as
/// any other client.
struct WatchBackoff: Sendable, Hashable {
    /// The first wait.
    static let first = 0.8
    /// The longest wait before jitter.
    static let longest = 30.0
    /// After how many seconds in good order the next wait is the first again.
    static let healthySeconds = 120.0

    private var following = Self.first

    /// Takes the next wait, longer by up to its own length.
    mutating func next(random: Double) -> Duration {
        defer { following = min(following * 2, Self.longest) }
        return .milliseconds(Int64(following * (1 + random) * 1000))
    }

    /// Something worked for a while.
    mutating func worked(for duration: Duration) {
        if duration >= .seconds(Self.healthySeconds) { following = Self.first }
    }
}
