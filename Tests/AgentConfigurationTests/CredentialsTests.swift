// Wingmirror · Apache-2.0

import AdminServer
import FoundationEssentials
import Testing

@testable import AgentConfiguration

@Suite struct CredentialsTests {
    /// Writes `text` to a file of its own, hands its path to `body`, and removes it.
    private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.path + "/wingmirror-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test func `without files there are no credentials`() throws {
        #expect(try AdminConfiguration().credentials().isEmpty)
    }

    @Test func `each line is a credential, but for comments and empty lines`() throws {
        let credentials = try withFile("# operators\n\nops:longpassword\r\ndev:a:b:c:d:e:f\n") { path in
            try AdminConfiguration(basicFile: path).credentials()
        }
        #expect(credentials == AdminCredentials(basicPairs: ["ops:longpassword", "dev:a:b:c:d:e:f"], bearerTokens: []))
    }

    @Test func `mistakes name the line and never quote it`() throws {
        let problems = try withFile("token-of-some-length\nshort\nwith a space in it\n") { path in
            #expect(throws: ConfigurationProblems.self) { try AdminConfiguration(bearerFile: path).credentials() }
        }
        let lines = try #require(problems).problems.map(\.description)
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { !$0.contains("short") && !$0.contains("space in it") })
        #expect(lines[0].contains(":2:1: "))
        #expect(lines[1].contains(":3:1: "))
    }

    @Test func `a file without credentials would lock everyone out and is refused`() throws {
        let problems = try withFile("# none\n") { path in
            #expect(throws: ConfigurationProblems.self) { try AdminConfiguration(bearerFile: path).credentials() }
        }
        #expect(problems?.problems.count == 1)
    }
}
