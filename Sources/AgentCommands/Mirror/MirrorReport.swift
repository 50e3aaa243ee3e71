// Wingmirror · Apache-2.0

import AnswerComparison
import JSONSyntax
import OctetText
import ShadowTesting

/// The verdicts of an agent or a recording, as text for people.
///
/// It reads the document that the agent's API gives, so that a report of a recording and one of an agent are the same.
struct MirrorReport: Sendable {
    /// One document for each policy, target and route.
    let verdicts: [JSONValue]
    /// Which of them are shown.
    var selection = Selection()
    private let lanes: [JSONValue]
    private let pauseReason: String?
    private let warnings: [String]

    /// Which verdicts are asked for.
    struct Selection: Sendable, Hashable {
        /// Only those on this route, by its name or that of its object.
        var route: String?
        /// Only those that fail or differ.
        var isFailingOnly = false

        /// Whether a verdict is asked for.
        func contains(_ verdict: JSONValue) -> Bool {
            let object = "\(verdict.string("virtualServiceNamespace"))/\(verdict.string("virtualService"))"
            if let route, ![verdict.string("route"), object].contains(route) { return false }
            return !isFailingOnly || ["fail", "different"].contains(verdict.string("verdict"))
        }
    }

    /// The verdicts that are asked for, those that fail first.
    var shown: [JSONValue] {
        let order = ["fail", "different", "inconclusive", "pass"]
        let chosen = verdicts.filter(selection.contains)
        return order.flatMap { word in chosen.filter { $0.string("verdict") == word } }
            + chosen.filter { !order.contains($0.string("verdict")) }
    }

