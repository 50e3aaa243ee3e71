// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import Recordings
import ResourceFiles
import RouteAttribution

/// What changes between two sets of objects, for people, for programs and for a review.
struct RouteDiffReport {
    /// What changes by reasoning.
    let changes: [RouteChange]
    /// Hosts with too many rules to search all pairs of them for shadows and order.
    let unsearchedHosts: [String]
    /// What changes for recorded requests; `nil` without any recording.
    let traffic: Traffic?
    /// What was left out or taken for granted.
    private(set) var notices: [String] = []
    /// Why the comparison is not to be relied on, one line each: damaged recordings, or nothing to compare.
    private(set) var failures: [String] = []

    /// What recorded requests give.
    struct Traffic {
        /// Requests that were looked up in both tables.
        var compared = 0
        /// Those whose answer hangs on something that was not captured.
        var uncertain = 0
        /// Those that arrive where neither table has a listener.
        var unlistened = 0
        /// What was left out, and why.
        var losses = RecordingLosses()
        var movements: [TrafficDifference.Movement] = []

        /// Requests whose answer changes.
        var moved: Int { movements.reduce(0) { $0 + $1.count } }

        /// Why the requests show nothing of the change, in a sentence; `nil` where they show something.
        var emptiness: String? {
            if compared == 0 { return "no request was compared: the recordings hold none that can be looked up" }
            guard unlistened == compared else { return nil }
            return "no request arrives where a Gateway listens, before or after: name the server's port with --port"
        }
    }

    /// Compares two sets of objects, and looks recorded requests up in both.
    init(_ old: RouteObjects, _ new: RouteObjects, traffic recorded: RecordedRequests?) {
        let rules = RouteTableDifference(before: old.table, after: new.table)
        changes = rules.changes
        unsearchedHosts = rules.unsearchedHosts
        for (name, objects) in [("before", old), ("after", new)] {
            notices += objects.notices.map { "\(name): \($0)" }
            notices += objects.survey.findings.map { "\(name): warning: \($0.line)" }
            if let emptiness = objects.emptiness { notices.append("\(name): \(emptiness)") }
            let errors = objects.findings.count { $0.severity == .error }
            if errors > 0 {
                notices.append("\(name): \(errors) errors in objects; `wingmirror routes check` says which")
            }
        }
        guard let recorded else {
            traffic = nil
            return
        }
        var difference = TrafficDifference(before: old.table, after: new.table)
        for request in recorded.requests { difference.add(request) }
        traffic = Traffic(
            compared: difference.compared,
            uncertain: difference.uncertain,
            unlistened: difference.unlistened,
            losses: recorded.losses,
            movements: difference.movements
        )
        notices += recorded.notices
        failures = recorded.damage + (traffic?.emptiness.map { [$0] } ?? [])
    }

    /// The kinds of changes by which the command fails.
    var kinds: Set<String> {
        guard let traffic else { return Set(changes.map(\.kind.rawValue)) }
        return Set(traffic.movements.map(\.kind.rawValue))
    }

    // MARK: - For people

    /// How many hosts a line names.
    private static let hostLimit = 4

    func lines(_ style: TerminalStyle) -> [String] {
        var lines: [String] = []
        if let traffic {
            lines.append(style.apply(.bold, to: Self.summary(of: traffic)))
            for movement in traffic.movements {
                lines.append("  \(movement.kind.rawValue)  \(Self.requests(movement.count))")
                lines.append("    from  \(movement.from)")
                lines.append("    to    \(movement.to)")
                for example in movement.examples { lines.append("    e.g.  \(example)") }
            }
            lines.append("")
        }
        lines.append(
            style.apply(.bold, to: changes.isEmpty ? "no rule changes" : "\(changes.count) changes of rules")
        )
        for change in changes {
            lines.append("  \(change.kind.rawValue)  \(Self.hosts(change.hosts)): \(change.text)")
        }
        if let unsearched { lines.append(unsearched) }
        return lines
    }

    /// What was not searched, in a sentence; `nil` where everything was.
    private var unsearched: String? {
        guard !unsearchedHosts.isEmpty else { return nil }
        return
            "not searched for shadowed rules and changes of order (more than \(RouteTableDifference.pairLimit) rules): "
            + Self.hosts(unsearchedHosts)
    }

