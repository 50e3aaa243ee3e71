// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import OctetText
import RouteAttribution
import TrafficMetrics

/// `/api/v1/routes`: every route of the table with what it does, and those that are gone but had requests.
struct RouteListDocument {
    /// The window of the figures.
    static let window: Duration = .seconds(60)
    /// The steps of the small curves: ten minutes.
    static let trend = TrendShape(steps: 60, step: .seconds(10))

    /// The routes in force.
    let catalogue: RouteCatalogue
    /// What they did.
    let history: TrafficHistory
    /// Numbers the tables.
    let generation: Int
    /// The window of the figures.
    var window = Self.window

    /// The document.
    var octets: [UInt8] {
        let activities = history.routes(over: window, trend: Self.trend)
        let byLabels = Dictionary(activities.map { ($0.labels, $0) }) { first, _ in first }
        return JSONText.document { json in
            json.member("time", time: history.latestSample)
            json.member("generation", integer: generation)
            json.member("windowSeconds", number: Double(window.nanoseconds) / 1e9)
            json.member("trendStepSeconds", number: Double(Self.trend.step.nanoseconds) / 1e9)
            json.key("routes")
            json.beginList()
            for entry in catalogue.entries {
                let activity = byLabels[entry.labels]
                json.object { json in
                    json.writeRoute(entry, of: catalogue)
                    json.writeActivity(activity)
                    json.member("trend", trend: activity?.trend ?? [])
                }
            }
            for activity in activities where catalogue[activity.labels] == nil && activity.totalRequests > 0 {
                json.object { json in
                    json.writeRemovedRoute(activity.labels)
                    json.writeActivity(activity)
                    json.member("trend", trend: activity.trend)
                }
            }
            json.endList()
        }
    }
}
