// Wingmirror · Apache-2.0

public import RouteAttribution
public import TrafficMetrics

/// One generation of routes: a table with the series that its routes count into and what mirroring means for it; immutable.
///
/// A ``RouteBoard`` makes them, so that table, series and mirroring always belong together. A request is decided, counted
/// and recorded by one generation, whatever is published meanwhile.
public final class RouteGeneration: Sendable {
    /// Counts what the process has published, from 1; the `generation` of the metrics, the page and the status.
    ///
    /// It grows also when only the series change, because the limit of series admits other routes than before.
    public let number: Int
    /// The compiled routes.
    public let table: RouteTable
    /// The series of those routes, and of their Gateways.
    public let series: RouteSeriesTable
    /// Which requests are mirrored; `nil` when none are.
    public let mirroring: MirrorRouting?

    /// Puts together what was made of one table.
    ///
    /// A route's number is an index into all three parts: with those of another table the wrong rule would be counted, or
    /// the capture thread would trap on an index.
    init(number: Int, table: RouteTable, series: RouteSeriesTable, mirroring: MirrorRouting?) {
        precondition(
            series.routeCount == table.routes.count && series.gatewayCount == table.gateways.count,
            "RouteGeneration.init: the series of generation \(number) are not those of its table"
        )
        precondition(
            mirroring.map { $0.routeCount == table.routes.count } ?? true,
            "RouteGeneration.init: the mirroring of generation \(number) is not that of its table"
        )
        self.number = number
        self.table = table
        self.series = series
        self.mirroring = mirroring
    }

    /// The series of a Gateway; that of no Gateway below 0.
    func gatewaySeries(_ gateway: Int32) -> GatewaySeries {
        gateway >= 0 ? series.series(ofGateway: Int(gateway)) : .none
    }
}
