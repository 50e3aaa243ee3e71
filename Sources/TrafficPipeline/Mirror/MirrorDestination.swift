// Wingmirror · Apache-2.0

public import ShadowTesting

/// Where a pipeline's sampled exchanges go.
public struct MirrorDestination: Sendable {
    /// What takes them.
    public let queue: MirrorQueue
    /// The present on the clock that the queue goes by, in nanoseconds since the Unix epoch.
    public let clock: @Sendable () -> Int64

    /// Makes a destination of its parts.
    public init(queue: MirrorQueue, clock: @escaping @Sendable () -> Int64) {
        self.queue = queue
        self.clock = clock
    }
}
