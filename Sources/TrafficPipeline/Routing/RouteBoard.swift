// Wingmirror · Apache-2.0

public import RouteAttribution
internal import Synchronization
public import TrafficMetrics

/// Makes generations of routes, and shows the newest to capture threads.
///
/// This is the only way by which routes reach the packet path. One lock is held while a generation is made, from asking for
/// its series to showing it: a reload and a change of admission at the same time publish one after the other, each with
/// series of its own table. A capture thread never takes that lock. It looks between batches of packets, so that all packets
/// of a batch see one generation, and does not wait: if the board is being written, the next batch will do.
public final class RouteBoard: Sendable {
    /// What the routes are counted in.
    public let registry: MetricsRegistry

    private let mirroring: @Sendable (RouteTables) -> MirrorRouting?
    /// Held while a generation is made and shown.
    private let making = Mutex(())
    private let newest: Mutex<RouteGeneration>
    private let newestNumber: Atomic<Int>

    /// Publishes the first generation.
    ///
    /// - Parameters:
    ///   - tables: The compiled routes.
    ///   - places: Which workload is behind an address; without any address, whoever listens on its ports is the first.
    ///   - number: Numbers the generation; 0 where the tables stand in until there are some of the configured objects.
    ///   - findings: What was found out while compiling, refused objects among it.
    ///   - buildSeconds: How long reading and compiling took.
    ///   - registry: What gives the series; nothing else may publish routes to it.
    ///   - mirroring: Says what is mirrored of the tables' routes; asked for each generation.
    ///   - now: Nanoseconds since the Unix epoch.
    public init(
        _ tables: RouteTables,
        places: GatewayPlaces = GatewayPlaces(),
        number: Int = 1,
        findings: [RouteFinding] = [],
        buildSeconds: Double = 0,
        registry: MetricsRegistry,
        mirroring: @escaping @Sendable (RouteTables) -> MirrorRouting? = { _ in nil },
        at now: Int64
    ) {
        self.registry = registry
        self.mirroring = mirroring
        let description = RouteTableDescription(
            tables,
            generation: number,
            findings: findings,
            buildSeconds: buildSeconds
        )
        newestNumber = Atomic(number)
        newest = Mutex(
            RouteGeneration(
                number: number,
                tables: tables,
                places: places,
                series: registry.routesPublished(description, at: now),
                hash: description.hash,
                mirroring: mirroring(tables)
            )
        )
    }

    /// The newest generation.
    public var generation: RouteGeneration { newest.withLock { $0 } }

    /// Publishes other tables, in force from the next batch of packets on.
    ///
    /// - Parameters:
    ///   - tables: The compiled routes.
    ///   - places: Which workload is behind an address.
    ///   - findings: What was found out while compiling, refused objects among it.
    ///   - buildSeconds: How long reading and compiling took.
    ///   - now: Nanoseconds since the Unix epoch.
    public func publish(
        _ tables: RouteTables,
        places: GatewayPlaces = GatewayPlaces(),
        findings: [RouteFinding] = [],
        buildSeconds: Double = 0,
        at now: Int64
    ) {
        making.withLock { _ in
            let number = nextNumber
            let description = RouteTableDescription(
                tables,
                generation: number,
                findings: findings,
                buildSeconds: buildSeconds
            )
            show(number, tables, places, registry.routesPublished(description, at: now), hash: description.hash)
        }
    }

    /// Looks again at which routes have series of their own, and publishes the tables in force anew if that changes.
    ///
    /// - Parameter now: Nanoseconds since the Unix epoch.
    public func reconsiderAdmission(at now: Int64) {
        making.withLock { _ in
            let number = nextNumber
            guard let series = registry.admissionReconsidered(at: now, generation: number) else { return }
            let inForce = generation
            show(number, inForce.tables, inForce.places, series, hash: inForce.hash)
        }
    }

    /// The number of the generation being made; only under the lock of making one.
    private var nextNumber: Int { newestNumber.load(ordering: .relaxed) + 1 }

    /// Shows a generation; only under the lock of making one.
    private func show(
        _ number: Int,
        _ tables: RouteTables,
        _ places: GatewayPlaces,
        _ series: RouteSeriesTable,
        hash: String
    ) {
        let generation = RouteGeneration(
            number: number,
            tables: tables,
            places: places,
            series: series,
            hash: hash,
            mirroring: mirroring(tables)
        )
        newest.withLock { $0 = generation }
        newestNumber.store(number, ordering: .releasing)
    }

    /// The newest generation, if it is newer than `number` and can be had without waiting.
    func generation(newerThan number: Int) -> RouteGeneration? {
        guard newestNumber.load(ordering: .acquiring) != number else { return nil }
        return newest.withLockIfAvailable { $0 }
    }
}
