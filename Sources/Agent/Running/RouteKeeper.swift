// Wingmirror · Apache-2.0

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
    private let refused = Mutex<[RouteFinding]>([])

    /// What the routes in force were made of.
    private struct Source: Sendable {
        var files: ResourceFileStamps
        var findings: Findings
        var gateways: [FoundGateway]
        var isSaved: Bool
        var isAwaited = false
        var absence: String?
    }

    /// What `routes check` finds in the objects, looked for when somebody asks: it takes longer than a reload.
    private final class Findings: Sendable {
        private let lint: RouteObjects.Lint?
        private let found = Mutex<[RouteFinding]?>(nil)

        init(_ lint: RouteObjects.Lint?) { self.lint = lint }

        var all: [RouteFinding] {
            found.withLock { found in
                if let found { return found }
                let fresh = lint?.findings ?? []
                found = fresh
                return fresh
            }
        }
    }

    /// Starts with an empty table, until there is one of the configured objects.
    ///
    /// - Parameters:
    ///   - environment: What tables depend on besides objects.
    ///   - places: Where the gateway is.
    ///   - registry: What gets the series.
    ///   - mirroring: Says which requests of which routes are mirrored.
    ///   - timeline: Where changes are noted.
    init(
        _ environment: RouteEnvironment,
        places: GatewayPlaces = GatewayPlaces(),
        registry: MetricsRegistry,
        mirroring: Mirroring,
        timeline: Timeline = Timeline()
    ) {
        self.mirroring = mirroring
        self.timeline = timeline
        board = RouteBoard(
            RouteTables(RouteTable.compile(RouteResources(), environment: environment).table),
            places: places,
            number: 0,
            registry: registry,
            mirroring: { [plans = mirroring.plans] tables in plans.routing(for: tables) },
            at: WallClock.now()
        )
        source = Mutex(Source(files: ResourceFileStamps(), findings: Findings(nil), gateways: [], isSaved: false))
    }

    /// Whether the configured objects have been read and compiled.
    var isLoaded: Bool { board.generation.number > 0 }

    /// What is counted.
    var registry: MetricsRegistry { board.registry }

    /// The routes in force.
    var tables: RouteTables { board.generation.tables }

    /// What the files of the routes in force looked like when they were read.
    var files: ResourceFileStamps { source.withLock { $0.files } }

    /// What was read last and is not in force, as findings; none where all that was read is.
    var refusals: [RouteFinding] {
        get { refused.withLock { $0 } }
        set { refused.withLock { $0 = newValue } }
    }

    /// What keeps the latest reading from being in force, and what `routes check` finds in the objects of the routes in
    /// force; the first who asks after a reload waits for it.
    var findings: [RouteFinding] {
        let source = source.withLock { $0 }
        return refusals + (source.absence.map { [RouteFinding.noRoutes($0)] } ?? []) + source.findings.all
    }

    /// Why the table in force has no routes, in one sentence; `nil` where it has some, or a cluster may yet bring them.
    var absence: String? { source.withLock { $0.absence } }

    /// The gateways of this node, as they were found when the routes in force were made, in the order of their tables.
    var gateways: [FoundGateway] { source.withLock { $0.gateways } }

    /// Whether the routes in force were made of objects that an earlier run has left.
    var isSaved: Bool { source.withLock { $0.isSaved } }

    /// Whether the routes in force were made while nothing was known of the cluster's objects.
    var isAwaited: Bool { source.withLock { $0.isAwaited } }

    /// Puts other tables in force, from the next batch of packets on.
    func replace(with objects: RouteObjects, buildSeconds: Double, isSaved: Bool = false) {
        let before = board.generation.tables
        // Whoever sees the new tables finds what is known of them.
        let source = Source(
            files: objects.files,
            findings: Findings(objects.lint),
            gateways: objects.gateways,
            isSaved: isSaved,
            isAwaited: objects.isAwaited,
            absence: objects.absence
        )
        self.source.withLock { state in
            let wasAwaited = state.isAwaited
            state = source
            state.isAwaited = source.isAwaited || wasAwaited
        }
        board.publish(
            objects.tables,
            places: objects.places,
            findings: objects.findings,
            buildSeconds: buildSeconds,
            at: WallClock.now()
        )
        // An agent is not ready before its routes are in force.
        self.source.withLock { $0.isAwaited = source.isAwaited }
        mirroring.tablesReplaced(objects.tables)
        timeline.routesReplaced(before, by: objects.tables, generation: board.generation.number)
    }

    /// Looks again at which routes have series of their own, where the limit does not allow all.
    func reconsiderAdmission() {
        board.reconsiderAdmission(at: WallClock.now())
    }
}
