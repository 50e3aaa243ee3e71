// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import RouteAttribution
import TrafficMetrics
import TrafficPipeline

/// How many series the traffic families would have for a route table, before any traffic was seen.
///
/// What is typical comes from real gateways: a route with traffic shows four methods with six codes each, and answers of
/// three classes. A limit is met by folding routes, never by losing requests.
struct SeriesEstimate: Sendable, Equatable {
    /// The estimate for one family.
    struct Family: Sendable, Equatable {
        /// The name of the family.
        var name: String
        /// Label sets on a busy day, within the limit.
        var labelSets: Int
        /// Lines of one scrape: a histogram has several for each label set.
        var lines: Int
        /// Whether the limit cuts the estimate, so that routes are folded.
        var isFolded: Bool
    }

    private static let combinationsPerRoute = 24
    private static let classesPerRoute = 3
    /// Requests without a route come with four classes of answers for some of the reasons.
    private static let unmatchedPerGateway = 12

    /// The families, in the order of the catalogue.
    private(set) var families: [Family] = []
    private let limit: Int

    /// Estimates the families for a table.
    init(_ table: RouteTable, metrics: TrafficMetrics.MetricsConfiguration) {
        self.init(
            routes: Set(table.routes.map { RouteLabels($0) }).count,
            rules: table.routes.count,
            gateways: table.gateways.count + 1,
            durationBounds: metrics.durationBounds.count,
            limit: metrics.seriesLimit
        )
    }

    /// Estimates the families for a table of this size.
    ///
    /// - Parameters:
    ///   - routes: Different sets of the six route labels.
    ///   - rules: Routes in the table.
    ///   - gateways: Values of the label `gateway`.
    ///   - durationBounds: Bounds of the duration histogram, without `+Inf`.
    ///   - limit: The most label sets of a family.
    init(routes: Int, rules: Int, gateways: Int, durationBounds: Int, limit: Int) {
        self.limit = limit
        // A classic histogram has a line for each bound, for +Inf, for the count and for the sum.
        add(MetricCatalogue.httpRequests, routes * Self.combinationsPerRoute, isLimited: true)
        add(
            MetricCatalogue.httpRequestDuration,
            routes * Self.classesPerRoute,
            lines: durationBounds + 3,
            isLimited: true
        )
        add(MetricCatalogue.httpServerWait, routes, lines: 6 + 3, isLimited: true)
        add(MetricCatalogue.httpRequestBodySize, routes, lines: 4 + 3, isLimited: true)
        add(MetricCatalogue.httpResponseBodySize, routes, lines: 4 + 3, isLimited: true)
        add(MetricCatalogue.websocketUpgrades, routes, isLimited: true)
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
            Family(name: family.name, labelSets: shown, lines: shown * lines, isFolded: shown < labelSets)
        )
    }
}
