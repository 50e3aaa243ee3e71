// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import JSONSyntax
import PacketDecoding
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// Answers the questions of the JSON API from what a running agent leaves for others to look at.
final class WebAnswers: Sendable {
    /// How many exchanges are shown when nothing is said.
    private static let exchangeLimit = 100
    /// How many kinds of requests are shown.
    static let groupLimit = 20

    private let routes: RouteKeeper
    private let watch: TrafficWatch
    private let recent: RecentBoard
    private let requests: RequestWatch
    private let keptPackets: KeptPackets?
    private let nearest = NearestRules()
    private let boards: WorkerBoards
    private let mirror: @Sendable () -> JSONValue?
    private let catalogues = RouteCatalogues()
    private let feed = ChangeFeed()
    private let lists = Mutex<(key: ListKey, octets: [UInt8])?>(nil)

    /// What makes a list of routes another one.
    private struct ListKey: Hashable {
        let sample: Int64?
        let generation: Int
        let window: Duration
    }

    /// Answers from these parts of a running agent.
    ///
    /// - Parameters:
    ///   - routes: The routes in force.
    ///   - watch: What they did.
    ///   - recent: The latest exchanges.
    ///   - requests: What kinds of requests fail, or are taken by no route.
    ///   - keptPackets: The packets that are kept; `nil` where none are.
    ///   - boards: What else the workers saw.
    ///   - mirror: What mirroring does and has found out; `nil` where it is off.
    init(
        routes: RouteKeeper,
        watch: TrafficWatch,
        recent: RecentBoard,
        requests: RequestWatch,
        keptPackets: KeptPackets? = nil,
        boards: WorkerBoards,
        mirror: @escaping @Sendable () -> JSONValue?
    ) {
        self.routes = routes
        self.watch = watch
        self.recent = recent
        self.requests = requests
        self.keptPackets = keptPackets
        self.boards = boards
        self.mirror = mirror
    }

    private var generation: RouteGeneration { routes.board.generation }

    // MARK: - Questions

    /// Answers a question.
    ///
    /// Which routes are in force is looked up once for each answer: numbers of one table mean nothing in the next.
    func answer(_ question: AdminQuestion) -> AdminAnswer { answer(question, inForce) }

    private var inForce: InForce {
        let generation = generation
        return InForce(number: generation.number, catalogue: catalogues.catalogue(of: generation))
    }

    /// The routes that one answer is about.
    private struct InForce {
        /// Numbers the generation.
        let number: Int
        let catalogue: RouteCatalogue
    }

    private func answer(_ question: AdminQuestion, _ inForce: InForce) -> AdminAnswer {
        if let reason = question.unknownParameter { return .refused(reason) }
        return switch question.subject {
        case .routes: answerRoutes(question, inForce)
        case .exchanges: answerExchanges(question, inForce.catalogue)
        case .explain: answerExplain(question, inForce.catalogue)
        case .unmatched: .document(unmatched(inForce))
        case .findings: .document(findings(inForce.number))
        case .mirror: .document((mirror() ?? .null).encoded())
        case .timeline: .document(routes.timeline.document)
        case .packets: answerPackets(question)
        }
    }

    private func answerRoutes(_ question: AdminQuestion, _ inForce: InForce) -> AdminAnswer {
        var window = question.value("route") == nil ? RouteListDocument.window : .seconds(600)
        if let text = question.value("window") {
            guard let given = Duration(text: text), given >= .seconds(10), given <= .seconds(7200) else {
                return .refused("window: expected a time from 10s to 2h, found \"\(text)\"")
            }
            window = given
        }
        guard let id = question.value("route") else { return .document(routeList(window, inForce)) }
        guard let entry = inForce.catalogue[id: id] else { return .missing("the table has no route \(id)") }
        let document = RouteDetailDocument(
            catalogue: inForce.catalogue,
            entry: entry,
            history: watch.history,
            window: window,
            recent: recent,
            failing: requests.failing(entry.labels, Self.groupLimit),
            findings: routes.findings
        )
        return .document(document.octets)
    }

    /// The list, made once for each sample however many ask for it.
    private func routeList(_ window: Duration, _ inForce: InForce) -> [UInt8] {
        let history = watch.history
        let key = ListKey(sample: history.latestSample, generation: inForce.number, window: window)
        return lists.withLock { list in
            if let list, list.key == key { return list.octets }
            let document = RouteListDocument(
                catalogue: inForce.catalogue,
                history: history,
                generation: inForce.number,
                window: window
            )
            let octets = document.octets
            list = (key, octets)
            return octets
        }
    }

