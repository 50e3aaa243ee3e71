// Wingmirror · Apache-2.0

import NIOSSL
import Synchronization
import TestServers
import Testing

@testable import KubernetesObjects

/// Servers in pods, asked through a port that an API server forwards.
@Suite(.timeLimit(.minutes(20)))
struct PodTunnelTests {
    private typealias Failure = PodTunnel.Failure

    private static let pod = PodPort(namespace: "wingmirror", name: "agent-1", port: 9646, isSecured: false)
    /// A server that answers with the target it was asked for.
    private static let echoing = TestForwardingServer.Reaction.forward(.answering { (200, $0) })

    private static func tunnel(
        _ url: String,
        limit: Int = 1 << 20,
        patience: Duration = .seconds(300)
    ) -> PodTunnel {
        var access = ClusterAccess(server: url)
        access.token = "secret"
        return PodTunnel(to: pod, over: HTTPTransport(access) { 0 }, limit: limit, patience: patience)
    }

    // MARK: - A port that is forwarded

    @Test func `documents are asked for one after the other, by a client of the pod's own loopback`() async throws {
        let server = try await TestForwardingServer { _ in Self.echoing }
        let answers = try await Self.tunnel(server.url).get(["/api/v1/status", "/api/v1/routes"], token: "pod-token")
        #expect(answers.map(\.status) == [200, 200])
        #expect(answers.map { String(decoding: $0.content, as: UTF8.self) } == ["/api/v1/status", "/api/v1/routes"])
        let asked = try #require(server.upgrades.withLock { $0.first })
        #expect(asked.method == "GET" && asked.path == "/api/v1/namespaces/wingmirror/pods/agent-1/portforward")
        #expect(asked.parameters == ["ports": "9646"])
        #expect(asked.values(of: "Authorization") == ["Bearer secret"])
        #expect(asked.values(of: "Sec-WebSocket-Protocol") == ["v4.channel.k8s.io"])
        let requests = server.forwarded.withLock { $0 }
        #expect(requests.count == 2)
        #expect(requests.allSatisfy { $0.contains("127.0.0.1:9646\r\n") && $0.contains("Bearer pod-token\r\n") })
        await server.close()
    }

    @Test func `an API server behind a path is asked below it`() async throws {
        let server = try await TestForwardingServer { _ in Self.echoing }
        _ = try await Self.tunnel(server.url + "/k8s/clusters/c-1/").get(["/"])
        let path = server.upgrades.withLock { $0.first?.path }
        #expect(path == "/k8s/clusters/c-1/api/v1/namespaces/wingmirror/pods/agent-1/portforward")
        await server.close()
    }

    @Test func `the upgrade and the first messages may be cut at any octet`() async throws {
        let server = try await TestForwardingServer { _ in Self.echoing }
        let tunnel = Self.tunnel(server.url)
        var cut = 0
        repeat {
            try Task.checkCancellation()
            server.cut.withLock { $0 = cut }
            let answers = try await tunnel.get(["/a", "/b"])
            #expect(answers.map { String(decoding: $0.content, as: UTF8.self) } == ["/a", "/b"], "cut at \(cut)")
            cut += 1
        } while cut < server.firstOctets.withLock { $0 }
        // The head of the answer, and two messages of five octets.
        #expect(cut > 100)
        await server.close()
    }

    @Test(.enabled(if: TestCertificate.canBeMade))
    func `both the API server and the server in the pod may speak TLS`() async throws {
        let outer = try TestCertificate(for: "localhost")
        let inner = try TestCertificate(for: "agent.example", address: nil)
        defer {
            outer.remove()
            inner.remove()
        }
        let server = try await TestForwardingServer(tls: outer, podTLS: inner) { _ in Self.echoing }
        var access = ClusterAccess(server: server.url)
        access.authorityFile = outer.authority
        let transport = HTTPTransport(access) { 0 }
        let secured = PodPort(namespace: "wingmirror", name: "agent-1", port: 9646, isSecured: true)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(inner.authority)
        func tunnel(to name: String) -> PodTunnel {
            PodTunnel(
                to: secured,
                over: transport,
                tls: tls,
                serverName: name,
                limit: 1 << 20,
                patience: .seconds(300)
            )
        }
        let answers = try await tunnel(to: "agent.example").get(["/a"])
        #expect(answers.map(\.status) == [200])
        await #expect(throws: NIOSSLExtraError.self) { try await tunnel(to: "other.example").get(["/a"]) }
        await server.close()
    }

    // MARK: - Refusals

    @Test(arguments: [400, 401, 403, 404, 500])
    func `a refused upgrade ends with its status and the server's reason, wherever the answer is cut`(
        status: Int
    ) async throws {
        let message = #"pods "agent-1" is forbidden"#
        let server = try await TestForwardingServer { _ in
            .answer(status, #"{"kind": "Status", "message": "pods \"agent-1\" is forbidden"}"#)
        }
        let tunnel = Self.tunnel(server.url)
        var cut = 0
        repeat {
            try Task.checkCancellation()
            server.cut.withLock { $0 = cut }
            await #expect(throws: APIRefusal(status: status, reason: message), "cut at \(cut)") {
                try await tunnel.get(["/"])
            }
            // Each octet once; the other answers differ in their status only.
            cut += status == 403 ? 1 : 16
        } while cut < server.firstOctets.withLock { $0 }
        await server.close()
    }

