// Wingmirror · Apache-2.0

package import JSONSyntax
import RouteAttribution
import TrafficMetrics

/// Routes as the API describes them.
extension JSONText {
    /// How many hosts, match entries or destinations of one route are listed.
    private static let listLimit = 20

    /// Writes what a route is: the members that change with the table only.
    mutating func writeRoute(_ entry: RouteCatalogue.Entry, of catalogue: RouteCatalogue) {
        let route = catalogue.route(of: entry)
        member("id", string: entry.id)
        member("kind", string: route.identity.object.kind)
        member("object", string: route.identity.object.reference)
        member("delegate", string: route.identity.delegate?.object.reference)
        member("route", string: route.label)
        member("gateway", string: route.gateway)
        member("hosts", strings: route.hosts.prefix(Self.listLimit))
        member("hostCount", integer: route.hosts.count)
        // The table has a match entry once for every server that the object is bound to.
        var seen: Set<RouteIdentity> = []
        let matches = entry.numbers.map { catalogue.tables.routes[$0] }.filter { seen.insert($0.identity).inserted }
        member("matches", list: matches.prefix(Self.listLimit)) { json, route in
            json.object { json in
                json.member("rule", integer: route.identity.rule)
                json.member("match", integer: route.identity.match)
                json.member("conditions", string: route.matchText)
            }
        }
        member("matchCount", integer: matches.count)
        member("action", string: route.action.rawValue)
        member("target", string: ExplanationReport.target(route))
        member("destinations", list: route.destinations.prefix(Self.listLimit)) { json, destination in
            json.object { json in
                json.member("host", string: destination.host)
                json.member("port", integer: destination.port)
                json.member("subset", string: destination.subset.isEmpty ? nil : destination.subset)
                json.member("share", number: destination.share)
                json.member("invalid", bool: destination.isInvalid)
            }
        }
        member("inTable", bool: true)
    }

    /// Writes what is left of a route that is no longer in the table: its labels.
    mutating func writeRemovedRoute(_ labels: RouteLabels) {
        member("id", string: labels.id)
        member("kind", string: "")
        member("object", string: "\(labels.virtualServiceNamespace)/\(labels.virtualService)")
        member("delegate", string: nil)
        member("route", string: labels.route)
        member("gateway", string: labels.gateway)
        member("hosts", strings: [])
        member("hostCount", integer: 0)
        member("matches", strings: [])
        member("matchCount", integer: 0)
        member("action", string: "")
        member("target", string: labels.destinationService)
        member("destinations", strings: [])
        member("inTable", bool: false)
    }

    /// Writes what a route does; `nil` stands for one that has had no requests.
    mutating func writeActivity(_ route: RouteActivity?) {
        member("requests", integer: route?.totalRequests ?? 0)
        member("lastRequestTime", time: route?.lastRequestAt)
        writeActivity(route?.activity)
    }

    /// Writes the figures of a window.
    mutating func writeActivity(_ activity: TrafficActivity?) {
        member("windowRequests", integer: activity?.requests ?? 0)
        member("windowFailures", integer: activity?.failures ?? 0)
        member("windowClientErrors", integer: activity?.requests(.clientError) ?? 0)
        member("windowUnseen", integer: activity?.unseen ?? 0)
        member("requestsPerSecond", number: activity?.requestsPerSecond)
        member("errorShare", number: activity?.errorShare)
        member("clientErrorShare", number: activity?.share(of: .clientError))
        member("serverErrorShare", number: activity?.share(of: .serverError))
        member("p50", number: activity?.latency.quantile(0.5))
        member("p95", number: activity?.latency.quantile(0.95))
        member("p99", number: activity?.latency.quantile(0.99))
    }

    /// Writes the steps of a trend.
    package mutating func member(_ name: String, trend: [Double?]) {
        member(name, list: trend) { json, value in
            if let value { json.double((value * 1000).rounded() / 1000) } else { json.null() }
        }
    }

    /// Writes a finding, as `routes check` does.
    mutating func finding(_ finding: RouteFinding) {
        object { json in
            json.member("object", string: finding.object.description)
            json.member("severity", string: finding.severity.rawValue)
            json.member("code", string: finding.code.rawValue)
            json.member("message", string: finding.message)
            json.member("path", string: finding.path)
            json.member("file", string: finding.location?.file)
            json.member("line", integer: finding.location?.line)
        }
    }
}
