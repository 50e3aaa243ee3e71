// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import OctetText
import TrafficMetrics

extension TopFrame {
    /// The frame as a document, in the words of the agent's API; every route is in it, ordered by `order`, those without
    /// requests too.
    func document(_ order: TopView.Order) -> JSONValue {
        var view = TopView(size: TerminalSize(columns: .max, rows: .max), isColoured: false)
        view.order = order
        return [
            "source": .string(source),
            "time": time.map { .string($0) } ?? .null,
            "windowSeconds": .double(windowSeconds),
            "ended": .bool(hasEnded),
            "problem": problem.map { .string($0) } ?? .null,
            "requestsPerSecond": .double(requestsPerSecond),
            "unmatchedPerSecond": JSONValue(
                Dictionary(uniqueKeysWithValues: unmatchedPerSecond.map { ($0.word, .double($0.perSecond)) })
            ),
            "unmatchedMost": unmatchedMost.map { .string($0) } ?? .null,
            "notice": notice.map { .string($0) } ?? .null,
            "visibility": truth?.document ?? .null,
            "routes": .array(view.rows(of: self).map(\.document)),
        ]
    }
}

extension TopFrame.Row {
    fileprivate var document: JSONValue {
        [
            "id": .string(id), "object": .string(object), "route": .string(route), "match": .string(match),
            "gateway": .string(gateway), "hosts": .string(hosts), "target": .string(target),
            "inTable": .bool(isInTable),
            "requests": JSONValue(requests),
            "windowRequests": JSONValue(windowRequests),
            "windowFailures": JSONValue(windowFailures),
            "windowClientErrors": JSONValue(windowClientErrors),
            "windowUnseen": JSONValue(windowUnseen),
            "errorShare": JSONValue(number: errorShare),
            "clientErrorShare": JSONValue(number: clientErrorShare),
            "requestsPerSecond": JSONValue(number: requestsPerSecond),
            "p50": JSONValue(number: shownLatency.p50), "p95": JSONValue(number: shownLatency.p95),
            "p99": JSONValue(number: shownLatency.p99),
            "lastRequestTime": lastRequest.map { .string($0) } ?? .null,
        ]
    }
}

extension TopFrame.Truth {
    fileprivate var document: JSONValue {
        [
            "packetsPerSecond": JSONValue(number: packetsPerSecond),
            "packets": JSONValue(packets), "lostPackets": JSONValue(lostPackets),
            "truncatedPackets": JSONValue(truncatedPackets), "gaps": JSONValue(gaps), "gapOctets": JSONValue(gapOctets),
            "connections": JSONValue(connections), "opaqueConnections": JSONValue(opaqueConnections),
            "windowRequests": JSONValue(windowRequests), "answersNotSeen": JSONValue(windowUnseen),
            "answersAlone": JSONValue(answersAlone),
        ]
    }
}

extension JSONValue {
    /// A number; `null` without one.
    fileprivate init(number: Double?) {
        self = number.map { .double($0) } ?? .null
    }
}

/// Frames from what an agent answers to `/api/v1/status` and `/api/v1/routes`.
extension TopFrame {
    /// Takes the answers; members that another version of the agent does not have are left out.
    ///
    /// - Parameters:
    ///   - source: The URL of the agent.
    ///   - routes: The answer to `/api/v1/routes`.
    ///   - status: The answer to `/api/v1/status`.
    init(source: String, routes: JSONValue, status: JSONValue) {
        self.init(source: source)
        time = routes["time"]?.time.map { WallClock.text($0) }
        rows = (routes["routes"]?.arrayValue ?? []).map(Row.init)
        let visibility = status["visibility"]
        windowSeconds = visibility?["windowSeconds"]?.numberValue ?? routes["windowSeconds"]?.numberValue ?? 0
        truth = visibility.map(Truth.init)
        unmatchedMost = status["unmatchedMost"].flatMap(Self.kind)
        notice = status["gatewayNotices"]?.arrayValue?.first?.stringValue
        let reasons = status["unmatchedPerSecond"] ?? .null
        unmatchedPerSecond = UnmatchedReason.allCases.compactMap { reason in
            reasons[reason.text]?.numberValue.flatMap { $0 > 0 ? Reason(reason: reason, perSecond: $0) : nil }
        }
        let unmatched = unmatchedPerSecond.reduce(0) { $0 + ($1.reason.isArrival ? $1.perSecond : 0) } * windowSeconds
        truth?.windowRequests = rows.reduce(UInt64(clamped: unmatched.rounded())) { $0 + $1.windowRequests }
        unmatchedServed = status["unmatchedAnswers"]?["served"]?.count ?? 0
    }
}