    @Test func `a refusal may have any content, be cut short, or be of a server that knows no upgrades`() async throws {
        func failure(_ steps: [ServerStep]) async throws -> (any Error)? {
            let server = try await TestAPIServer { _ in .steps(steps) }
            defer { Task { await server.close() } }
            do {
                _ = try await Self.tunnel(server.url).get(["/"])
                return nil
            } catch {
                return error
            }
        }
        func octets(_ text: String) -> ServerStep { .octets(Array(text.utf8)) }
        func refused(_ status: Int, _ reason: String) -> APIRefusal { APIRefusal(status: status, reason: reason) }

        let text = octets("HTTP/1.1 502 X\r\nContent-Length: 12\r\n\r\nno\n upstream")
        #expect(try await failure([text]) as? APIRefusal == refused(502, "no upstream"))
        let empty = octets("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(try await failure([empty]) as? APIRefusal == refused(200, ""))
        let untilClose = octets("HTTP/1.1 503 X\r\n\r\noverloaded")
        #expect(try await failure([untilClose, .close]) as? APIRefusal == refused(503, "overloaded"))
        let cutShort = octets("HTTP/1.1 403 X\r\nContent-Length: 100\r\n\r\nforbidden")
        #expect(try await failure([cutShort, .close]) as? APIRefusal == refused(403, "forbidden"))
        let long = octets("HTTP/1.1 500 X\r\n\r\n" + String(repeating: "x", count: 1 << 20))
        #expect(try await failure([long]) as? APIRefusal == refused(500, String(repeating: "x", count: 200)))
        #expect(try await failure([.close]) as? Failure == .ended)
        #expect(try await failure([octets("HTTP/1.1 403 For"), .close]) as? Failure == .ended)
    }

    @Test func `an upgrade to something else is none`() async throws {
        let other = try await TestForwardingServer { _ in .forward(.silent, subprotocol: "v5.channel.k8s.io") }
        await #expect(throws: Failure.unexpectedUpgrade) { try await Self.tunnel(other.url).get(["/"]) }
        await other.close()
        for fields in ["Upgrade: SPDY/3.1", "Upgrade: websocket\r\nSec-WebSocket-Accept: wrong"] {
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\(fields)\r\n\r\n"
            let server = try await TestAPIServer { _ in .steps([.octets(Array(head.utf8))]) }
            await #expect(throws: Failure.unexpectedUpgrade) { try await Self.tunnel(server.url).get(["/"]) }
            await server.close()
        }
    }

    // MARK: - Ports without an answer

    @Test func `a port on which nothing listens is told in the kubelet's words, wherever they are cut`() async throws {
        let server = try await TestForwardingServer { _ in .forward(.unreachable("connection refused")) }
        let tunnel = Self.tunnel(server.url)
        var cut = 0
        repeat {
            try Task.checkCancellation()
            server.cut.withLock { $0 = cut }
            await #expect(throws: Failure.unreachable("connection refused"), "cut at \(cut)") {
                try await tunnel.get(["/"])
            }
            cut += 1
        } while cut < server.firstOctets.withLock { $0 }
        await server.close()
    }

    @Test(arguments: [0, 1, 20, 45]) func `a pod that ends before its answer does gave none`(length: Int) async throws {
        let server = try await TestForwardingServer { _ in .forward(.ending(after: length)) }
        await #expect(throws: Failure.ended) { try await Self.tunnel(server.url).get(["/"]) }
        await server.close()
    }

    @Test func `a server that never answers is given up, before the upgrade as after it`() async throws {
        let mute = try await TestAPIServer { _ in .steps([.wait(.seconds(3600))]) }
        await #expect(throws: APIFailure.timedOut) {
            try await Self.tunnel(mute.url, patience: .milliseconds(300)).get(["/"])
        }
        await mute.close()
        let endless = try await TestAPIServer { _ in
            .steps([.octets(Array("HTTP/1.1 403 X\r\n\r\nfor".utf8)), .wait(.seconds(3600))])
        }
        await #expect(throws: APIFailure.timedOut) {
            try await Self.tunnel(endless.url, patience: .milliseconds(300)).get(["/"])
        }
        await endless.close()
        let silent = try await TestForwardingServer { _ in .forward(.silent) }
        await #expect(throws: APIFailure.timedOut) {
            try await Self.tunnel(silent.url, patience: .milliseconds(300)).get(["/"])
        }
        await silent.close()
    }

    @Test func `an answer that is longer than is taken is none`() async throws {
        let server = try await TestForwardingServer { _ in Self.echoing }
        await #expect(throws: Failure.tooLong) { try await Self.tunnel(server.url, limit: 4).get(["/api/v1/status"]) }
        await server.close()
    }
}
