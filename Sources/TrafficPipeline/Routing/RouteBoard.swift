// Wingmirror · Apache-2.0

public import PacketDecoding
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

    /// The addresses of the gateway; without any, whoever listens on its ports counts as the gateway.
    let gatewayAddresses: [IPAddress]

    private let mirroring: @Sendable (RouteTable) -> MirrorRouting?
    /// Held while a generation is made and shown.
    private let making = Mutex(())
    private let newest: Mutex<RouteGeneration>
    private let newestNumber: Atomic<Int>

    /// Publishes the first generation.
    ///
    /// - Parameters:
    ///   - table: The compiled routes.
    ///   - number: Numbers the generation; 0 where the table stands in until there is one of the configured objects.
    ///   - findings: What was found out while compiling, refused objects among it.
    ///   - buildSeconds: How long reading and compiling took.
    ///   - registry: What gives the series; nothing else may publish routes to it.
    ///   - gatewayAddresses: Connections to other addresses reach no listener: those that pass by to a gateway on another node,
    ///     and the gateway's own to services. Without any, whoever listens on its ports counts as the gateway.
    ///   - mirroring: Says what is mirrored of a table's routes; asked for each generation.
    ///   - now: Nanoseconds since the Unix epoch.
    public init(
        _ table: RouteTable,
        number: Int = 1,
        findings: [RouteFinding] = [],
        buildSeconds: Double = 0,
        registry: MetricsRegistry,
        gatewayAddresses: [IPAddress] = [],
        mirroring: @escaping @Sendable (RouteTable) -> MirrorRouting? = { _ in nil },
        at now: Int64
    ) {
        self.registry = registry
        self.gatewayAddresses = gatewayAddresses
        self.mirroring = mirroring
        let description = RouteTableDescription(
            table,
            generation: number,
            findings: findings,
            buildSeconds: buildSeconds
        )
        newestNumber = Atomic(number)
        newest = Mutex(
            RouteGeneration(
                number: number,
                table: table,
                series: registry.routesPublished(description, at: now),
                mirroring: mirroring(table)
            )
        )
    }

    /// The newest generation.
    public var generation: RouteGeneration { newest.withLock { $0 } }

    /// Publishes another table, in force from the next batch of packets on.
    ///
    /// - Parameters:
    ///   - table: The compiled routes.
    ///   - findings: What was found out while compiling, refused objects among it.
    ///   - buildSeconds: How long reading and compiling took.
    ///   - now: Nanoseconds since the Unix epoch.
    public func publish(_ table: RouteTable, findings: [RouteFinding] = [], buildSeconds: Double = 0, at now: Int64) {
        making.withLock { _ in
            let number = nextNumber
            let description = RouteTableDescription(
                table,
                generation: number,
                findings: findings,
                buildSeconds: buildSeconds
            )
            show(number, table, registry.routesPublished(description, at: now))
        }
    }

    /// Looks again at which routes have series of their own, and publishes the table in force anew if that changes.
    ///
    /// - Parameter now: Nanoseconds since the Unix epoch.
    public func reconsiderAdmission(at now: Int64) {
        making.withLock { _ in
            let number = nextNumber
            guard let series = registry.admissionReconsidered(at: now, generation: number) else { return }
            show(number, generation.table, series)
        }
    }

    /// The number of the generation being made; only under the lock of making one.
    private var nextNumber: Int { newestNumber.load(ordering: .relaxed) + 1 }

    /// Shows a generation; only under the lock of making one.
    private func show(_ number: Int, _ table: RouteTable, _ series: RouteSeriesTable) {
        let generation = RouteGeneration(number: number, table: table, series: series, mirroring: mirroring(table))
        newest.withLock { $0 = generation }
        newestNumber.store(number, ordering: .releasing)
    }

    /// The newest generation, if it is newer than `number` and can be had without waiting.
    func generation(newerThan number: Int) -> RouteGeneration? {
        guard newestNumber.load(ordering: .acquiring) != number else { return nil }
        return newest.withLockIfAvailable { $0 }
    }
}
