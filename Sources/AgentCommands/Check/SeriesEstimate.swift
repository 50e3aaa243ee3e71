// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import RouteAttribution
import TrafficMetrics
import TrafficPipeline

/// How many series the traffic families would have for a route table, before any traffic was seen.
///
/// What is typical comes from real gateways: a route with traffic shows four methods with six codes each, and answers of
/// five classes, those that never came among them. A limit is
/// met by folding methods, then codes, then routes, and never by losing requests.
struct SeriesEstimate: Sendable, Equatable {
    /// The estimate for one family.
    struct Family: Sendable, Equatable {
        /// The name of the family.
        var name: String
        /// Label sets on a busy day, within the limit.
        var labelSets: Int
        /// Lines of one scrape: a histogram has several for each label set.
        var lines: Int
        /// What the limit takes; `nil` where it takes nothing.
        var folds: Fold?
    }

    /// What is lost at the limit.
    enum Fold: Sendable, Equatable {
        /// Methods and codes; every route keeps its name and its share of errors.
        case detail
        /// The names of routes.
        case routes
    }

    private static let combinationsPerRoute = 24
    private static let classesPerRoute = 5
    private static let statusesPerCall = 5
    private static let closeCodesPerRoute = 4
    /// Text, binary, pings and pongs of each direction.
    private static let messagesPerWebSocket = 8
    private static let directions = 2
    /// Requests without a route come with four classes of answers for some of the reasons.
    private static let unmatchedPerGateway = 12

    /// The families, in the order of the catalogue.
    private(set) var families: [Family] = []
    /// Lines of one scrape that a route has beside, once it carries gRPC; those of GRPCRoutes are among the families.
    let linesPerCallRoute: Int
    /// Lines that a route has beside, once it carries WebSockets, which no configuration says.
    let linesPerWebSocketRoute: Int
    private let limit: Int
    private let foldsRoutes: Bool

    /// Estimates the families for a table.
    init(_ table: RouteTable, metrics: MetricsConfiguration) {
        self.init(
            routes: Set(table.routes.map { RouteLabels($0) }).count,
            callRoutes: Set(table.routes.filter { $0.identity.object.kind == "GRPCRoute" }.map { RouteLabels($0) })
                .count,
            rules: table.routes.count,
            gateways: table.gateways.count + 1,
            durationBounds: metrics.durationBounds.count,
            serverWaitBounds: metrics.serverWaitBounds.count,
            lifetimeBounds: metrics.lifetimeBounds.count,
            limit: metrics.seriesLimit
        )
    }

    /// Estimates the families for a table of this size.
    ///
    /// - Parameters:
    ///   - routes: Different sets of the six route labels.
    ///   - callRoutes: How many of them are of GRPCRoutes.
    ///   - rules: Routes in the table.
    ///   - gateways: Values of the label `gateway`.
    ///   - durationBounds: Bounds of the duration histogram, without `+Inf`.
    ///   - serverWaitBounds: The same of the server wait.
    ///   - lifetimeBounds: The same of how long streams last.
    ///   - limit: The most label sets of a family.
    init(
        routes: Int,
        callRoutes: Int,
        rules: Int,
        gateways: Int,
        durationBounds: Int,
        serverWaitBounds: Int,
        lifetimeBounds: Int,
        limit: Int
    ) {
        self.limit = limit
        let (wait, lifetime) = (serverWaitBounds + 3, lifetimeBounds + 3)
        linesPerCallRoute = Self.statusesPerCall + Self.directions + wait + 2 * lifetime
        linesPerWebSocketRoute =
            Self.messagesPerWebSocket + Self.directions + lifetime + wait + Self.closeCodesPerRoute
        let named = min(routes, limit / MetricsConfiguration.leastLabelSetsPerRoute)
        foldsRoutes = named < routes
        // A classic histogram has a line for each bound, for +Inf, for the count and for the sum.
        add(MetricCatalogue.httpRequests, named * Self.combinationsPerRoute, isLimited: true)
        add(
            MetricCatalogue.httpRequestDuration,
            named * Self.classesPerRoute,
            lines: durationBounds + 3,
            isLimited: true
        )
        add(MetricCatalogue.httpServerWait, named, lines: wait, isLimited: true)
        add(MetricCatalogue.httpRequestBodySize, named, lines: 4 + 3, isLimited: true)
        add(MetricCatalogue.httpResponseBodySize, named, lines: 4 + 3, isLimited: true)
        let calls = min(callRoutes, named)
        if calls > 0 {
            add(MetricCatalogue.grpcResponses, calls * Self.statusesPerCall, isLimited: true)
            add(MetricCatalogue.grpcMessages, calls * Self.directions, isLimited: true)
            add(MetricCatalogue.grpcStreamFirstMessage, calls, lines: wait, isLimited: true)
            add(MetricCatalogue.grpcStreamLastMessage, calls, lines: lifetime, isLimited: true)
            add(MetricCatalogue.grpcStreamDuration, calls, lines: lifetime, isLimited: true)
        }
        add(MetricCatalogue.websocketUpgrades, named, isLimited: true)
        add(MetricCatalogue.httpRequestsUnmatched, gateways * Self.unmatchedPerGateway)
        add(MetricCatalogue.routeInfo, rules)
        add(MetricCatalogue.routeLastRequest, rules)
        add(MetricCatalogue.routeDestinationWeight, routes)
    }

    /// Lines of one scrape, of all families together.
    var lines: Int { families.reduce(0) { $0 + $1.lines } }

    private mutating func add(_ family: MetricFamily, _ labelSets: Int, lines: Int = 1, isLimited: Bool = false) {
        let shown = isLimited ? min(labelSets, limit) : labelSets
        families.append(
            Family(
                name: family.name,
                labelSets: shown,
                lines: shown * lines,
                folds: isLimited && foldsRoutes ? .routes : shown < labelSets ? .detail : nil
            )
        )
    }
}
