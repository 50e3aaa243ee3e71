// Wingmirror · Apache-2.0

import Agent
import JSONSyntax
import KubernetesObjects
import TestServers
import Testing

@testable import AgentCommands

/// The agents of a cluster.
@Suite(.timeLimit(.minutes(20)))
struct ClusterAgentsTests {
    private static func pod(
        _ name: String,
        metadata: String = "",
        phase: String = "Running",
        port: String = "metrics",
        probe: String = ""
    ) -> String {
        """
        {"metadata": {"namespace": "wingmirror", "name": "\(name)"\(metadata)}, "status": {"phase": "\(phase)"}, \
        "spec": {"nodeName": "node-\(name)", "containers": [{"name": "sidecar"}, {"name": "agent", \
        "ports": [{"name": "\(port)", "containerPort": 9650}]\(probe)}]}}
        """
    }

    private static func read(_ text: String) throws -> ClusterAgents.Pod? {
        ClusterAgents.pod(try JSONDocument.parse(Array(text.utf8)))
    }

    @Test func `an agent is asked on its pod's port named metrics, with TLS where its probe has that`() throws {
        let plain = try #require(try Self.read(Self.pod("a")))
        #expect(plain.name == "wingmirror/a" && plain.node == "node-a")
        #expect(plain.port == PodPort(namespace: "wingmirror", name: "a", port: 9650, isSecured: false))
        let probe = #", "readinessProbe": {"httpGet": {"path": "/readyz", "scheme": "HTTPS"}}"#
        #expect(try Self.read(Self.pod("a", probe: probe))?.port?.isSecured == true)
    }

    @Test func `an agent with a port of its own for the page is asked there, whatever scrapers have`() throws {
        let more = #""ports": [{"name": "metrics", "containerPort": 9646}, {"name": "admin", "containerPort": 9647},"#
        let text = Self.pod("a", port: "other").replacing(#""ports": ["#, with: more)
        #expect(try Self.read(text)?.port?.port == 9647)
    }

    @Test func `a pod that cannot be asked is told with the reason, and one that has ended is left out`() throws {
        #expect(try Self.read(Self.pod("a", phase: "Pending"))?.trouble == "the pod is Pending")
        #expect(try Self.read(Self.pod("a", port: "web"))?.trouble == "the pod has no port named admin or metrics")
        #expect(try Self.read(Self.pod("a", phase: "Failed")) == nil)
        #expect(try Self.read(Self.pod("a", phase: "Succeeded")) == nil)
        #expect(try Self.read(Self.pod("a", metadata: #", "deletionTimestamp": "2026-01-01T00:00:00Z""#)) == nil)
    }

    // MARK: - Asking

    /// What an agent says: some requests of one route, and a verdict.
    @Sendable private static func document(_ target: String) -> (status: Int, content: String) {
        switch target {
        case "/api/v1/status":
            (200, #"{"version": "1.0", "configuration": {"sha256": "aaaa"}, "requests": {"matched": 20}}"#)
        case "/api/v1/routes": (200, #"{"routes": [{"id": "r", "object": "shop/pages", "requests": 20}]}"#)
        case "/api/v1/mirror": (200, #"{"verdicts": [{"target": "staging", "verdict": "pass", "pairs": 1000}]}"#)
        default: (404, "not found")
        }
    }

    private static func agents(of server: TestForwardingServer) -> ClusterAgents {
        // On a busy machine an answer may take longer than people wait for one.
        ClusterAgents(ClusterAccess(server: server.url), AgentAccess(), patience: .seconds(600))
    }

    @Test func `agents that answer are added up, and each of the others has its reason`() async throws {
        let names = ["a", "b", "forbidden", "gone", "closed", "locked"]
        let server = try await TestForwardingServer { request in
            switch request.path {
            case "/api/v1/namespaces/wingmirror/pods":
                guard request.parameters["labelSelector"] == "app.kubernetes.io/name=wingmirror" else {
                    return .answer(400, "{}")
                }
                let pods = names.map { Self.pod($0) } + [Self.pod("new", phase: "Pending")]
                return .answer(200, #"{"items": [\#(pods.joined(separator: ","))]}"#)
            case let path where path.contains("/a/") || path.contains("/b/"):
                return .forward(.answering(Self.document))
            case let path where path.contains("/forbidden/"): return .answer(403, #"{"message": "jane may not"}"#)
            case let path where path.contains("/gone/"): return .answer(404, #"{"message": "pods \"gone\" not found"}"#)
            case let path where path.contains("/closed/"): return .forward(.unreachable("connection refused\n"))
            default: return .forward(.answering { _ in (401, "") })
            }
        }
        let agents = Self.agents(of: server)
        let pods = try await agents.pods(in: "wingmirror")
        var answers: [AgentAnswer] = []
        for pod in pods { answers.append(await agents.ask(pod)) }
        agents.close()
        await server.close()
        let report = AgentsReport(answers)
        #expect(report.rows.map(\.name) == ["wingmirror/a", "wingmirror/b"])
        #expect(report.rows.map(\.node) == ["node-a", "node-b"])
        #expect(report.routes.map(\.requests) == [40])
        #expect(report.verdicts.map(\.pairs) == [2000] && report.verdicts.first?.words == ["pass": 2])
        let reasons = Dictionary(uniqueKeysWithValues: report.silent.map { ($0.name, $0.reason) })
        #expect(
            reasons == [
                "wingmirror/forbidden":
                    "the API server does not forward a port: 403: jane may not; "
                    + "it takes the rights to get and to create pods/portforward",
                "wingmirror/gone": #"the API server does not forward a port: 404: pods "gone" not found"#,
                "wingmirror/closed": "the node cannot reach the port: connection refused",
                "wingmirror/locked": "the agent asks for a token; name its file with --token-file",
                "wingmirror/new": "the pod is Pending",
            ]
        )
    }

    @Test func `pods that cannot be listed, or are not there, end the command in one sentence`() async throws {
        let server = try await TestForwardingServer { request in
            switch request.path {
            case "/api/v1/pods": .answer(403, #"{"message": "pods is forbidden"}"#)
            case "/api/v1/namespaces/empty/pods": .answer(200, #"{"items": []}"#)
            default: .answer(500, "")
            }
        }
        let agents = Self.agents(of: server)
        func failure(_ namespace: String?) async -> String? {
            do throws(CommandFailure) {
                _ = try await agents.pods(in: namespace)
                return nil
            } catch {
                return error.lines.joined()
            }
        }
        #expect(
            await failure(nil)
                == "the agents' pods cannot be listed: the API server answers 403: pods is forbidden; it takes the right to "
                + "list pods, or name a namespace in which you have it with --namespace"
        )
        #expect(
            await failure("empty") == "no pod with the label app.kubernetes.io/name=wingmirror runs in namespace empty"
        )
        #expect(
            await failure("broken") == "the agents' pods cannot be listed: the API server answers 500"
        )
        agents.close()
        await server.close()
    }
}
