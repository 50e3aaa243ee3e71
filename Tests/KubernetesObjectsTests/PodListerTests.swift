// Wingmirror · Apache-2.0

import JSONSyntax
import TestServers
import Testing

@testable import KubernetesObjects

/// Pods that a command lists.
@Suite(.timeLimit(.minutes(20)))
struct PodListerTests {
    private static func lister(_ server: TestAPIServer, patience: Duration = .seconds(300)) -> PodLister {
        PodLister(HTTPTransport(ClusterAccess(server: server.url)) { 0 }, patience: patience)
    }

    @Test func `pages are read to the last`() async throws {
        let server = try await TestAPIServer { request in
            guard request.path == "/api/v1/namespaces/wingmirror/pods", request.parameters["labelSelector"] == "a=b",
                request.parameters["limit"] == "500"
            else { return .answer(400, "{}") }
            return switch request.parameters["continue"] {
            case nil: .answer(200, #"{"metadata": {"continue": "a/+="}, "items": ["1", "2"]}"#)
            case "a/+=": .answer(200, #"{"metadata": {"continue": ""}, "items": ["3"]}"#)
            default: .answer(400, "{}")
            }
        }
        let pods = try await Self.lister(server).pods(in: "wingmirror", labelSelector: "a=b")
        #expect(pods.map(\.stringValue) == ["1", "2", "3"])
        await server.close()
    }

    @Test func `a refusal has the server's reason, and a server that never answers is given up`() async throws {
        let forbidding = try await TestAPIServer { _ in .answer(403, #"{"message": "pods is forbidden"}"#) }
        await #expect(throws: APIRefusal(status: 403, reason: "pods is forbidden")) {
            try await Self.lister(forbidding).pods(in: nil, labelSelector: "a=b")
        }
        await forbidding.close()
        let mute = try await TestAPIServer { _ in .steps([.wait(.seconds(3600))]) }
        await #expect(throws: APIFailure.timedOut) {
            try await Self.lister(mute, patience: .milliseconds(300)).pods(in: nil, labelSelector: "a=b")
        }
        await mute.close()
    }
}
