// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import TrafficMetrics

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
        rows = (routes["routes"]?.list ?? []).map(Row.init)
        let visibility = status["visibility"]
        windowSeconds = visibility?["windowSeconds"]?.number ?? routes["windowSeconds"]?.number ?? 0
        truth = visibility.map(Truth.init)
        let reasons = status["unmatchedPerSecond"] ?? .null
        unmatchedPerSecond = UnmatchedReason.allCases.compactMap { reason in
            reasons[reason.text]?.number.flatMap { $0 > 0 ? Reason(word: reason.text, perSecond: $0) : nil }
        }
    }
}

extension TopFrame.Row {
    /// Takes an entry of the list of routes.
    fileprivate init(_ route: JSONValue) {
        func text(_ key: String) -> String { route[key]?.string ?? "" }
        let matches = route["matches"]?.list ?? []
        let others = (route["matchCount"]?.count ?? 1) - min(route["matchCount"]?.count ?? 1, 1)
        let match = matches.first?["conditions"]?.string ?? ""
        self.init(
            id: text("id"),
            object: text("object"),
            route: text("route"),
            match: others > 0 ? "\(match) (+\(others))" : match,
            gateway: text("gateway"),
            hosts: (route["hosts"]?.list ?? []).prefix(5).compactMap(\.string).joined(separator: ", "),
            target: text("target"),
            isInTable: route["inTable"]?.truth ?? true
        )
        requests = route["requests"]?.count ?? 0
        windowRequests = route["windowRequests"]?.count ?? 0
        windowFailures = route["windowFailures"]?.count ?? 0
        requestsPerSecond = route["requestsPerSecond"]?.number
        latency = LatencyQuantiles(json: route)
        trend = (route["trend"]?.list ?? []).map(\.number)
        lastRequest = route["lastRequestTime"]?.time.map { WallClock.text($0) }
    }
}

extension TopFrame.Truth {
    fileprivate init(_ visibility: JSONValue) {
        let sinceStart = visibility["sinceStart"]
        func count(_ key: String) -> UInt64 { sinceStart?[key]?.count ?? 0 }
        self.init(
            packetsPerSecond: visibility["packetsPerSecond"]?.number,
            packets: count("packets"),
            lostPackets: count("lostPackets"),
            truncatedPackets: count("truncatedPackets"),
            gaps: count("gaps"),
            gapOctets: count("gapOctets"),
            connections: count("connections"),
            opaqueConnections: count("opaqueConnections")
        )
    }
}

extension TopDetail {
    /// Takes the answer to `/api/v1/routes?route=`.
    init(id: String, _ document: JSONValue) {
        self.init(id: id)
        points = (document["timeline"]?.list ?? []).compactMap { point in
            guard let start = point["start"]?.time, let end = point["end"]?.time, end > start else { return nil }
            return Point(
                start: start,
                end: end,
                classes: ResponseCodeClass.allCases.map { own in
                    Class(word: own.text, requests: point["classes"]?[own.text]?.count ?? 0)
                },
                latency: LatencyQuantiles(json: point),
                buckets: (point["buckets"]?.list ?? []).compactMap(Bucket.init)
            )
        }
    }
}

extension TopDetail.Bucket {
    /// Takes `[lower, upper, count]`.
    fileprivate init?(_ bucket: JSONValue) {
        guard let parts = bucket.list, parts.count == 3, let lower = parts[0].number, let upper = parts[1].number,
            let requests = parts[2].count
        else { return nil }
        self.init(lower: lower, upper: upper, requests: requests)
    }
}

extension LatencyQuantiles {
    fileprivate init(json: JSONValue) {
        self.init(p50: json["p50"]?.number, p95: json["p95"]?.number, p99: json["p99"]?.number)
    }
}

extension JSONValue {
    fileprivate var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    fileprivate var truth: Bool? {
        if case .bool(let truth) = self { truth } else { nil }
    }

    fileprivate var list: [JSONValue]? {
        if case .array(let list) = self { list } else { nil }
    }

    fileprivate var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    fileprivate var count: UInt64? {
        if case .integer(let number) = self, number >= 0 { UInt64(number) } else { nil }
    }

    /// A time as RFC 3339 has it, in nanoseconds since the Unix epoch.
    fileprivate var time: Int64? { string.flatMap { WallClock.nanoseconds(text: $0) } }
}
