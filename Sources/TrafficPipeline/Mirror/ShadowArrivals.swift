// Wingmirror · Apache-2.0

public import PacketDecoding
internal import RouteAttribution
internal import Synchronization

/// Counts shadow traffic that arrives at the gateway, apart from this agent's own copies on their way to a target.
///
/// None should arrive: a copy that comes back to production is a loop, or another team's traffic on the wrong way. But where
/// a target listens on a port of the gateway's and no addresses of the gateway are known, the capture sees the agent's own
/// copies leave. Those are no arrivals, and no traffic.
///
/// The targets are a list that only grows at its end. A capture thread reads on from where it has read last, without a
/// lock, and so knows an address before the first copy to it can be captured.
public final class ShadowArrivals: Sendable {
    /// How many addresses are remembered; copies to later ones count as arrivals, which stops mirroring.
    private static let targetLimit = 4096

    private let arrivals = Atomic<UInt64>(0)
    private let first = TargetList()
    private let writing: Mutex<Writing>

    /// What those who add to the list share.
    private struct Writing {
        var known: Set<Endpoint> = []
        var end: TargetList
    }

    /// Makes a counter at zero.
    public init() {
        writing = Mutex(Writing(end: first))
    }

    /// How many there were.
    public var count: UInt64 { arrivals.load(ordering: .relaxed) }

    /// A target was found at an address, to which copies will go from now on.
    public func targetFound(at endpoint: Endpoint) {
        writing.withLock { writing in
            guard writing.known.count < Self.targetLimit, writing.known.insert(endpoint).inserted else { return }
            writing.end = writing.end.append(endpoint)
        }
    }

    /// A reader of the targets, for one capture thread.
    var reader: OwnCopies { OwnCopies(first) }

    func requestArrived() {
        arrivals.wrappingAdd(1, ordering: .relaxed)
    }
}

/// Sees to the requests that bear the marker of shadow traffic.
struct ShadowTap: ~Copyable {
    private let arrivals: ShadowArrivals
    private var copies: OwnCopies

    init(_ arrivals: ShadowArrivals) {
        self.arrivals = arrivals
        copies = arrivals.reader
    }

    /// A marked request was decided on; returns whether it is a copy of this agent's that leaves, and no arrival.
    mutating func requestArrived(at server: Endpoint, _ routed: RoutedRequest) -> Bool {
        guard !copies.include(server) else { return true }
        if routed.reason != .noListener { arrivals.requestArrived() }
        return false
    }
}

/// Knows this agent's own copies by the addresses that they go to.
struct OwnCopies: ~Copyable {
    private var targets: Set<Endpoint> = []
    /// The part of the list that has been read.
    private var read: TargetList

    fileprivate init(_ list: TargetList) {
        read = list
    }

    /// Whether a marked request to this server is a copy of this agent's that leaves.
    mutating func include(_ server: Endpoint) -> Bool {
        while let (endpoint, rest) = read.next {
            targets.insert(endpoint)
            read = rest
        }
        return targets.contains(server)
    }
}

/// A list whose end can be read while somebody appends to it.
private final class TargetList: Sendable {
    private let link = AtomicLazyReference<Link>()

    private final class Link: Sendable {
        let endpoint: Endpoint
        let rest = TargetList()

        init(_ endpoint: Endpoint) {
            self.endpoint = endpoint
        }
    }

    /// The next element and the list behind it; `nil` at the end.
    var next: (endpoint: Endpoint, rest: TargetList)? {
        link.load().map { ($0.endpoint, $0.rest) }
    }

    /// Appends an element to the empty list, and returns the list behind it.
    func append(_ endpoint: Endpoint) -> TargetList {
        link.storeIfNil(Link(endpoint)).rest
    }
}
