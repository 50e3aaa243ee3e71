// Wingmirror · Apache-2.0

import ArgumentParser
import FoundationEssentials
import TestSupport
import Testing

@testable import AgentCommands

/// The first thing that people see of the program is what it prints.
@Suite(.timeLimit(.minutes(20)))
struct ReadmeTests {
    @Test func `the table in the README is that of the sample`() throws {
        let file = URL(filePath: "\(Repository.path)/README.md")
        let readme = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        let block = try #require(readme.split(separator: "```").first { $0.contains("  OBJECT ") })
        let shown = block.split(separator: "\n").filter { $0 != "…" }.map(String.init)
        let samples = "\(Repository.path)/samples"
        let command = try #require(
            try Wingmirror.parseAsRoot(["read", "\(samples)/captures/ingress.pcap", "--routes", "\(samples)/istio"])
                as? ReadCommand
        )
        let printed = try ReadPlan(command).analyse(writingTo: nil).report.lines(.plain).filter { !$0.isEmpty }
        let start = try #require(printed.firstIndex { $0 == shown.first })
        #expect(shown.count > 3)
        #expect(shown == Array(printed[start...].prefix(shown.count)))
    }
}
