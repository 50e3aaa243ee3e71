// Wingmirror · Apache-2.0

import ResourceFiles
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// Keeps the routes in force: compiles them, gives their series to the metrics, and shows both to the capture thread.
final class RouteKeeper: Sendable {
    /// What is counted.
    let registry: MetricsRegistry
    /// Where the capture thread finds the routes.
    let board: RoutingBoard

    private let mirroring: Mirroring
    private let generation: Atomic<Int>
    private let readFiles: Mutex<ResourceFileStamps>
    private let lint: Mutex<[RouteFinding]>

    /// Puts the first table in force.
    ///
    /// - Parameters:
    ///   - objects: The objects of the table.
    ///   - buildSeconds: How long reading and compiling them took.
    ///   - registry: What gets the series.
    ///   - mirroring: Says which requests of which routes are mirrored.
    init(_ objects: RouteObjects, buildSeconds: Double, registry: MetricsRegistry, mirroring: Mirroring) {
        self.registry = registry
        self.mirroring = mirroring
        let description = RouteTableDescription(objects.table, findings: objects.findings, buildSeconds: buildSeconds)
        let series = registry.routesPublished(description, at: WallClock.now())
        board = RoutingBoard(
            RoutingSnapshot(
                table: objects.table,
                series: series,
                mirroring: mirroring.plans.routing(for: objects.table)
            )
        )
        generation = Atomic(objects.table.generation)
        readFiles = Mutex(objects.files)
        lint = Mutex(objects.allFindings)
        mirroring.tableReplaced(objects.table)
    }

    /// The routes in force.
    var table: RouteTable { board.snapshot.table }

    /// What the files of the routes in force looked like when they were read.
    var files: ResourceFileStamps { readFiles.withLock { $0 } }

    /// What `routes check` finds in the objects of the routes in force.
    var findings: [RouteFinding] { lint.withLock { $0 } }

    /// Puts another table in force, from the next batch of packets on.
    func replace(with objects: RouteObjects, buildSeconds: Double) {
        let number = generation.wrappingAdd(1, ordering: .relaxed).newValue
        var description = RouteTableDescription(objects.table, findings: objects.findings, buildSeconds: buildSeconds)
        description.generation = number
        let series = registry.routesPublished(description, at: WallClock.now())
        publish(objects.table, series)
        mirroring.tableReplaced(objects.table)
        readFiles.withLock { $0 = objects.files }
        let findings = objects.allFindings
        lint.withLock { $0 = findings }
    }

    /// Looks again at which routes have series of their own, where the limit does not allow all.
    func reconsiderAdmission() {
        guard let series = registry.admissionReconsidered(at: WallClock.now()) else { return }
        publish(table, series)
    }

    private func publish(_ table: RouteTable, _ series: RouteSeriesTable) {
        board.publish(RoutingSnapshot(table: table, series: series, mirroring: mirroring.plans.routing(for: table)))
    }
}