extension TopFrame {
    /// The kind of requests that an agent names, in words.
    private static func kind(_ most: JSONValue) -> String? {
        guard let host = most["host"]?.stringValue, let path = most["path"]?.stringValue else { return nil }
        let method = most["method"]?.stringValue.map { "\($0) " } ?? ""
        let share =
            most["share"]?.numberValue.map {
                $0 < 0.995 ? "\(HumanUnits.share(UInt64(clamped: $0 * 1000), of: 1000)) " : ""
            } ?? ""
        let since = most["firstTime"]?.stringValue.map { " since \($0.dropFirst(11).prefix(8))" } ?? ""
        // The target `*` of OPTIONS is no path.
        let space = path.hasPrefix("/") ? "" : " "
        // The rule without the change that it would take, for which a line has no room.
        let nearest = most["nearest"]?.stringValue?.replacing("`", with: "").split(separator: ", if ").first
        return "\(share)\(method)\(host)\(space)\(path)\(since)" + (nearest.map { "; nearest is \($0)" } ?? "")
    }
}

extension TopFrame.Row {
    /// Takes an entry of the list of routes.
    fileprivate init(_ route: JSONValue) {
        func text(_ key: String) -> String { route[key]?.stringValue ?? "" }
        let matches = route["matches"]?.arrayValue ?? []
        let others = (route["matchCount"]?.count ?? 1) - min(route["matchCount"]?.count ?? 1, 1)
        let match = matches.first?["conditions"]?.stringValue ?? ""
        self.init(
            id: text("id"),
            object: text("object"),
            route: text("route"),
            match: others > 0 ? "\(match) (+\(others))" : match,
            gateway: text("gateway"),
            hosts: (route["hosts"]?.arrayValue ?? []).prefix(5).compactMap(\.stringValue).joined(separator: ", "),
            target: text("target"),
            isInTable: route["inTable"]?.boolValue ?? true
        )
        requests = route["requests"]?.count ?? 0
        windowRequests = route["windowRequests"]?.count ?? 0
        windowFailures = route["windowFailures"]?.count ?? 0
        windowClientErrors = route["windowClientErrors"]?.count ?? 0
        windowUnseen = route["windowUnseen"]?.count ?? 0
        requestsPerSecond = route["requestsPerSecond"]?.numberValue
        latency = LatencyQuantiles(json: route)
        trend = (route["trend"]?.arrayValue ?? []).map(\.numberValue)
        lastRequest = route["lastRequestTime"]?.time.map { WallClock.text($0) }
    }
}

extension TopFrame.Truth {
    fileprivate init(_ visibility: JSONValue) {
        let sinceStart = visibility["sinceStart"]
        func count(_ key: String) -> UInt64 { sinceStart?[key]?.count ?? 0 }
        self.init(
            packetsPerSecond: visibility["packetsPerSecond"]?.numberValue,
            packets: count("packets"),
            lostPackets: count("lostPackets"),
            truncatedPackets: count("truncatedPackets"),
            gaps: count("gaps"),
            gapOctets: count("gapOctets"),
            connections: count("connections"),
            opaqueConnections: count("opaqueConnections"),
            answersAlone: count("answersAlone"),
            windowUnseen: visibility["answersNotSeen"]?.count ?? 0
        )
    }
}

extension TopDetail {
    /// Takes the answer to `/api/v1/routes?route=`.
    init(id: String, _ document: JSONValue) {
        self.init(id: id)
        points = (document["timeline"]?.arrayValue ?? []).compactMap { point in
            guard let start = point["start"]?.time, let end = point["end"]?.time, end > start else { return nil }
            return Point(
                start: start,
                end: end,
                classes: (ResponseCodeClass.allCases.map(\.text) + ["unknown"]).map { word in
                    Class(word: word, requests: point["classes"]?[word]?.count ?? 0)
                },
                latency: LatencyQuantiles(json: point),
                buckets: (point["buckets"]?.arrayValue ?? []).compactMap(Bucket.init)
            )
        }
    }
}

extension TopDetail.Bucket {
    /// Takes `[lower, upper, count]`.
    fileprivate init?(_ bucket: JSONValue) {
        guard let parts = bucket.arrayValue, parts.count == 3, let lower = parts[0].numberValue,
            let upper = parts[1].numberValue,
            let requests = parts[2].count
        else { return nil }
        self.init(lower: lower, upper: upper, requests: requests)
    }
}

extension LatencyQuantiles {
    fileprivate init(json: JSONValue) {
        self.init(p50: json["p50"]?.numberValue, p95: json["p95"]?.numberValue, p99: json["p99"]?.numberValue)
    }
}
