// Wingmirror · Apache-2.0

import AnswerComparison
import JSONSyntax
import ShadowTesting

/// The verdicts of an agent or a recording, as text for people.
///
/// It reads the document that the agent's API gives, so that a report of a recording and one of an agent are the same.
struct MirrorReport: Sendable {
    /// One document for each policy, target and route.
    let verdicts: [JSONValue]
    private let lanes: [JSONValue]
    private let pauseReason: String?

    /// Takes the document of `/api/v1/mirror`.
    init(_ document: JSONValue) {
        verdicts = document["verdicts"]?.arrayValue ?? []
        lanes = document["lanes"]?.arrayValue ?? []
        pauseReason = document["pauseReason"]?.stringValue
    }

    /// Takes verdicts without an agent.
    init(verdicts: [JSONValue]) {
        self.verdicts = verdicts
        lanes = []
        pauseReason = nil
    }

    /// The report as lines of text.
    func lines(_ style: TerminalStyle) -> [String] {
        var lines: [String] = []
        if let pauseReason {
            lines += [style.apply(.warning, to: "mirroring is paused: \(pauseReason.withVisibleControls)"), ""]
        }
        if !lanes.isEmpty {
            lines += [style.apply(.bold, to: "Copies")] + laneTable.lines(style) + [""]
        }
        lines.append(style.apply(.bold, to: "Verdicts"))
        guard !verdicts.isEmpty else { return lines + ["  nothing has been compared yet"] }
        lines += verdictTable.lines(style)
        for verdict in verdicts { lines += details(verdict, style) }
        return lines
    }

    private var laneTable: TextTable {
        var table = TextTable([
            .init(title: "POLICY", isFigure: false, shortest: 8), .init(title: "TARGET", isFigure: false, shortest: 8),
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
            .init(title: "VERDICT", isFigure: false), .init(title: "POLICY", isFigure: false, yield: 4, shortest: 8),
            .init(title: "TARGET", isFigure: false, shortest: 8),
            .init(title: "OBJECT", isFigure: false, yield: 3, shortest: 10),
            .init(title: "ROUTE", isFigure: false, shortest: 8), .init(title: "PAIRS"),
            .init(title: "COVERAGE", yield: 2),
            .init(title: "WORSE"), .init(title: "BETTER"), .init(title: "EXCESS"), .init(title: "NOISE", yield: 1),
        ])
        for verdict in verdicts {
            let word = verdict.string("verdict")
            let object = "\(verdict.string("virtualServiceNamespace"))/\(verdict.string("virtualService"))"
            table.append([
                .init(word.uppercased(), word == "fail" ? .alarm : word == "pass" ? .good : .warning),
                .init(verdict.string("policy")), .init(verdict.string("target")),
                .init(object == "/" ? "-" : object),
                .init(verdict.string("route").isEmpty ? "no route" : verdict.string("route")),
                .init(verdict.count("pairs")), .init(Self.percent(verdict["coverage"]?.numberValue)),
                .init(verdict.count("worse")), .init(verdict.count("better")), .init(Self.excess(verdict)),
                .init(Self.percent(verdict["noise"]?["floor"]?.numberValue)),
            ])
        }
        return table
    }

    private static func excess(_ verdict: JSONValue) -> String {
        let excess = verdict["excess"]
        let bounds = [excess?["lower"]?.numberValue, excess?["upper"]?.numberValue].map(percent)
        return "\(percent(excess?["ratio"]?.numberValue)) (\(bounds.joined(separator: " to ")))"
    }

    private static func percent(_ ratio: Double?) -> String {
        guard let ratio else { return "-" }
        let tenths = Int((ratio * 1000).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10) %"
    }

    // MARK: - Details

    /// Why a verdict is what it is: its reason, the places that differ, and examples to try again.
    private func details(_ verdict: JSONValue, _ style: TerminalStyle) -> [String] {
        let route = verdict.string("route")
        let title = "\(verdict.string("target")) on \(route.isEmpty ? "requests without a route" : route)"
        var lines = ["", style.apply(.bold, to: title) + "  " + style.apply(.dim, to: sentence(verdict))]
        let places = (verdict["places"]?.arrayValue ?? []).filter { $0["mismatches"]?.numberValue ?? 0 > 0 }
        for place in places.prefix(8) {
            let kinds = (place["kinds"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ")
            let note = place["volatile"]?.boolValue == true ? ", compared by shape only" : ""
            let text = "\(place.string("place")): \(kinds) in \(place.count("mismatches")) pairs\(note)"
            let fails = place["fails"]?.boolValue == true
            lines.append("  " + (fails ? style.apply(.alarm, to: "fails") : "     ") + "  " + text.withVisibleControls)
        }
        for example in (verdict["examples"]?.arrayValue ?? []).prefix(5) {
            let difference = example["differences"]?.arrayValue?.first
            let text =
                "\(example.string("method")) \(example.count("productionStatus")) / \(example.string("candidate"))"
                + (difference.map { "  \($0.string("place")): \($0.string("production")) / \($0.string("candidate"))" }
                    ?? "")
            lines.append("  e.g.   " + text.withVisibleControls)
            let curl = example.string("curl")
            if !curl.isEmpty {
                lines.append("         " + style.apply(.dim, to: curl.withVisibleControls))
            }
        }
        return lines
    }

    private func sentence(_ verdict: JSONValue) -> String {
        let design = VerdictDesign(rawValue: verdict.string("design"))
        let reason = VerdictReason(rawValue: verdict.string("reason"))
        return [reason?.sentence, design?.sentence].compactMap(\.self).joined(separator: "; ")
    }
}

extension VerdictReason {
    /// The reason for people.
    fileprivate var sentence: String {
        switch self {
        case .noPairs: "nothing has been compared"
        case .moreNeeded: "more pairs are needed"
        case .withinMargin: "worse by no more than the margin"
        case .beyondMargin: "worse by more than the margin"
        case .place: "a single place is worse by more than the margin"
        case .latency: "slower than the baseline by more than noise"
        case .coverage: "too few of the sampled requests were compared"
        case .notComparable: "the target turns away what production answers (401, 403, 404)"
        case .likeProduction: "differs from production in fewer pairs than the margin"
        case .unreadable: "content could not be read, so that it was not compared"
        case .unadjusted: "answers differ, and nothing says whether that is a change, noise or other data"
        }
    }
}

extension VerdictDesign {
    /// What differences were held against, for people.
    fileprivate var sentence: String {
        switch self {
        case .unadjusted: "unadjusted: differences are held against nothing"
        case .naturalRepeats: "held against production's own repeats"
        case .repeats: "held against the target's second answers"
        case .baseline: "held against the baseline's answers"
        }
    }
}

extension JSONValue {
    fileprivate func string(_ key: String) -> String { self[key]?.stringValue ?? "" }

    fileprivate func count(_ key: String) -> String {
        HumanUnits.count(UInt64(max(self[key]?.numberValue ?? 0, 0)))
    }

    /// The sum of an object's numbers.
    fileprivate func sum(_ key: String) -> UInt64 {
        guard case .object(let object) = self[key] else { return 0 }
        return object.members.reduce(0) { $0 + UInt64(max($1.value.numberValue ?? 0, 0)) }
    }
}
