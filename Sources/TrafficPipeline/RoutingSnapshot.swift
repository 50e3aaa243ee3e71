// Wingmirror · Apache-2.0

public import RouteAttribution
internal import Synchronization
public import TrafficMetrics

/// One generation of routes with the series that it counts into; immutable.
public final class RoutingSnapshot: Sendable {
    /// The compiled routes.
    public let table: RouteTable
    /// The series of those routes, and of their Gateways.
    public let series: RouteSeriesTable
    /// Which requests are mirrored; `nil` when none are.
    public let mirroring: MirrorRouting?

    /// Makes a snapshot; `series` and `mirroring` must have been made of `table`.
    public init(table: RouteTable, series: RouteSeriesTable, mirroring: MirrorRouting? = nil) {
        self.table = table
        self.series = series
        self.mirroring = mirroring
    }
}

/// Where the newest routing snapshot is left for capture threads to pick up.
///
/// A capture thread looks between batches of packets, so that all packets of a batch, and each exchange from its request
/// to its record, see one generation. It never waits: if the board is being written, the next batch will do.
public final class RoutingBoard: Sendable {
    private let newest: Mutex<RoutingSnapshot>
    private let edition = Atomic<Int>(0)

    /// Makes a board that shows `snapshot`.
    public init(_ snapshot: RoutingSnapshot) {
        newest = Mutex(snapshot)
    }

    /// The snapshot shown now.
    public var snapshot: RoutingSnapshot {
        newest.withLock { $0 }
    }

    /// Replaces the snapshot.
    public func publish(_ snapshot: RoutingSnapshot) {
        newest.withLock { $0 = snapshot }
        edition.wrappingAdd(1, ordering: .releasing)
    }

    /// The snapshot, if it is another than the one of edition `seen`, which is then brought up to date.
    func changed(since seen: inout Int) -> RoutingSnapshot? {
        let current = edition.load(ordering: .acquiring)
        guard current != seen, let snapshot = newest.withLockIfAvailable({ $0 }) else { return nil }
        seen = current
        return snapshot
    }
}
