// Wingmirror · Apache-2.0

import TestServers
import Testing

@testable import KubernetesObjects

/// The connections to an API server, whoever is still at them when they are given up.
@Suite(.timeLimit(.minutes(20)))
struct HTTPTransportTests {
    private static func transport(_ server: TestAPIServer) -> HTTPTransport {
        HTTPTransport(ClusterAccess(server: server.url)) { 0 }
    }

    private static func text(_ answer: APIAnswer) async throws -> String {
        var octets: [UInt8] = []
        for try await part in answer.body { octets += part }
        return String(decoding: octets, as: UTF8.self)
    }

    @Test func `an answer is read to its end after the transport was closed and let go`() async throws {
        let server = try await TestAPIServer { _ in .answer(200, "whole") }
        let answer = try await {
            let transport = Self.transport(server)
            let answer = try await transport.send(APIRequest("/version"))
            transport.close()
            return answer
        }()
        #expect(try await Self.text(answer) == "whole")
        await server.close()
    }

    // AsyncHTTPClient ends the process when a client goes that was not shut down.
    @Test func `a request after the close is answered, and leaves nothing open that would end the process`()
        async throws
    {
        let server = try await TestAPIServer { _ in .answer(200, "again") }
        for _ in 0..<3 {
            let transport = Self.transport(server)
            _ = try await transport.send(APIRequest("/version"))
            transport.close()
            #expect(try await Self.text(try await transport.send(APIRequest("/version"))) == "again")
        }
        await server.close()
    }

    @Test func `requests that begin at once do not close each other's connections`() async throws {
        let server = try await TestAPIServer { _ in .answer(200, "one") }
        let transport = Self.transport(server)
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask { try await Self.text(try await transport.send(APIRequest("/version"))) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(texts == [String](repeating: "one", count: 20))
        transport.close()
        await server.close()
    }
}
