// Wingmirror · Apache-2.0

import Synchronization
import TestServers
import Testing

@testable import KubernetesObjects

/// What a discovery makes of answers that are not the API server's.
@Suite(.timeLimit(.minutes(20)))
struct DiscoveryTests {
    private static let services = GroupVersionResource(
        group: "networking.istio.io",
        version: "v1",
        resource: "virtualservices"
    )

    /// Asks a server that says its version in the first answers, and of which nothing else is there.
    private func ask<Answer: Sendable>(
        versions: Int,
        _ question: (APIDiscovery) async throws -> Answer
    ) async throws -> Answer {
        let asked = Mutex(0)
        let server = try await TestAPIServer { request in
            let isThere =
                request.path == "/version"
                && asked.withLock { count in
                    count += 1
                    return count <= versions
                }
            return isThere
                ? .answer(200, "{\"minor\":\"31\"}") : .answer(404, "default backend - 404", type: "text/plain")
        }
        let transport = HTTPTransport(ClusterAccess(server: server.url)) { 0 }
        let answer: Result<Answer, any Error>
        do {
            answer = .success(try await question(APIDiscovery(over: transport)))
        } catch {
            answer = .failure(error)
        }
        transport.close()
        await server.close()
        return try answer.get()
    }

    @Test func `groups that a server does not have are not served`() async throws {
        let found = try await ask(versions: .max) { try await $0.find(WatchedKind.routing) }
        #expect(found.versions.keys.allSatisfy(\.group.isEmpty) && found.unread.isEmpty)
        #expect(try await ask(versions: .max) { try await $0.serves(Self.services) } == false)
    }

    @Test func `a 404 of what stands before the server takes no kind away, though the server still said its version`()
        async throws
    {
        await #expect(throws: APIDiscovery.Refusal.self) {
            try await ask(versions: 1) { try await $0.find(WatchedKind.routing) }
        }
        await #expect(throws: APIDiscovery.Refusal.self) {
            try await ask(versions: 1) { try await $0.serves(Self.services) }
        }
    }
}