    private static func summary(of traffic: Traffic) -> String {
        var parts = ["\(requests(traffic.compared)) compared"]
        if !traffic.losses.isEmpty {
            let reasons = traffic.losses.reasons.map { $0.reason.counted($0.count) }
            parts.append("\(traffic.losses.total) left out (\(reasons.joined(separator: ", ")))")
        }
        if traffic.unlistened > 0 { parts.append("\(traffic.unlistened) without a listener on either side") }
        if traffic.uncertain > 0 { parts.append("\(traffic.uncertain) uncertain") }
        for kind in TrafficDifference.Kind.allCases {
            let count = traffic.movements.filter { $0.kind == kind }.reduce(0) { $0 + $1.count }
            if count > 0 { parts.append("\(count) \(word(kind))") }
        }
        if traffic.moved == 0, traffic.emptiness == nil { parts.append("none goes elsewhere") }
        return parts.joined(separator: ", ")
    }

    private static func word(_ kind: TrafficDifference.Kind) -> String {
        switch kind {
        case .won: "404 won (answered now)"
        case .lost: "lost (404 now)"
        case .moved: "moved"
        case .other: "answered otherwise"
        }
    }

    private static func requests(_ count: Int) -> String { count == 1 ? "1 request" : "\(count) requests" }

    private static func hosts(_ hosts: [String]) -> String {
        let rest = hosts.count - hostLimit
        return hosts.prefix(hostLimit).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    // MARK: - For a review

    /// GitHub's Markdown, for a comment.
    var markdown: [String] {
        var lines = ["### Route changes", ""]
        if let traffic {
            lines += [Self.summary(of: traffic) + ".", ""]
            if !traffic.movements.isEmpty {
                lines += ["| requests | | from | to | for example |", "| ---: | --- | --- | --- | --- |"]
                for movement in traffic.movements {
                    let examples = movement.examples.map { "`\(Self.code($0))`" }.joined(separator: "<br>")
                    lines.append(
                        "| \(movement.count) | \(movement.kind.rawValue) | \(Self.cell(movement.from)) "
                            + "| \(Self.cell(movement.to)) | \(examples) |"
                    )
                }
                lines.append("")
            }
        }
        if let unsearched { lines += [Self.cell(unsearched) + ".", ""] }
        guard !changes.isEmpty else { return lines + ["No rule changes."] }
        lines += ["| change | hosts | |", "| --- | --- | --- |"]
        for change in changes {
            lines.append(
                "| \(change.kind.rawValue) | \(Self.cell(Self.hosts(change.hosts))) "
                    + "| \(Self.cell(change.text)) |"
            )
        }
        return lines
    }

    /// Text within a code span of a table, where only these two end something.
    private static func code(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("`", with: "'")
    }

    /// Text within a table: nothing in it ends the cell or is taken for markup.
    private static func cell(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "|": result += "\\|"
            case "*", "_", "`", "<": result += "\\\(character)"
            case "\n", "\r\n", "\r": result += " "
            default: result.append(character)
            }
        }
        return result
    }

    // MARK: - For programs

    /// One object a line: movements, changes, and a summary at the end.
    var ndjson: [UInt8] {
        var json = JSONText()
        for movement in traffic?.movements ?? [] {
            json.beginObject()
            json.key("kind")
            json.string(movement.kind.rawValue)
            json.key("requests")
            json.integer(movement.count)
            json.key("from")
            json.string(movement.from)
            json.key("to")
            json.string(movement.to)
            json.key("examples")
            json.beginList()
            for example in movement.examples { json.string(example) }
            json.endList()
            json.endObject()
            json.endLine()
        }
        for change in changes {
            json.beginObject()
            json.key("kind")
            json.string(change.kind.rawValue)
            if let object = change.object {
                json.key("object")
                json.string(object.description)
            }
            json.key("hosts")
            json.beginList()
            for host in change.hosts { json.string(host) }
            json.endList()
            json.key("text")
            json.string(change.text)
            json.endObject()
            json.endLine()
        }
        json.beginObject()
        json.key("kind")
        json.string("summary")
        json.key("changes")
        json.integer(changes.count)
        if !unsearchedHosts.isEmpty {
            json.key("unsearchedHosts")
            json.beginList()
            for host in unsearchedHosts { json.string(host) }
            json.endList()
        }
        if let traffic {
            json.key("compared")
            json.integer(traffic.compared)
            json.key("leftOut")
            json.integer(traffic.losses.total)
            json.key("leftOutReasons")
            json.beginObject()
            for (reason, count) in traffic.losses.reasons {
                json.key(named: reason.rawValue)
                json.integer(count)
            }
            json.endObject()
            json.key("withoutListener")
            json.integer(traffic.unlistened)
            json.key("uncertain")
            json.integer(traffic.uncertain)
            json.key("changed")
            json.integer(traffic.moved)
        }
        json.endObject()
        json.endLine()
        return json.octets
    }
}
