// Wingmirror · Apache-2.0

import JSONSyntax

/// What several agents say, added up, and where they differ.
struct AgentsReport: Sendable {
    /// An agent that gave no answer.
    struct Silent: Sendable, Equatable {
        /// Its address.
        let name: String
        /// Why.
        let reason: String
    }

    /// One agent.
    struct Row: Sendable, Equatable {
        /// Its address, or its pod's namespace and name.
        let name: String
        /// The node that its pod is on; empty where that is not known.
        let node: String
        /// The version of the program.
        let version: String
        /// When it started (RFC 3339).
        let startTime: String
        /// The hash of its configuration.
        let configuration: String
        /// The hash of its route tables.
        let table: String
        /// How many routes it has.
        let routes: Int
        /// Requests that a route took, since the start.
        let matched: Double
        /// Requests that none took.
        let unmatched: Double
        /// What is wrong with it; empty where nothing is.
        let troubles: [String]
    }

    /// A route over all agents.
    struct Route: Sendable, Equatable {
        /// The same on every agent.
        let id: String
        /// The object, `namespace/name`.
        let object: String
        /// The name of the rule.
        let route: String
        /// The Gateway.
        let gateway: String
        /// Requests since each agent started.
        var requests = 0.0
        /// Requests per second of the last minute.
        var rate = 0.0
        /// Requests of the last minute.
        var windowRequests = 0.0
        /// Of those, the ones that were answered 4xx.
        var clientErrors = 0.0
        /// Of those, the ones whose answers were not seen, which are in no share.
        var unseen = 0.0
        /// Of those, the ones that failed.
        var failures = 0.0
        /// The longest of the agents' 99th percentiles, in seconds.
        var worstP99: Double?
        /// How many agents have it in their tables.
        var agents = 0
    }

    /// The comparisons of a policy, target and route over all agents.
    struct Verdict: Sendable, Equatable {
        /// What it is about: policy, target, object, route.
        let key: [String]
        /// Pairs of answers.
        var pairs = 0.0
        /// Those in which the target was worse.
        var worse = 0.0
        /// Those in which it was better.
        var better = 0.0
        /// How many agents came to each verdict.
        var words: [String: Int] = [:]
    }

    /// The agents that answered, in the order in which they were named.
    private(set) var rows: [Row] = []
    /// The others.
    private(set) var silent: [Silent] = []
    /// The routes, the busiest first.
    private(set) var routes: [Route] = []
    /// The comparisons, in alphabetical order.
    private(set) var verdicts: [Verdict] = []

    /// How many routes the table for people has.
    private static let routeLimit = 40

