// Wingmirror · Apache-2.0

public import ShadowTesting
internal import Synchronization

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

/// Says how many requests arrived at the gateway that were shadow traffic already.
///
/// None should: a copy that comes back to production is a loop, or another team's traffic on the wrong way. The capture
/// thread counts, whoever watches over mirroring looks.
public final class ShadowArrivals: Sendable {
    private let arrivals = Atomic<UInt64>(0)

    /// Makes a counter at zero.
    public init() {}

    /// How many there were.
    public var count: UInt64 { arrivals.load(ordering: .relaxed) }

    func requestArrived() {
        arrivals.wrappingAdd(1, ordering: .relaxed)
    }
}
