// Wingmirror · Apache-2.0

import AnswerComparison
import Foundation
import MirrorDispatch
import NIOHTTP1
import ShadowTesting
import TestServers
import Testing
import TrafficModel

/// Targets that speak TLS; skipped where openssl is not there to make certificates.
@Suite(.enabled(if: TestCertificate.canBeMade, "openssl is not installed"), .timeLimit(.minutes(20)))
struct MirrorTLSTests {
    private typealias Fixtures = DispatchFixtures

    private func target(port: Int, authorities: String = "", http2: Bool = false) -> MirrorTarget {
        var target = Fixtures.target(port: port)
        target.usesTLS = true
        target.certificateAuthorities = authorities
        target.allowsHTTP2 = http2
        return target
    }

    @Test(arguments: [false, true]) func `a name that the certificate proves is sent to, in either version of HTTP`(
        http2: Bool
    ) async throws {
        let certificate = try TestCertificate(for: "staging.test")
        defer { certificate.remove() }
        try await StagingServer.with(tls: certificate) {
            .answer(status: 200, content: $0.content)
        } _: { port, requests in
            let target = target(port: port, authorities: certificate.authority, http2: http2)
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target]) { rig in
                for _ in 0..<3 {
                    let content = [UInt8](repeating: 7, count: 100_000)
                    let finished = try #require(
                        await rig.outcome(of: Fixtures.exchange("POST", "/a?b=[c]", content: content))
                    )
                    #expect(finished.response?.message.content == content)
                }
                // The address was looked up and pinned; the name is what the server sees and proves.
                for request in requests.all {
                    #expect(request.values(of: "host") == ["staging.test:\(port)"])
                    #expect(request.values(of: "wingmirror-shadow") == ["node-1;hops=1"])
                    #expect(request.target == "/a?b=%5Bc%5D")
                }
                #expect(requests.connectionCount == 1)
                #expect(requests.all.allSatisfy { ($0.version == .http2) == http2 })
            }
        }
    }

    @Test(.enabled(if: NghttpServer.exists, "nghttpd is not installed: apt-get install nghttp2-server"))
    func `a request of HTTP/2 goes to a real server that speaks nothing else`() async throws {
        let certificate = try TestCertificate(for: "staging.test")
        defer { certificate.remove() }
        try await NghttpServer.with(certificate, serving: "products", "[1, 2, 3]") { port in
            var exchange = Fixtures.exchange("GET", "/products")
            exchange.protocolVersion = "HTTP/2"
            let target = target(port: port, authorities: certificate.authority, http2: true)
            let resolver = FixedResolver([NghttpServer.address])
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target], resolver: resolver) { rig in
                let finished = try #require(await rig.outcome(of: exchange))
                #expect(finished.response?.status == 200)
                #expect(finished.response?.message.content == Array("[1, 2, 3]".utf8))
            }
        }
    }

    @Test func `a certificate of an unknown authority is a TLS failure, and the request is not sent`() async throws {
        let certificate = try TestCertificate(for: "staging.test")
        defer { certificate.remove() }
        try await StagingServer.with(tls: certificate) { _ in
            .answer(status: 200)
        } _: { port, requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target(port: port)]) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .tls)
                #expect(rig.lane.failed == [.tls: 1] && requests.all.isEmpty)
            }
        }
    }

    @Test func `a certificate for another name is a TLS failure`() async throws {
        let certificate = try TestCertificate(for: "production.test", address: nil)
        defer { certificate.remove() }
        try await StagingServer.with(tls: certificate) { _ in
            .answer(status: 200)
        } _: { port, requests in
            let target = target(port: port, authorities: certificate.authority)
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target]) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .tls)
                #expect(requests.all.isEmpty)
            }
        }
    }

    @Test func `a file of authorities that is not there is a TLS failure`() async throws {
        let certificate = try TestCertificate(for: "staging.test")
        defer { certificate.remove() }
        try await StagingServer.with(tls: certificate) { _ in
            .answer(status: 200)
        } _: { port, _ in
            let target = target(port: port, authorities: certificate.authority + ".missing")
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target]) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .tls)
            }
        }
    }

    @Test func `a server that speaks no TLS is a TLS failure`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 200)
        } _: { port, _ in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target(port: port)]) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .tls)
            }
        }
    }
}