    /// Adds up answers.
    init(_ answers: [AgentAnswer]) {
        var byID: [String: Route] = [:]
        var byKey: [[String]: Verdict] = [:]
        for answer in answers {
            switch answer.result {
            case .failure(let refusal): silent.append(Silent(name: answer.name, reason: refusal.reason))
            case .success(let documents):
                rows.append(Row(answer, documents.status))
                for route in documents.routes["routes"]?.arrayValue ?? [] { Self.add(route, to: &byID) }
                for verdict in documents.mirror["verdicts"]?.arrayValue ?? [] { Self.add(verdict, to: &byKey) }
            }
        }
        routes = byID.values.sorted { ($1.rate, $0.object, $0.route, $0.id) < ($0.rate, $1.object, $1.route, $1.id) }
        verdicts = byKey.values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    private static func add(_ document: JSONValue, to routes: inout [String: Route]) {
        let id = document.text("id")
        var route =
            routes[id]
            ?? Route(
                id: id,
                object: document.text("object"),
                route: document.text("route"),
                gateway: document.text("gateway")
            )
        let requests = document.number("windowRequests")
        route.requests += document.number("requests")
        route.rate += document.number("requestsPerSecond")
        route.windowRequests += requests
        route.clientErrors += document.number("windowClientErrors")
        let unseen = document.number("windowUnseen")
        route.unseen += unseen
        route.failures += document.number("windowFailures")
        if let p99 = document["p99"]?.numberValue, !isHardlySeen(requests, unseen) {
            route.worstP99 = max(route.worstP99 ?? 0, p99)
        }
        if document["inTable"]?.boolValue ?? false { route.agents += 1 }
        routes[id] = route
    }

    /// Whether nearly all answers were not seen: the few that are known are no sample, here as in `top` and on the page.
    private static func isHardlySeen(_ requests: Double, _ unseen: Double) -> Bool {
        requests > 0 && requests - unseen <= 0.1 * requests
    }

    private static func add(_ document: JSONValue, to verdicts: inout [[String]: Verdict]) {
        let object = "\(document.text("virtualServiceNamespace"))/\(document.text("virtualService"))"
        let key = [document.text("policy"), document.text("target"), object, document.text("route")]
        var verdict = verdicts[key] ?? Verdict(key: key)
        verdict.pairs += document.number("pairs")
        verdict.worse += document.number("worsePairs")
        verdict.better += document.number("betterPairs")
        verdict.words[document.text("verdict"), default: 0] += 1
        verdicts[key] = verdict
    }

    // MARK: - Differences

    /// Where the agents differ, a sentence each.
    var drift: [String] {
        [
            difference("versions", \.version), difference("configurations", \.configuration),
            // Nodes with other gateways have other routes, and that is as it should be.
            difference("route tables", \.table, note: "nodes with other gateways have other routes"),
        ].compactMap(\.self)
    }

    private func difference(_ what: String, _ value: (Row) -> String, note: String = "") -> String? {
        let groups = Dictionary(grouping: rows) { value($0) }
        guard groups.count > 1 else { return nil }
        let parts = groups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { value, rows in
            let names = rows.prefix(3).map(\.name).joined(separator: ", ") + (rows.count > 3 ? " …" : "")
            return "\(Self.short(value)) on \(rows.count) (\(names))"
        }
        return "\(what) differ: \(parts.joined(separator: "; "))" + (note.isEmpty ? "" : " (\(note))")
    }

    private static func short(_ hash: String) -> String {
        hash.count > 20 ? String(hash.prefix(12)) : hash.isEmpty ? "unknown" : hash
    }

    // MARK: - Output

    /// The report as lines of text.
    func lines(_ style: TerminalStyle) -> [String] {
        var lines = [style.apply(.bold, to: "Agents")] + agentTable.lines(style)
        for agent in silent {
            lines.append("  " + style.apply(.alarm, to: "\(agent.name): \(agent.reason.withVisibleControls)"))
        }
        for row in rows {
            for trouble in row.troubles {
                lines.append("  " + style.apply(.warning, to: "\(row.name): \(trouble.withVisibleControls)"))
            }
        }
        for sentence in drift { lines.append("  " + style.apply(.warning, to: sentence.withVisibleControls)) }
        lines += ["", style.apply(.bold, to: "Routes")]
        lines += routes.isEmpty ? ["  the tables have no routes"] : routeTable.lines(style)
        if routes.count > Self.routeLimit {
            lines.append("  and \(routes.count - Self.routeLimit) more with fewer requests; --output json has all")
        }
        guard !verdicts.isEmpty else { return lines }
        return lines + ["", style.apply(.bold, to: "Shadow traffic")] + verdictTable.lines(style)
    }

    private var agentTable: TextTable {
        let hasNodes = rows.contains { !$0.node.isEmpty }
        let node = hasNodes ? [TextTable.Column(title: "NODE", isFigure: false, shortest: 8, isName: true)] : []
        var table = TextTable(
            [.init(title: "AGENT", isFigure: false, shortest: 12, isName: true)] + node + [
                .init(title: "VERSION", isFigure: false, yield: 3),
                .init(title: "STARTED", isFigure: false, yield: 4), .init(title: "CONFIG", isFigure: false, yield: 2),
                .init(title: "TABLE", isFigure: false, yield: 1), .init(title: "ROUTES"), .init(title: "REQUESTS"),
                .init(title: "UNMATCHED"),
            ]
        )
        for row in rows {
            let name = [TextTable.Cell(row.name, row.troubles.isEmpty ? .plain : .warning)]
            table.append(
                name + (hasNodes ? [.init(row.node)] : []) + [
                    .init(row.version),
                    .init(String(row.startTime.prefix(19))), .init(String(row.configuration.prefix(8))),
                    .init(String(row.table.prefix(8))), .init(HumanUnits.count(UInt64(max(0, row.routes)))),
                    .init(HumanUnits.count(UInt64(max(0, row.matched)))),
                    .init(HumanUnits.count(UInt64(max(0, row.unmatched)))),
                ]
            )
        }
        guard rows.count > 1 else { return table }
        table.append(
            [.init("all", .bold)] + (hasNodes ? [""] : []) + [
                "", "", "", "", "",
                .init(HumanUnits.count(UInt64(max(0, rows.reduce(0) { $0 + $1.matched }))), .bold),
                .init(HumanUnits.count(UInt64(max(0, rows.reduce(0) { $0 + $1.unmatched }))), .bold),
            ]
        )
        return table
    }

    private var routeTable: TextTable {
        var table = TextTable([
            .init(title: "OBJECT", isFigure: false, shortest: 10, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: 8, isName: true),
            .init(title: "GATEWAY", isFigure: false, yield: 3), .init(title: "REQ/S"),
            .init(title: "REQUESTS", yield: 2),
            .init(title: "4XX"), .init(title: "FAILED"), .init(title: "WORST P99", yield: 1),
            .init(title: "AGENTS", yield: 4),
        ])
        for route in routes.prefix(Self.routeLimit) {
            let isKnown = !Self.isHardlySeen(route.windowRequests, route.unseen)
            let count = isKnown ? route.windowRequests - route.unseen : 0
            table.append([
                .init(route.object), .init(route.route), .init(route.gateway), .init(HumanUnits.rate(route.rate)),
                .init(HumanUnits.count(UInt64(max(0, route.requests)))),
                .init(Self.share(route.clientErrors, of: count)),
                .init(Self.share(route.failures, of: count), route.failures > 0 ? .warning : .plain),
                .init(HumanUnits.seconds(route.worstP99)), .init("\(route.agents) of \(rows.count)"),
            ])
        }
        return table
    }

    private static func share(_ part: Double, of whole: Double) -> String {
        whole > 0 ? HumanUnits.share(UInt64(figure: part), of: UInt64(figure: whole)) : HumanUnits.none
    }

    private var verdictTable: TextTable {
        var table = TextTable([
            .init(title: "POLICY", isFigure: false, shortest: 8, isName: true),
            .init(title: "TARGET", isFigure: false, shortest: 8, isName: true),
            .init(title: "OBJECT", isFigure: false, yield: 2, shortest: 10, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: 8, isName: true), .init(title: "PAIRS"),
            .init(title: "WORSE"), .init(title: "BETTER"), .init(title: "VERDICTS", isFigure: false),
        ])
        for verdict in verdicts {
            let words = verdict.words.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            let isBad = verdict.words.keys.contains { ["fail", "different"].contains($0) }
            let key = verdict.key
            table.append([
                .init(key[0]), .init(key[1]), .init(key[2] == "/" ? "-" : key[2]),
                .init(key[3].isEmpty ? "no route" : key[3]), .init(HumanUnits.count(UInt64(max(0, verdict.pairs)))),
                .init(HumanUnits.count(UInt64(max(0, verdict.worse)))),
                .init(HumanUnits.count(UInt64(max(0, verdict.better)))),
                .init(words.joined(separator: ", "), isBad ? .alarm : .plain),
            ])
        }
        return table
    }

    /// The report as a document.
    var document: JSONValue {
        [
            "agents": .array(
                rows.map { row in
                    [
                        "agent": .string(row.name), "node": .string(row.node), "version": .string(row.version),
                        "startTime": .string(row.startTime), "configuration": .string(row.configuration),
                        "table": .string(row.table), "routes": JSONValue(row.routes),
                        "matched": .double(row.matched), "unmatched": .double(row.unmatched),
                        "troubles": JSONValue(row.troubles),
                    ]
                }
            ),
            "silent": .array(silent.map { ["agent": .string($0.name), "reason": .string($0.reason)] }),
            "drift": JSONValue(drift),
            "routes": .array(
                routes.map { route in
                    [
                        "id": .string(route.id), "object": .string(route.object), "route": .string(route.route),
                        "gateway": .string(route.gateway), "requests": .double(route.requests),
                        "requestsPerSecond": .double(route.rate), "windowRequests": .double(route.windowRequests),
                        "windowClientErrors": .double(route.clientErrors), "windowFailures": .double(route.failures),
                        "windowUnseen": .double(route.unseen),
                        "worstP99": route.worstP99.map(JSONValue.double) ?? .null, "agents": JSONValue(route.agents),
                    ]
                }
            ),
            "verdicts": .array(
                verdicts.map { verdict in
                    [
                        "policy": .string(verdict.key[0]), "target": .string(verdict.key[1]),
                        "object": .string(verdict.key[2]), "route": .string(verdict.key[3]),
                        "pairs": .double(verdict.pairs), "worsePairs": .double(verdict.worse),
                        "betterPairs": .double(verdict.better),
                        "verdicts": JSONValue(verdict.words.mapValues { JSONValue($0) }),
                    ]
                }
            ),
        ]
    }
}

extension UInt64 {
    /// A figure that an agent answered with, which may be any number.
    fileprivate init(figure: Double) {
        let rounded = figure.rounded()
        self = rounded >= 0x1p64 ? .max : rounded > 0 ? UInt64(rounded) : 0
    }
}

extension AgentsReport.Row {
    /// Reads the status of an agent.
    fileprivate init(_ answer: AgentAnswer, _ status: JSONValue) {
        name = answer.name
        node = answer.node
        version = status.text("version")
        startTime = status.text("startTime")
        configuration = status["configuration"]?.text("sha256") ?? ""
        table = status["routes"]?.text("hash") ?? ""
        routes = Int(clamping: UInt64(figure: status["routes"]?.number("routes") ?? 0))
        matched = status["requests"]?.number("matched") ?? 0
        unmatched = status["requests"]?.number("unmatched") ?? 0
        var troubles: [String] = []
        if status["configuration"]?["latestReloadSuccessful"]?.boolValue == false {
            troubles.append("the latest reload of its configuration was refused")
        }
        if status["routes"]?["latestReloadSuccessful"]?.boolValue == false {
            troubles.append("the latest reload of its routes was refused")
        }
        if let notice = status["routes"]?["notice"]?.stringValue { troubles.append("it has no routes: \(notice)") }
        let leftOut = status["memory"]?.text("leftOut") ?? ""
        if !leftOut.isEmpty, leftOut != "nothing" { troubles.append("for want of memory it leaves out \(leftOut)") }
        troubles += (status["gatewayNotices"]?.arrayValue ?? []).compactMap(\.stringValue)
        self.troubles = troubles
    }
}

extension JSONValue {
    /// The text of a member; empty where it has none.
    fileprivate func text(_ key: String) -> String { self[key]?.stringValue ?? "" }

    /// The number of a member; 0 where it has none.
    fileprivate func number(_ key: String) -> Double { self[key]?.numberValue ?? 0 }
}
