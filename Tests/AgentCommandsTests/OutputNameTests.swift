// Wingmirror · Apache-2.0

import ArgumentParser
import Testing

@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct OutputNameTests {
    private enum Lines: String, CaseIterable {
        case table
        case ndjson
    }

    private enum Document: String, CaseIterable {
        case text
        case json
    }

    private enum Neither: String, CaseIterable {
        case text
    }

    private func read<Output>(_ text: String, _ type: Output.Type) -> (output: Output?, problems: [String])
    where Output: RawRepresentable & CaseIterable, Output.RawValue == String {
        var problems: [ConfigurationProblem] = []
        let output: Output? = OutputName.read(text, &problems)
        return (output, problems.map(\.description))
    }

    @Test(arguments: ["json", "ndjson"])
    func `a document is asked for by either name`(text: String) {
        #expect(read(text, Lines.self).output == .ndjson)
        #expect(read(text, Document.self).output == .json)
    }

    @Test(arguments: ["table", "text"])
    func `what is for people is asked for by either name`(text: String) {
        #expect(read(text, Lines.self).output == .table)
        #expect(read(text, Document.self).output == .text)
    }

    @Test func `what a command does not print is refused with what it does`() {
        #expect(
            read("csv", Lines.self).problems == ["--output: expected one of table, ndjson (or json), found \"csv\""]
        )
        #expect(read("json", Neither.self).problems == ["--output: expected one of text, found \"json\""])
        #expect(read("JSON", Document.self).output == nil)
    }

    @Test(arguments: [
        ["routes", "list"], ["routes", "check"], ["routes", "explain", "http://a/"], ["routes", "diff"], ["check"],
        ["doctor"], ["mirror", "plan"], ["mirror", "report"], ["read", "a.pcap"], ["replay", "a.gor"],
        ["top", "a.pcap"],
        ["tap"], ["agents"],
    ])
    func `every command that prints has the option`(command: [String]) throws {
        _ = try Wingmirror.parseAsRoot(command + ["--output", "json"])
        _ = try Wingmirror.parseAsRoot(command + ["-o", "json"])
    }

    @Test func `the help of each command that prints a document on each line says that json is the same`() {
        let commands: [any ParsableCommand.Type] = [
            RoutesListCommand.self, RoutesCheckCommand.self, RoutesExplainCommand.self, RoutesDiffCommand.self,
            MirrorPlanCommand.self, MirrorReportCommand.self, ReadCommand.self, TopCommand.self, TapCommand.self,
        ]
        for command in commands {
            #expect(Wingmirror.helpMessage(for: command, columns: 400).contains("ndjson (or json)"), "\(command)")
        }
    }
}
