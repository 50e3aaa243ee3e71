// Wingmirror · Apache-2.0

import ArgumentParser
import JSONSyntax
import TestServers
import TestSupport
import Testing

@testable import AgentCommands
@testable import AgentConfiguration

/// What is said of addresses where no agent is.
@Suite struct AgentRefusalTests {
    @Test func `a server without TLS that is asked by https says to write http`() {
        let words =
            "handshakeFailed(sslError([Error: 268435703 SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at …]))"
        #expect(AgentClient.reason(tls: words) == "it speaks no TLS: use http://")
        #expect(AgentClient.reason(tls: "CERTIFICATE_VERIFY_FAILED").contains("--ca-file"))
    }

    @Test(arguments: [
        ("404 page not found\n", "this is no agent (404): name the one of wingmirror run, port 9646"),
        ("<html>Not Found</html>", "this is no agent (404): name the one of wingmirror run, port 9646"),
        ("nothing is mirrored", "nothing is mirrored"),
        ("not found", "there is no such answer; is it an agent, and as new as this program?"),
    ])
    func `a 404 of something else is not taken for an agent's`(body: String, sentence: String) {
        let refusal = #expect(throws: AgentClient.Refusal.self) { try AgentClient.content(404, Array(body.utf8)) }
        #expect(refusal?.reason == sentence)
    }

    @Test func `an unknown host is a matter of the name, and a look-up that fails for now is none`() {
        #expect(
            AgentClient.reason(lookup: -2, "Name or service not known") == "no such host; check the name in --agent"
        )
        let later = AgentClient.reason(lookup: -3, "Temporary failure in name resolution")
        #expect(later == "the host cannot be looked up now: Temporary failure in name resolution")
    }
}

/// Agents that are asked over TLS.
@Suite(.timeLimit(.minutes(20)), .enabled(if: TestCertificate.canBeMade, "openssl is not installed"))
struct AgentClientTests {
    /// Asks an agent with a certificate for `agent.example` at 127.0.0.1; returns why it is not trusted, or `nil`.
    private static func refusal(_ choose: (inout AgentAccessOptions, TestCertificate) -> Void) async throws -> String? {
        let certificate = try TestCertificate(for: "agent.example", address: nil)
        defer { certificate.remove() }
        let server = try await TestAPIServer(tls: certificate) { request in
            .answer(200, "{\"host\": \"\(request.values(of: "host").first ?? "")\"}")
        }
        var options = try AgentAccessOptions.parse([])
        choose(&options, certificate)
        var problems: [ConfigurationProblem] = []
        let access = options.read(&problems)
        #expect(problems.isEmpty)
        let agent = try #require(ServerURL(server.url))
        let client = AgentClient(agent, access)
        var refusal: String?
        // Where other tests keep the machine busy an answer may take longer than a client waits.
        for _ in 0..<20 {
            do throws(AgentClient.Refusal) {
                let answer = try await client.ask("/api/v1/status")
                // An agent that asks for no token looks at the Host field.
                #expect(answer["host"]?.stringValue == "127.0.0.1:\(agent.port)")
                refusal = nil
            } catch {
                refusal = error.reason
            }
            if refusal?.hasPrefix("no answer within") != true { break }
        }
        await client.close()
        await server.close()
        return refusal
    }

    @Test func `an authority and a name that were given are trusted`() async throws {
        let refusal = try await Self.refusal { options, certificate in
            options.caFile = certificate.authority
            options.tlsServerName = "agent.example"
        }
        #expect(refusal == nil)
    }

    @Test func `another name, or the system's authorities, are not, and the reason names the options`() async throws {
        let other = try await Self.refusal { options, certificate in
            options.caFile = certificate.authority
            options.tlsServerName = "other.example"
        }
        #expect(other?.contains("--tls-server-name") == true)
        let unknown = try await Self.refusal { options, _ in options.tlsServerName = "agent.example" }
        #expect(unknown?.contains("--ca-file") == true)
    }

    @Test func `a file without certificates is a mistake on the command line`() throws {
        let folder = try TemporaryFolder()
        var options = try AgentAccessOptions.parse([])
        options.caFile = try folder.write("no certificate", to: "ca.pem")
        var problems: [ConfigurationProblem] = []
        _ = options.read(&problems)
        #expect(problems.map(\.message) == ["no certificates in PEM form are in it"])
    }
}