    /// Takes the document of `/api/v1/mirror`.
    init(_ document: JSONValue) {
        verdicts = document["verdicts"]?.arrayValue ?? []
        lanes = document["lanes"]?.arrayValue ?? []
        pauseReason = document["pauseReason"]?.stringValue
        warnings = (document["warnings"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// Takes verdicts without an agent.
    init(verdicts: [JSONValue]) {
        self.verdicts = verdicts
        lanes = []
        pauseReason = nil
        warnings = []
    }

    /// The report as lines of text.
    func lines(_ style: TerminalStyle) -> [String] {
        var lines: [String] = []
        if let pauseReason {
            lines += [style.apply(.warning, to: "mirroring is paused: \(pauseReason.withVisibleControls)"), ""]
        }
        if !warnings.isEmpty {
            lines += warnings.map { style.apply(.warning, to: $0.withVisibleControls) } + [""]
        }
        if !lanes.isEmpty {
            lines += [style.apply(.bold, to: "Copies")] + laneTable.lines(style) + [""]
        }
        lines.append(style.apply(.bold, to: "Verdicts"))
        guard !verdicts.isEmpty else { return lines + ["  nothing has been compared yet"] }
        guard !shown.isEmpty else { return lines + ["  \(emptiness.withVisibleControls)"] }
        lines += verdictTable.lines(style)
        for verdict in shown { lines += card(verdict, style) }
        if showsHashes {
            lines += [
                "", style.apply(.dim, to: "Values are keyed hashes (#…); comparison.showsValues: true shows them."),
            ]
        }
        return lines
    }

    /// Why none of the verdicts is shown.
    private var emptiness: String {
        let ofRoute = verdicts.filter(Selection(route: selection.route).contains)
        guard let route = selection.route, ofRoute.isEmpty else {
            return "none fails or differs, of \(ofRoute.count == 1 ? "1 verdict" : "\(ofRoute.count) verdicts")"
        }
        var names: [String] = []
        for verdict in verdicts {
            let name = verdict.string("route")
            let object = "\(verdict.string("virtualServiceNamespace"))/\(verdict.string("virtualService"))"
            let place = object == "/" ? name : "\(object) \(name)"
            if !name.isEmpty, !names.contains(place) { names.append(place) }
        }
        guard !names.isEmpty else { return "no verdict is of route \(route)" }
        let rest = names.count > 8 ? ", …" : ""
        return "no verdict is of route \(route); there are: \(names.prefix(8).joined(separator: ", "))\(rest)"
    }

    /// Whether an example has the hash of a value in its place.
    private var showsHashes: Bool {
        shown.contains { verdict in
            verdict.string("verdict") != "pass"
                && (verdict["examples"]?.arrayValue ?? []).contains { example in
                    (example["differences"]?.arrayValue ?? []).contains { difference in
                        ["production", "candidate"].contains { difference.string($0).contains(" #") }
                    }
                }
        }
    }

    private var laneTable: TextTable {
        var table = TextTable([
            .init(title: "POLICY", isFigure: false, shortest: 8, isName: true),
            .init(title: "TARGET", isFigure: false, shortest: 8, isName: true),
            .init(title: "CONSIDERED"), .init(title: "FILTERED", yield: 3), .init(title: "NOT SAMPLED", yield: 4),
            .init(title: "DROPPED"), .init(title: "QUEUED", yield: 2), .init(title: "SENT"),
            .init(title: "ANSWERED"), .init(title: "FAILED"), .init(title: "IN FLIGHT", yield: 1),
        ])
        for lane in lanes {
            let dropped = lane.sum("dropped")
            let failed = lane.sum("failed")
            table.append([
                .init(lane.string("policy")), .init(lane.string("target")), .init(lane.count("considered")),
                .init(HumanUnits.count(lane.sum("filtered"))), .init(lane.count("notSampled")),
                .init(HumanUnits.count(dropped), dropped > 0 ? .warning : .plain), .init(lane.count("queued")),
                .init(lane.count("sent")), .init(lane.count("answered")),
                .init(HumanUnits.count(failed), failed > 0 ? .warning : .plain), .init(lane.count("inFlight")),
            ])
        }
        return table
    }

    private var verdictTable: TextTable {
        var table = TextTable([
            .init(title: "VERDICT", isFigure: false),
            .init(title: "POLICY", isFigure: false, yield: 4, shortest: 8, isName: true),
            .init(title: "TARGET", isFigure: false, yield: 3, shortest: 8, isName: true),
            .init(title: "OBJECT", isFigure: false, yield: 2, shortest: 10, isName: true),
            .init(title: "ROUTE", isFigure: false, shortest: 8, isName: true), .init(title: "PAIRS"),
            .init(title: "COVERAGE", yield: 6, isExtra: true), .init(title: "ERRORS", yield: 5, isExtra: true),
            .init(title: "WORSE"), .init(title: "BETTER"), .init(title: "EXCESS", yield: 1),
            .init(title: "NOISE", yield: 7, isExtra: true),
        ])
        for verdict in shown {
            let word = verdict.string("verdict")
            let object = "\(verdict.string("virtualServiceNamespace"))/\(verdict.string("virtualService"))"
            table.append([
                .init(word.uppercased(), Self.style(word)),
                .init(verdict.string("policy")), .init(verdict.string("target")),
                .init(object == "/" ? "-" : object),
                .init(verdict.string("route").isEmpty ? "no route" : verdict.string("route")),
                .init(verdict.count("pairs")), .init(Self.percent(verdict["coverage"]?.numberValue)),
                .init(Self.errors(verdict)),
                .init(verdict.count("worsePairs")), .init(verdict.count("betterPairs")), .init(Self.excess(verdict)),
                .init(Self.percent(verdict["noise"]?["floor"]?.numberValue)),
            ])
        }
        return table
    }

    /// In how many pairs only the target failed, and in how many only the other side did.
    private static func errors(_ verdict: JSONValue) -> String {
        guard let errors = verdict["errors"] else { return "-" }
        return "\(errors.count("worse"))/\(errors.count("better"))"
    }

    private static func excess(_ verdict: JSONValue) -> String {
        let excess = verdict["excess"]
        let bounds = [excess?["lower"]?.numberValue, excess?["upper"]?.numberValue].map(percent)
        return "\(percent(excess?["ratio"]?.numberValue)) (\(bounds.joined(separator: " to ")))"
    }

    private static func percent(_ ratio: Double?) -> String {
        guard let ratio else { return "-" }
        let tenths = Int(clamped: ratio * 1000)
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10) %"
    }

    // MARK: - Cards

    /// What a verdict says in one sentence, then what it rests on: places, an example of each, and what there is to do.
    private func card(_ verdict: JSONValue, _ style: TerminalStyle) -> [String] {
        let word = verdict.string("verdict")
        let route = verdict.string("route")
        let object = "\(verdict.string("virtualServiceNamespace"))/\(verdict.string("virtualService"))"
        let place = object == "/" ? route : "\(object) \(route)"
        let title = "\(verdict.string("target")) on \(route.isEmpty ? "requests without a route" : place)"
        let head = style.apply(Self.style(word), to: word.uppercased()) + " " + style.apply(.bold, to: title)
        var lines = ["", head + "  " + style.apply(.dim, to: verdict.string("explanation").withVisibleControls)]
        lines += facts(verdict).map { "  " + $0 }
        guard word != "pass" else { return lines }
        if !verdict.string("remedy").isEmpty {
            lines.append("  do     " + verdict.string("remedy").withVisibleControls)
        }
        lines += places(verdict, style)
        return lines
    }

    private func places(_ verdict: JSONValue, _ style: TerminalStyle) -> [String] {
        let places = (verdict["places"]?.arrayValue ?? []).filter { $0["mismatches"]?.numberValue ?? 0 > 0 }
        let examples = verdict["examples"]?.arrayValue ?? []
        var shown = Set<String>()
        var lines: [String] = []
        for place in places.prefix(8) {
            let name = place.string("place")
            let kinds = (place["kinds"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ")
            let fails = place["fails"]?.boolValue == true
            let note =
                if fails, place["repeats"]?.numberValue ?? 0 > 0 {
                    ", \(place.count("repeats")) times again what it was before, where it should be new"
                } else if place["volatile"]?.boolValue == true, name != "status" {
                    ", varies by itself"
                } else {
                    ""
                }
            let pairs = place["mismatches"]?.numberValue == 1 ? "1 pair" : "\(place.count("mismatches")) pairs"
            let text = "\(name): \(kinds) in \(pairs)\(note)"
            lines.append("  " + (fails ? style.apply(.alarm, to: "fails") : "     ") + "  " + text.withVisibleControls)
            // One example a place, and none a second time.
            let example = examples.first { example in
                (example["differences"]?.arrayValue ?? []).contains { $0.string("place") == name }
                    && !shown.contains(example.string("curl"))
            }
            guard let example else { continue }
            shown.insert(example.string("curl"))
            lines += self.example(example, at: name, style)
        }
        guard places.isEmpty, let example = examples.first else { return lines }
        return self.example(example, at: "", style)
    }

    private func example(_ example: JSONValue, at place: String, _ style: TerminalStyle) -> [String] {
        let differences = example["differences"]?.arrayValue ?? []
        let difference = differences.first { $0.string("place") == place } ?? differences.first
        let text =
            "\(example.string("method")) \(example.count("productionStatus")) / \(example.string("candidate"))"
            + (difference.map { "  \($0.string("production")) / \($0.string("candidate"))" } ?? "")
        var lines = ["  e.g.   " + text.withVisibleControls]
        let curl = example.string("curl")
        if !curl.isEmpty { lines.append("         " + style.apply(.dim, to: curl.withVisibleControls)) }
        return lines
    }

    /// What the verdict rests on, in few lines.
    private func facts(_ verdict: JSONValue) -> [String] {
        var facts: [String] = []
        if let since = Self.instant(verdict["since"]) {
            facts.append("since  " + time(since) + lasting(verdict) + recent(verdict))
        }
        let errors = verdict["errors"]
        if let errors, errors["worse"]?.numberValue ?? 0 > 0 || errors["better"]?.numberValue ?? 0 > 0 {
            facts.append(
                "errors only the target \(errors.count("worse")), only the other side \(errors.count("better")), of "
                    + "\(errors.count("pairs")) pairs"
            )
        }
        if let breaker = verdict["breaker"], breaker["openings"]?.numberValue ?? 0 > 0 {
            let state = breaker["open"]?.boolValue == true ? ", and is open now" : ""
            let hasOther = breaker["baselineOpenings"]?.numberValue != nil
            let other = hasOther ? "; the baseline's \(breaker.count("baselineOpenings")) times" : ""
            facts.append("breaker opened \(breaker.count("openings")) times\(state)\(other)")
        }
        let missed = (verdict["missed"]?.objectMembers ?? []).filter { $0.value.numberValue ?? 0 > 0 }
            .sorted { $0.value.numberValue ?? 0 > $1.value.numberValue ?? 0 }
        if verdict.string("verdict") != "pass", !missed.isEmpty {
            let text = missed.map { reason in
                let words = MissedReason(rawValue: reason.key)?.sentence ?? reason.key.withVisibleControls
                return "\(HumanUnits.count(UInt64(clamped: reason.value.numberValue ?? 0))) \(words)"
            }
            facts.append("missed " + text.joined(separator: "; "))
        }
        if verdict.string("verdict") != "pass", verdict["askedApart"]?.numberValue ?? 0 > 0 {
            let isDelayed = (verdict["delayed"]?.numberValue ?? 0) * 2 > verdict["askedApart"]?.numberValue ?? 0
            let cause = isDelayed ? "they waited at the agent or the targets" : "not sent at once"
            let pairs = verdict["askedApart"]?.numberValue == 1 ? "1 pair" : "\(verdict.count("askedApart")) pairs"
            facts.append("apart  \(pairs) with other values set aside: \(cause)")
        }
        if let needed = verdict["pairsNeeded"]?.numberValue, needed > 0 {
            facts.append(
                "needs  about \(HumanUnits.count(UInt64(clamped: needed))) more pairs\(duration(needed, verdict))"
            )
        }
        if let tail = verdict["latency"]?["tail"], tail["higher"]?.boolValue == true {
            let shares = [tail["candidateShare"], tail["baselineShare"]].map { Self.percent($0?.numberValue) }
            facts.append("slow   \(shares[0]) of answers beyond the bound of the slowest, the baseline \(shares[1])")
        }
        return facts
    }

    /// How long so many pairs take at the rate so far.
    private func duration(_ pairs: Double, _ verdict: JSONValue) -> String {
        guard let since = Self.instant(verdict["since"]), let until = Self.instant(verdict["until"]), until > since,
            let seen = verdict["pairs"]?.numberValue, seen > 1
        else { return "" }
        let seconds = pairs * (Double(until) - Double(since)) / 1e9 / seen
        return ", \(HumanUnits.seconds(seconds)) at the rate so far"
    }

    private func lasting(_ verdict: JSONValue) -> String {
        guard let lasting = verdict["lasting"], let first = Self.instant(lasting["time"]) else { return "" }
        let last = Self.instant(lasting["lastSeen"]).map { "; last seen \(time($0))" } ?? ""
        return "; first said \(time(first))\(last)"
    }

    private func recent(_ verdict: JSONValue) -> String {
        guard let recent = verdict["recent"], let since = Self.instant(recent["since"]),
            since > Self.instant(verdict["since"]) ?? 0
        else { return "" }
        return "; since \(time(since)) alone: \(recent.string("verdict").uppercased())"
    }

    /// A time that a document names, in nanoseconds since the Unix epoch; older agents gave it as that number, and 0 for none.
    private static func instant(_ value: JSONValue?) -> Int64? {
        if let text = value?.stringValue { return InternetTime.nanoseconds(text) }
        return value?.numberValue.flatMap { $0 > 0 ? Int64(clamped: $0) : nil }
    }

    /// A time to the second.
    private func time(_ nanoseconds: Int64) -> String {
        String(InternetTime.text(nanoseconds: nanoseconds, precision: .milliseconds).prefix(19)) + "Z"
    }

    private static func style(_ verdict: String) -> TextEmphasis {
        switch verdict {
        case "fail": .alarm
        case "pass": .good
        default: .warning
        }
    }
}

extension JSONValue {
    fileprivate var objectMembers: [(key: String, value: JSONValue)] {
        guard case .object(let object) = self else { return [] }
        return object.members.map { ($0.key, $0.value) }
    }

    fileprivate func string(_ key: String) -> String { self[key]?.stringValue ?? "" }

    fileprivate func count(_ key: String) -> String {
        HumanUnits.count(UInt64(clamped: self[key]?.numberValue ?? 0))
    }

    /// The sum of an object's numbers.
    fileprivate func sum(_ key: String) -> UInt64 {
        guard case .object(let object) = self[key] else { return 0 }
        return object.members.reduce(0) {
            $0.addingReportingOverflow(UInt64(clamped: $1.value.numberValue ?? 0)).partialValue
        }
    }
}