    private func answerExchanges(_ question: AdminQuestion, _ catalogue: RouteCatalogue) -> AdminAnswer {
        var limit = Self.exchangeLimit
        if let text = question.value("limit") {
            guard let number = Int(text), (1...recent.limits.exchanges).contains(number) else {
                return .refused("limit: expected a number from 1 to \(recent.limits.exchanges), found \"\(text)\"")
            }
            limit = number
        }
        let selection: ExchangeSelection
        do throws(ExchangeSelection.Refusal) {
            selection = try ExchangeSelection(question)
        } catch {
            return .refused(error.reason)
        }
        let kept = recent.all
        var exchanges: [RecentExchange]
        switch question.value("kind") ?? "all" {
        case "all": exchanges = kept.latestFirst
        case "routed": exchanges = kept.routed
        case "failed": exchanges = kept.failed
        case "unmatched": exchanges = kept.unmatched
        case let other:
            return .refused("kind: expected one of all, routed, failed, unmatched, found \"\(other)\"")
        }
        if let id = question.value("route") {
            guard let labels = catalogue[id: id]?.labels else { return .missing("the table has no route \(id)") }
            exchanges = exchanges.filter { $0.route.map { RouteLabels($0) } == labels }
        }
        exchanges = selection.select(exchanges)
        return .document(
            JSONText.document { json in
                json.member("latest", integer: kept.latest)
                json.member("exchanges", list: exchanges.prefix(limit)) { $0.exchange($1, catalogue) }
            }
        )
    }

    private func answerExplain(_ question: AdminQuestion, _ catalogue: RouteCatalogue) -> AdminAnswer {
        do throws(ExplainDocument.Refusal) {
            return .document(try ExplainDocument(question).octets(catalogue))
        } catch {
            return .refused(error.reason)
        }
    }

    private func answerPackets(_ question: AdminQuestion) -> AdminAnswer {
        guard let text = question.value("connection"), let number = Int(text), number >= 0 else {
            let found = question.value("connection").map { ", found \"\($0)\"" } ?? ""
            return .refused("connection: expected the number of a connection, as records have it\(found)")
        }
        guard let keptPackets else {
            return .missing("no packets are kept: capture.keep.bytes is 0, in the agent's configuration")
        }
        guard let saved = keptPackets.packets(ofConnection: number) else {
            let age = Duration.nanoseconds(keptPackets.age).text
            return .missing(
                "no packet of connection \(number) is kept: packets are for \(age) and \(ByteSize(keptPackets.octets)) at most "
                    + "(capture.keep), and while memory is short none are"
            )
        }
        return .file(
            AdminFile(
                octets: saved.octets,
                mediaType: "application/vnd.tcpdump.pcap",
                name: "connection-\(number).pcap",
                note: saved.sentence
            )
        )
    }

    private func unmatched(_ inForce: InForce) -> [UInt8] {
        let generation = inForce.number
        let catalogue = inForce.catalogue
        let history = watch.history
        let totals = history.totals(over: RouteListDocument.window)
        let (groups, total) = requests.unmatched(Self.groupLimit)
        let now = boards.figures.latestPacket?.nanoseconds ?? history.latestSample ?? 0
        return JSONText.document { json in
            json.member("generation", integer: generation)
            json.member("groupedRequests", number: total.rounded())
            json.member("trendStepSeconds", number: Double(RequestGroups.step) / 1e9)
            json.member("groups", list: groups) { json, group in
                let hint = nearest.hint(for: group, catalogue, generation: generation)
                json.group(group, of: total, at: now, catalogue, nearest: hint)
            }
            json.member("reasons", list: routes.registry.unmatchedSummaries()) { json, summary in
                json.object { json in
                    json.member("gateway", string: summary.gateway)
                    json.member("reason", string: summary.reason.text)
                    json.member("requests", integer: summary.requestCount)
                    json.member("answers") { json in
                        for codeClass in ResponseCodeClass.allCases {
                            guard let requests = summary.requestsByClass[codeClass] else { continue }
                            json.member(codeClass.text, integer: requests)
                        }
                    }
                }
            }
            writeUnmatched(totals, inForce, to: &json)
            json.member("recent", list: recent.unmatched.prefix(Self.exchangeLimit)) { $0.exchange($1, catalogue) }
        }
    }

    private func findings(_ generation: Int) -> [UInt8] {
        let findings = routes.findings + GatewayAddressing(boards.figures).findings
        return JSONText.document { json in
            json.member("generation", integer: generation)
            json.member("counts") { json in
                for severity in RouteFinding.Severity.allCases {
                    json.member(severity.rawValue, integer: findings.count { $0.severity == severity })
                }
            }
            json.key("findings")
            json.beginList()
            for severity in RouteFinding.Severity.allCases {
                for finding in findings where finding.severity == severity { json.finding(finding) }
            }
            json.endList()
        }
    }

    // MARK: - Changes

