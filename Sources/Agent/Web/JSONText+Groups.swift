// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import OctetText
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// Kinds of requests as the API describes them.
extension JSONText {
    /// Writes a group.
    ///
    /// - Parameters:
    ///   - group: The requests.
    ///   - total: All requests of which it is a share.
    ///   - now: The end of the curve, in nanoseconds since the Unix epoch.
    ///   - catalogue: Where routes are found.
    ///   - nearest: The rule that would take them after one small change.
    mutating func group(
        _ group: RequestGroups.Group,
        of total: Double,
        at now: Int64,
        _ catalogue: RouteCatalogue,
        nearest: NearestRules.Hint? = nil
    ) {
        object { json in
            if case .unmatched(let reason) = group.key.cause { json.member("reason", string: reason.text) }
            json.member("status", integer: group.key.status)
            if let status = group.key.grpcStatus { json.member("grpcStatus", integer: status) }
            json.member("host", string: group.key.host)
            json.member("path", string: group.key.path.text)
            json.member("method", string: group.methods.first)
            json.member("requests", number: group.count.rounded())
            json.member("requestsAtLeast", number: (group.count - group.overcount).rounded())
            json.member("share", number: total > 0 ? min(group.count / total, 1) : nil)
            json.member("samples", integer: group.samples)
            json.member("firstTime", time: group.first)
            json.member("lastTime", time: group.last)
            json.frequent("client", group.clients)
            json.frequent("userAgent", group.userAgents)
            json.member("trend", trend: group.trend(at: now))
            json.member("nearest", string: nearest?.text)
            json.member("nearestRouteId", string: nearest?.routeID)
            json.key("example")
            json.exchange(group.example, catalogue)
        }
    }

    private mutating func frequent(_ name: String, _ text: FrequentText) {
        guard !text.isEmpty else { return member(name, string: nil) }
        // A value of null: there are many, and none of them stands out.
        member(name) { json in
            json.member("value", string: text.first)
            json.member("share", number: text.share)
        }
    }
}

/// The nearest rules to requests that no route took, looked up once for each kind of request and table.
final class NearestRules: Sendable {
    /// A rule that would take a request after one small change.
    struct Hint: Sendable {
        /// The rule and the change, in words.
        let text: String
        /// The id of its route.
        let routeID: String
    }

    private let known = Mutex<(generation: Int, hints: [RequestGroups.Key: Hint?])>((-1, [:]))

    /// The hint for a group.
    func hint(for group: RequestGroups.Group, _ catalogue: RouteCatalogue, generation: Int) -> Hint? {
        let found: Hint?? = known.withLock { known in
            if known.generation != generation { known = (generation, [:]) }
            return known.hints[group.key]
        }
        if let found { return found }
        let hint = Self.search(group.example, catalogue)
        known.withLock { known in
            if known.generation == generation, known.hints.count < RequestGroups.capacity {
                known.hints.updateValue(hint, forKey: group.key)
            }
        }
        return hint
    }

    private static func search(_ exchange: RecentExchange, _ catalogue: RouteCatalogue) -> Hint? {
        let workload = catalogue.workload(of: exchange)
        let table = catalogue.tables.tables[workload]
        guard let described = DescribedRequest(exchange, in: table.environment) else { return nil }
        var scratch = RouteScratch()
        return table.explain(described, scratch: &scratch).nearest.map { nearest in
            let number = catalogue.tables.number(ofRoute: nearest.route, workload: workload)
            return Hint(text: nearest.text, routeID: catalogue.entry(ofRoute: number).id)
        }
    }
}
