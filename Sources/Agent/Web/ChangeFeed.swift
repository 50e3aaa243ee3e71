// Wingmirror · Apache-2.0

import JSONSyntax
import Synchronization
import TrafficMetrics

/// What open pages are told every second: how the agent is, and the routes whose figures have changed.
///
/// A page asks for the whole list of routes once, and again when the number of an event does not follow the one before or
/// the table has changed. Every figure is absolute, so an event may be applied twice.
final class ChangeFeed: Sendable {
    /// How many routes one event has; the others follow in the next ones.
    static let routeLimit = 500
    /// One event in this many also has the small curves of all routes with recent requests.
    private static let trendInterval = 10

    private let state = Mutex(State())

    private struct State {
        var sequence = 0
        /// What was sent of each route.
        var sent: [RouteLabels: Figures] = [:]
        /// Where the search for changes goes on, so that many busy routes all have their turn.
        var start = 0
    }

    /// What makes a route worth sending again.
    private struct Figures: Hashable {
        let requests: UInt64
        let windowRequests: UInt64
        let windowFailures: UInt64
        let windowUnseen: UInt64

        init(_ route: RouteActivity) {
            requests = route.totalRequests
            windowRequests = route.activity.requests
            windowFailures = route.activity.failures
            windowUnseen = route.activity.unseen
        }
    }

    /// Writes the next event.
    ///
    /// - Parameters:
    ///   - history: What the routes did.
    ///   - generation: Numbers the tables.
    ///   - write: Writes the members that say how the agent is.
    /// - Returns: The document.
    func next(_ history: TrafficHistory, generation: Int, _ write: (inout JSONText) -> Void) -> [UInt8] {
        let (sequence, tellsTrends) = state.withLock { state in
            state.sequence += 1
            return (state.sequence, state.sequence % Self.trendInterval == 0)
        }
        let trend = tellsTrends ? RouteListDocument.trend : .none
        let routes = changed(history.routes(over: RouteListDocument.window, trend: trend))
        return JSONText.document { json in
            json.member("sequence", integer: sequence)
            json.member("time", time: history.latestSample)
            json.member("generation", integer: generation)
            write(&json)
            json.member("routes", list: routes) { json, route in
                json.object { json in
                    json.member("id", string: route.labels.id)
                    json.writeActivity(route)
                    if tellsTrends { json.member("trend", trend: route.trend) }
                }
            }
        }
    }

    /// The routes to tell of: as many as one event may have of those that changed.
    private func changed(_ routes: [RouteActivity]) -> [RouteActivity] {
        guard !routes.isEmpty else { return [] }
        return state.withLock { state in
            var changed: [RouteActivity] = []
            var place = state.start % routes.count
            for _ in routes.indices where changed.count < Self.routeLimit {
                let route = routes[place]
                let figures = Figures(route)
                let hasTrend = route.trend.contains { ($0 ?? 0) > 0 }
                if hasTrend || state.sent[route.labels] != figures {
                    state.sent[route.labels] = figures
                    changed.append(route)
                }
                place = (place + 1) % routes.count
            }
            state.start = changed.count < Self.routeLimit ? 0 : place
            if state.sent.count > 2 * routes.count { state.sent.removeAll() }
            return changed
        }
    }
}
