// Wingmirror · Apache-2.0

public import PacketDecoding
internal import Synchronization

/// Tells shadow traffic that arrives at the gateway from this agent's own copies on their way to a target.
///
/// None should arrive: a copy that comes back to production is a loop, or another team's traffic on the wrong way. But where
/// a target listens on a port of the gateway's and no addresses of the gateway are known, the capture sees the agent's own
/// copies leave. Those are no arrivals, and no traffic. The capture thread asks for marked requests only, of which there
/// are few; whoever watches over mirroring looks at the count.
public final class ShadowArrivals: Sendable {
    private let arrivals = Atomic<UInt64>(0)
    private let targets = Mutex<Set<Endpoint>>([])

    /// Makes a counter at zero.
    public init() {}

    /// How many there were.
    public var count: UInt64 { arrivals.load(ordering: .relaxed) }

    /// A target was found at an address, to which copies will go from now on.
    public func targetFound(at endpoint: Endpoint) {
        targets.withLock { _ = $0.insert(endpoint) }
    }

    /// Whether a marked request to this server is a copy of this agent's that leaves.
    func isCopy(to server: Endpoint) -> Bool {
        targets.withLock { $0.contains(server) }
    }

    func requestArrived() {
        arrivals.wrappingAdd(1, ordering: .relaxed)
    }
}
