// Wingmirror · Apache-2.0

import AnswerComparison
import Foundation
import JSONSyntax
import ShadowTesting
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel

/// The dashboards, rules and runbooks of the repository: they ask only for what the agent exposes.
@Suite struct DashboardTests {
    private static let folder = Repository.root.appending(path: "dashboards")
    private static let promtool = ExternalProgram("promtool")
    private static let runbooks = Repository.documentation.appending(path: "Runbooks")

    static let dashboards = files(in: folder, ending: "json")
    static let rules = files(in: folder.appending(path: "rules"), ending: "yml")
    static let pages = files(in: runbooks, ending: "md")
    static let cases = files(in: folder.appending(path: "rules/tests"), ending: "yml")

    // MARK: Families and labels

    @Test func `there are six dashboards, and rules, and runbooks`() {
        #expect(Self.dashboards.count == 6)
        #expect(Self.rules.count == 3)
        #expect(Self.pages.count > 15)
    }

    @Test(arguments: DashboardTests.dashboards)
    func `a dashboard asks for families and labels that exist`(name: String) throws {
        let document = try JSONDocument.parse(Array(try Data(contentsOf: Self.folder.appending(path: name))))
        let expressions = document.strings(under: ["expr", "query", "definition"])
        #expect(expressions.count > 10)
        let recorded = try Self.recordedNames()
        for expression in expressions where expression != "prometheus" {
            let problems = PromQLNames(expression).problems(recorded: recorded)
            #expect(problems.isEmpty, "\(expression)")
        }
    }

    @Test(arguments: DashboardTests.rules)
    func `rules ask for families and labels that exist, and for what other rules record`(name: String) throws {
        let recorded = try Self.recordedNames()
        let text = try Self.text(of: "rules/\(name)")
        let expressions = try YAMLScalars.values(of: "expr", in: text)
        #expect(!expressions.isEmpty)
        for expression in expressions {
            let problems = PromQLNames(expression).problems(recorded: recorded)
            #expect(problems.isEmpty, "\(expression)")
        }
    }

    @Test func `every family is on a dashboard`() throws {
        let text = try Self.dashboards.map { try Self.text(of: $0) }.joined()
        // How much address space a process has set aside says nothing about what it needs.
        let left: Set = [MetricCatalogue.processVirtualMemory.name]
        for family in MetricCatalogue.all where !left.contains(family.name) {
            #expect(text.contains(family.name), "\(family.name)")
        }
    }

    // MARK: Runbooks

    @Test func `every alert has a runbook, and every runbook an alert`() throws {
        let alerts = Set(try YAMLScalars.values(of: "alert", in: try Self.text(of: "rules/alerts.yml")))
        let pages = Set(Self.pages.map { String($0.dropLast(".md".count)) }).subtracting(["Runbooks"])
        #expect(alerts == pages)
        let index = try String(contentsOf: Self.runbooks.appending(path: "Runbooks.md"), encoding: .utf8)
        for alert in alerts { #expect(index.contains("- [\(alert)](\(alert).md)\n"), "\(alert)") }
    }

    @Test func `an alert says how severe it is, what happened and where the runbook is`() throws {
        let text = try Self.text(of: "rules/alerts.yml")
        let count = try YAMLScalars.values(of: "alert", in: text).count
        let severities = try YAMLScalars.values(of: "severity", in: text)
        #expect(severities.count == count)
        #expect(Set(severities).isSubset(of: ["critical", "warning", "info"]))
        for key in ["summary", "description", "runbook_url"] {
            #expect(try YAMLScalars.values(of: key, in: text).count == count)
        }
    }

    @Test(arguments: DashboardTests.pages.filter { $0 != "Runbooks.md" })
    func `a runbook has its parts, and three queries for what exists, each to be copied whole`(name: String) throws {
        let page = try String(contentsOf: Self.runbooks.appending(path: name), encoding: .utf8)
        let parts = ["What it means", "First queries", "Likely causes", "What to do", "How it can be wrong"]
        #expect(page.matches(of: /(?m)^## (.+)$/).map { String($0.output.1) } == parts)
        let recorded = try Self.recordedNames()
        let queries = page.matches(of: /(?s)   ```\n(.*?)   ```/).map { String($0.output.1) }
        #expect(queries.count == 3)
        for query in queries {
            // Lines that go on are indented further: a second one that is not would be a second query.
            #expect(query.matches(of: /(?m)^ {3}\S/).count == 1, "\(query)")
            let problems = PromQLNames(query).problems(recorded: recorded)
            #expect(problems.isEmpty, "\(query)")
        }
    }

    // MARK: The programs

    @Test(.enabled(if: ExternalProgram("python3").exists, "no python3"), .timeLimit(.minutes(20)))
    func `what is committed is what the generator makes`() async throws {
        let result = try await ExternalProgram(script: Self.folder.appending(path: "generate.py")).run(["--check"])
        #expect(result.status == 0, "\(result.text)")
    }

    @Test(.enabled(if: Self.promtool.exists, "no promtool: apt-get install prometheus"), .timeLimit(.minutes(20)))
    func `Prometheus accepts the rules`() async throws {
        let paths = Self.rules.map { Self.folder.appending(path: "rules/\($0)").path }
        let result = try await Self.promtool.run(["check", "rules"] + paths)
        #expect(result.status == 0, "\(result.text)")
    }

    @Test(
        .enabled(if: Self.promtool.exists, "no promtool: apt-get install prometheus"),
        .enabled(if: ExternalProgram("python3").exists, "no python3"),
        .timeLimit(.minutes(20)),
        arguments: DashboardTests.cases
    )
    func `alerts fire when they should and not when they just should not`(name: String) async throws {
        let path = Self.folder.appending(path: "rules/tests/\(name)").path
        let result = try await ExternalProgram(script: Self.folder.appending(path: "cases.py")).run([path])
        #expect(result.status == 0, "\(result.text)")
    }

    @Test func `every alert has a case in which it fires, and one in which it just does not`() throws {
        let alerts = Set(try YAMLScalars.values(of: "alert", in: try Self.text(of: "rules/alerts.yml")))
        let tests = try Self.cases.map {
            try Self.text(of: "rules/tests/\($0)")
        }
        let all = tests.joined()
        // Either by the alert itself, or by a question about ALERTS, which is 1 where it fires.
        let asked = all.matches(of: /ALERTS\{alertname="(\w+)"[^\n]*\n +exp_samples: \[\{value: ([01])\}\]/)
        let fires = asked.filter { $0.output.2 == "1" }.map { String($0.output.1) }
        let isQuiet = asked.filter { $0.output.2 == "0" }.map { String($0.output.1) }
        let named = all.matches(of: /alertname: (\w+)\n +exp_alerts:\n/).map { String($0.output.1) }
        let notNamed = all.matches(of: /alertname: (\w+)\n +exp_alerts: \[\]/).map { String($0.output.1) }
        #expect(Set(named + fires) == alerts)
        #expect(Set(notNamed + isQuiet) == alerts)
    }

    // MARK: Files

    private static func files(in folder: URL, ending: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix("." + ending) }.sorted()
    }

    private static func text(of path: String) throws -> String {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }

    private static func recordedNames() throws -> Set<String> {
        Set(try rules.flatMap { try YAMLScalars.values(of: "record", in: try text(of: "rules/\($0)")) })
    }
}

// MARK: -

/// The names in a PromQL expression, or in a variable's `label_values(…)`.
private struct PromQLNames {
    private let expression: String

