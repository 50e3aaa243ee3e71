// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import OctetText
import RouteAttribution
import TrafficMetrics
import TrafficPipeline

/// `/api/v1/routes?route=`: one route with its past, its latest exchanges, and the routes that are asked before it.
struct RouteDetailDocument {
    /// How many exchanges of each kind are shown.
    private static let exchangeLimit = 50
    /// How many routes asked before it are shown, for each host.
    private static let earlierLimit = 100
    /// How many steps the past is shown in, at most.
    private static let steps = 60

    /// The routes in force.
    let catalogue: RouteCatalogue
    /// The route.
    let entry: RouteCatalogue.Entry
    /// What the routes did.
    let history: TrafficHistory
    /// How far back the past goes.
    let window: Duration
    /// What was kept of late.
    let recent: RecentBoard
    /// What kinds of its requests fail.
    let failing: [RequestGroups.Group]
    /// What is wrong with objects.
    let findings: [RouteFinding]

    /// The document.
    var octets: [UInt8] {
        let activity = history.routes(over: RouteListDocument.window, trend: RouteListDocument.trend)
            .first { $0.labels == entry.labels }
        let exchanges = Array(recent.routed.lazy.filter(isOfRoute).prefix(Self.exchangeLimit))
        let failures = Array(recent.failed.lazy.filter(isOfRoute).prefix(Self.exchangeLimit))
        return JSONText.document { json in
            json.member("time", time: history.latestSample)
            json.member("windowSeconds", number: Double(window.nanoseconds) / 1e9)
            json.member("stepSeconds", number: Double(step.nanoseconds) / 1e9)
            json.member("route") { json in
                json.writeRoute(entry, of: catalogue)
                json.writeActivity(activity)
                json.member("trend", trend: activity?.trend ?? [])
            }
            json.member("timeline", list: history.timeline(of: entry.labels, over: window, step: step)) {
                $0.timelinePoint($1)
            }
            json.member("recent", list: exchanges) { $0.exchange($1, catalogue) }
            json.member("failed", list: failures) { $0.exchange($1, catalogue) }
            let failed = failing.reduce(0) { $0 + $1.count }
            json.member("failing", list: failing) { json, group in
                json.group(group, of: failed, at: history.latestSample ?? group.last, catalogue)
            }
            json.member("hosts", list: EarlierRoutes(catalogue, entry, exchanges).hosts) { json, host in
                json.earlier(host, catalogue, limit: Self.earlierLimit)
            }
            json.member("findings", list: findings.filter(concernsRoute)) { $0.finding($1) }
        }
    }

    private var step: Duration {
        max(.seconds(5), window / Self.steps)
    }

    private func isOfRoute(_ exchange: RecentExchange) -> Bool {
        exchange.route.map { RouteLabels($0) == entry.labels } ?? false
    }

    /// Whether a finding is about the rule, or about its object as a whole.
    private func concernsRoute(_ finding: RouteFinding) -> Bool {
        entry.numbers.contains { number in
            let identity = catalogue.tables.routes[number].identity
            let rule =
                identity.object == finding.object
                ? identity.rule : identity.delegate?.object == finding.object ? identity.delegate?.rule : nil
            guard let rule else { return false }
            let place = "spec.http[\(rule)]"
            return !finding.path.hasPrefix("spec.http[") || finding.path == place || finding.path.hasPrefix(place + ".")
        }
    }
}

extension JSONText {
    /// Writes a step of a timeline, with its column of a heatmap.
    fileprivate mutating func timelinePoint(_ point: TimelinePoint) {
        object { json in
            json.member("start", time: point.start)
            json.member("end", time: point.end)
            json.writeActivity(point.activity)
            json.member("classes") { json in
                for (word, requests) in point.activity.requestsByAnswer { json.member(word, integer: requests) }
            }
            json.member("buckets", list: point.activity.latency.buckets(perDoubling: 2)) { json, bucket in
                json.beginList()
                json.double(bucket.lower)
                json.double(bucket.upper)
                json.integer(Int(clamping: bucket.count))
                json.endList()
            }
        }
    }

    /// Writes the routes that a host asks before one.
    fileprivate mutating func earlier(_ host: EarlierRoutes.Host, _ catalogue: RouteCatalogue, limit: Int) {
        object { json in
            json.member("host", string: host.name)
            json.member("ports", list: host.podPorts) { $0.integer($1) }
            json.member("position", integer: host.position)
            json.member("explained", integer: host.explained)
            json.member("earlier", list: host.earlier.prefix(limit)) { json, earlier in
                let route = catalogue.tables.routes[earlier.number]
                json.object { json in
                    json.member("id", string: catalogue.entry(ofRoute: earlier.number).id)
                    json.member("place", string: ExplanationReport.place(route))
                    json.member("conditions", string: route.matchText)
                    json.member("lost", list: earlier.failures) { json, failure in
                        json.object { json in
                            json.member("reason", string: failure.reason)
                            json.member("requests", integer: failure.count)
                        }
                    }
                }
            }
        }
    }
}
