// Wingmirror · Apache-2.0

public import RouteAttribution
public import TrafficMetrics

/// One generation of routes: tables with the series that their routes count into and what mirroring means for them; immutable.
///
/// A ``RouteBoard`` makes them, so that tables, series and mirroring always belong together. A request is decided, counted
/// and recorded by one generation, whatever is published meanwhile.
public final class RouteGeneration: Sendable {
    /// Counts what the process has published, from 1; the `generation` of the metrics, the page and the status.
    ///
    /// It grows also when only the series change, because the limit of series admits other routes than before.
    public let number: Int
    /// The compiled routes of each gateway workload.
    public let tables: RouteTables
    /// Which workload is behind an address.
    public let places: GatewayPlaces
    /// The series of those routes, and of their Gateways.
    public let series: RouteSeriesTable
    /// Tells tables apart that decide differently, the same on every agent.
    public let hash: String
    /// Which requests are mirrored; `nil` when none are.
    public let mirroring: MirrorRouting?

    /// Puts together what was made of the same tables.
    ///
    /// A route's number is an index into all three parts: with those of other tables the wrong rule would be counted, or
    /// the capture thread would trap on an index. So would it with places of more workloads than there are tables.
    init(
        number: Int,
        tables: RouteTables,
        places: GatewayPlaces,
        series: RouteSeriesTable,
        hash: String,
        mirroring: MirrorRouting?
    ) {
        precondition(
            series.routeCount == tables.routes.count && series.gatewayCount == tables.gateways.count,
            "RouteGeneration.init: the series of generation \(number) are not those of its tables"
        )
        precondition(
            mirroring.map { $0.routeCount == tables.routes.count } ?? true,
            "RouteGeneration.init: the mirroring of generation \(number) is not that of its tables"
        )
        precondition(
            places.workloadCount <= tables.tables.count,
            "RouteGeneration.init: the places of generation \(number) are of more workloads than it has tables"
        )
        self.number = number
        self.tables = tables
        self.places = places
        self.hash = hash
        self.series = series
        self.mirroring = mirroring
    }

    /// The series of a Gateway; that of no Gateway below 0.
    func gatewaySeries(_ gateway: Int32) -> GatewaySeries {
        gateway >= 0 ? series.series(ofGateway: Int(gateway)) : .none
    }
}