    init(_ expression: String) {
        self.expression = expression
    }

    /// What the expression names that neither the catalogue nor a rule has.
    func problems(recorded: Set<String>) -> [String] {
        var problems: [String] = []
        var labels: Set<String> = [
            "job", "cluster", "instance", "node", "pod", "container", "endpoint", "zone", "controller_revision_hash",
            "pod_template_generation", "rule_group", "le", "long", "short", "stable",
        ]
        for name in names {
            if name.contains(":") {
                if !recorded.contains(name) { problems.append("nothing records \(name)") }
                labels.formUnion(MetricCatalogue.httpRequests.labelNames)
            } else if let family = Self.family(of: name) {
                labels.formUnion(family.labelNames)
            } else if !Self.ofPrometheus.contains(name) {
                problems.append("there is no family \(name)")
            }
        }
        for label in mentionedLabels where !labels.contains(label) && label != "__name__" {
            problems.append("none of its families has the label \(label)")
        }
        for (label, value) in values where !Self.allows(value, for: label) {
            problems.append("\(label) is never \(value)")
        }
        return problems
    }

    /// The families and recorded series that the expression selects.
    private var names: [String] {
        let pattern = /(?:[a-z_]+:)?(?:wingmirror|process)_[a-z0-9_]+(?::[a-z0-9_]+)?|\bup\b|\bscrape_[a-z_]+\b/
        return bare.matches(of: pattern).map { String($0.output) }
    }

    /// The labels in matchers, groupings and the ends of `label_values(…)`.
    private var mentionedLabels: Set<String> {
        let matchers = expression.matches(of: /([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/).map { String($0.output.1) }
        let lists = bare.matches(of: /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([a-z_, ]*)\)/)
            .flatMap { $0.output.1.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
        let variables = bare.matches(of: /,\s*([a-z_]+)\)$/).map { String($0.output.1) }
        return Set(matchers + lists + (expression.hasPrefix("label_values") ? variables : []))
    }

    /// Plain words that matchers compare labels of closed sets with.
    private var values: [(label: String, value: String)] {
        expression.matches(of: /(error_type|outcome|reason)\s*(?:=~|!~|!=|=)\s*"([a-z_|]+)"/).flatMap { match in
            match.output.2.split(separator: "|").map { (String(match.output.1), String($0)) }
        }
    }

    /// The expression without what stands in quotes.
    private var bare: String {
        expression.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"")
    }

    /// Series that Prometheus makes for each target.
    private static let ofPrometheus: Set = ["up", "scrape_duration_seconds"]

    private static func family(of name: String) -> MetricFamily? {
        MetricCatalogue.all.first { family in
            family.name == name
                || family.type == .histogram && ["_bucket", "_sum", "_count"].contains { family.name + $0 == name }
        }
    }

    private static func allows(_ value: String, for label: String) -> Bool {
        switch label {
        case "error_type":
            ErrorTypeLabel.allCases.contains { $0.text == value }
        case "outcome":
            value == "ok" || ShadowFailure(rawValue: value) != nil
        default:
            UnmatchedReason.allCases.contains { $0.text == value }
                || OpaqueReason.allCases.contains { $0.text == value } || DropReason(rawValue: value) != nil
                || PauseReason(rawValue: value) != nil
                || ["kernel_buffer", "interface"].contains(value)
        }
    }
}

extension JSONValue {
    /// All texts that are the value of one of these keys, at any depth.
    fileprivate func strings(under keys: Set<String>) -> [String] {
        switch self {
        case .array(let entries):
            entries.flatMap { $0.strings(under: keys) }
        case .object(let object):
            object.members.flatMap { member in
                if case .string(let text) = member.value, keys.contains(member.key) { return [text] }
                return member.value.strings(under: keys)
            }
        default:
            []
        }
    }
}