    /// What open pages are told of next.
    ///
    /// - Parameters:
    ///   - health: Whether the capture loop makes progress.
    ///   - status: What the agent is doing.
    /// - Returns: The document.
    func changes(health: Probe, status: JSONValue) -> [UInt8] {
        let history = watch.history
        let totals = history.totals(over: RouteListDocument.window)
        let inForce = inForce
        return feed.next(history, generation: inForce.number) { json in
            json.member("health") { json in
                json.member("isPassing", bool: health.isPassing)
                json.member("detail", string: health.detail)
            }
            json.key("status")
            json.value(status)
            json.member("visibility", visibility.write)
            writeUnmatched(totals, inForce, to: &json)
        }
    }

    /// What the agent is doing, with how much of the truth it sees.
    ///
    /// - Parameter status: What it is doing.
    /// - Returns: The document: the members of `status`, and two more.
    func status(_ status: JSONValue) -> [UInt8] {
        let totals = watch.history.totals(over: RouteListDocument.window)
        return JSONText.document { json in
            if case .object(let object) = status {
                for member in object.members {
                    json.key(named: member.key)
                    json.value(member.value)
                }
            }
            json.member("visibility", visibility.write)
            writeUnmatched(totals, inForce, to: &json)
        }
    }

    /// How much of the truth the agent sees.
    var visibility: Visibility {
        Visibility(
            figures: boards.figures,
            watch: watch,
            registry: routes.registry,
            window: RouteListDocument.window,
            workers: boards.workers.count
        )
    }
}

extension AdminQuestion {
    /// A sentence about a parameter that the question does not have; `nil` when it has all of them.
    fileprivate var unknownParameter: String? {
        let known =
            switch subject {
            case .routes: ["route", "window"]
            case .exchanges: ["kind", "limit", "route"] + ExchangeSelection.parameters
            case .packets: ["connection"]
            case .explain where content == nil:
                ["authority", "header", "method", "path", "port", "scheme", "sni", "url"]
            case .explain, .unmatched, .findings, .mirror, .timeline: [String]()
            }
        guard let unknown = parameters.first(where: { !known.contains($0.name) }) else { return nil }
        guard !known.isEmpty else { return "there is no parameter \"\(unknown.name)\"; leave it out" }
        return "there is no parameter \"\(unknown.name)\"; there is \(known.joined(separator: ", "))"
    }
}

extension WebAnswers {
    /// Writes how many requests no route took, by reason and by answer, and of which kind most of them are.
    private func writeUnmatched(_ totals: TrafficTotals, _ inForce: InForce, to json: inout JSONText) {
        json.key("unmatchedMost")
        let now = boards.figures.latestPacket?.nanoseconds ?? watch.history.latestSample ?? 0
        let change = routes.timeline.latestRoutesChange?.time
        if totals.unmatched.contains(where: { $0.value > 0 && $0.key.isMistaken }),
            let (group, share) = requests.mostMistaken(after: change, at: now)
        {
            let nearest = nearest.hint(for: group, inForce.catalogue, generation: inForce.number)
            json.object { json in
                json.member("method", string: group.methods.first)
                json.member("host", string: group.key.host)
                json.member("path", string: group.key.path.text)
                json.member("share", number: share)
                json.member("shareOfAll", number: totals.share(of: group.lastMinute(until: now), until: now))
                json.member("firstTime", time: group.first)
                json.member("nearest", string: nearest?.text)
                json.member("nearestRouteId", string: nearest?.routeID)
            }
        } else {
            json.null()
        }
        json.member("unmatchedPerSecond") { json in
            for (reason, count) in totals.unmatched.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                json.member(reason.text, number: Double(count) / max(totals.routes.seconds, 1))
            }
        }
        json.member("unmatchedAnswers") { json in
            json.member("failures", integer: totals.unmatchedAnswers.failures)
            json.member("unseen", integer: totals.unmatchedAnswers.unseen)
            json.member("served", integer: totals.unmatchedAnswers.served)
        }
    }
}

extension TrafficTotals {
    /// The share that a kind of requests without a route has of all that arrive.
    ///
    /// - Parameters:
    ///   - requests: Those of the kind in the last minute, as its group has them.
    ///   - now: The end of that minute.
    /// - Returns: A share from 0 to 1; `nil` without any requests.
    fileprivate func share(of requests: Double, until now: Int64) -> Double? {
        guard let all = requestsPerSecond else { return nil }
        let mistaken = unmatched.reduce(0) { $1.key.isMistaken ? $0 + Double($1.value) : $0 } / routes.seconds
        return RequestGroups.Group.share(of: requests, until: now, covered: routes.seconds, all, within: mistaken)
    }
}

extension SavedPackets {
    /// What there is, and what is missing at the beginning.
    var sentence: String {
        let packets = count == 1 ? "1 packet" : "\(count) packets"
        let span = "\(packets) from \(WallClock.text(first.nanoseconds)) to \(WallClock.text(last.nanoseconds))"
        if leftOut > 0 { return "\(span); the \(leftOut) before them are too much for one file" }
        return hasBeginning ? span : "\(span); the beginning of the connection is not kept any more"
    }
}
