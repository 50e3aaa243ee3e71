// Wingmirror · Apache-2.0

import PacketDecoding
import ResourceFiles
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// Keeps the routes in force, with what is known of the objects they were made of.
final class RouteKeeper: Sendable {
    /// Where the capture thread finds the routes.
    let board: RouteBoard
    /// What changed, of the routes and otherwise.
    let timeline: Timeline

    private let mirroring: Mirroring
    private let source: Mutex<Source>

    /// What the routes in force were made of.
    private struct Source: Sendable {
        var files: ResourceFileStamps
        var findings: [RouteFinding]
        var gateway: FoundGateway?
        var isSaved: Bool
    }

    /// Starts with an empty table, until there is one of the configured objects.
    ///
    /// - Parameters:
    ///   - environment: What tables depend on besides objects.
    ///   - registry: What gets the series.
    ///   - gatewayAddresses: The addresses of the gateway; without any, whoever listens on its ports counts as the gateway.
    ///   - mirroring: Says which requests of which routes are mirrored.
    ///   - timeline: Where changes are noted.
    init(
        _ environment: RouteEnvironment,
        registry: MetricsRegistry,
        gatewayAddresses: [IPAddress] = [],
        mirroring: Mirroring,
        timeline: Timeline = Timeline()
    ) {
        self.mirroring = mirroring
        self.timeline = timeline
        board = RouteBoard(
            RouteTable.compile(RouteResources(), environment: environment).table,
            number: 0,
            registry: registry,
            gatewayAddresses: gatewayAddresses,
            mirroring: { [plans = mirroring.plans] table in plans.routing(for: table) },
            at: WallClock.now()
        )
        source = Mutex(Source(files: ResourceFileStamps(), findings: [], gateway: nil, isSaved: false))
    }

    /// Whether the configured objects have been read and compiled.
    var isLoaded: Bool { board.generation.number > 0 }

    /// What is counted.
    var registry: MetricsRegistry { board.registry }

    /// The routes in force.
    var table: RouteTable { board.generation.table }

    /// What the files of the routes in force looked like when they were read.
    var files: ResourceFileStamps { source.withLock { $0.files } }

    /// What `routes check` finds in the objects of the routes in force.
    var findings: [RouteFinding] { source.withLock { $0.findings } }

    /// The gateway of this node, as it was found when the routes in force were made.
    var gateway: FoundGateway? { source.withLock { $0.gateway } }

    /// Whether the routes in force were made of objects that an earlier run has left.
    var isSaved: Bool { source.withLock { $0.isSaved } }

    /// Puts another table in force, from the next batch of packets on.
    func replace(with objects: RouteObjects, buildSeconds: Double, isSaved: Bool = false) {
        let before = board.generation.table
        board.publish(
            objects.table,
            findings: objects.findings,
            buildSeconds: buildSeconds,
            at: WallClock.now()
        )
        mirroring.tableReplaced(objects.table)
        timeline.routesReplaced(before, by: objects.table, generation: board.generation.number)
        let findings = objects.allFindings
        let source = Source(
            files: objects.files,
            findings: findings,
            gateway: objects.gateway,
            isSaved: isSaved
        )
        self.source.withLock { $0 = source }
    }

    /// Looks again at which routes have series of their own, where the limit does not allow all.
    func reconsiderAdmission() {
        board.reconsiderAdmission(at: WallClock.now())
    }
}
