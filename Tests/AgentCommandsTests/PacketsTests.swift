// Wingmirror · Apache-2.0

import ArgumentParser
import Testing

@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct PacketsTests {
    private func plan(_ arguments: String...) throws -> PacketsPlan {
        try PacketsPlan(try #require(try Wingmirror.parseAsRoot(["packets"] + arguments) as? PacketsCommand))
    }

    @Test func `the file is named after the connection unless another is`() throws {
        #expect(try plan("17").file == "connection-17.pcap")
        #expect(try plan("17", "-w", "-").file == "-")
        #expect(try plan("17").agent == ServerURL("http://127.0.0.1:9646"))
    }

    @Test func `what makes no sense is refused, each with its option`() {
        #expect(throws: ConfigurationProblems.self) { try plan("17", "--agent", "nonsense") }
        #expect(throws: (any Error).self) { try plan("seventeen") }
        #expect(throws: (any Error).self) { try plan() }
    }
}
