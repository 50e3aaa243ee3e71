// Wingmirror · Apache-2.0

import AnswerComparison
import MirrorDispatch
import ShadowTesting
import TestServers
import TestSupport
import Testing
import TrafficModel

/// gRPC calls: HTTP/2 whatever else the target speaks, and answers with their trailers.
@Suite(.timeLimit(.minutes(20))) struct MirrorCallTests {
    private typealias Fixtures = DispatchFixtures

    private static let message = CallServer.framed(Array("pear".utf8))

    private static func call(_ path: String = "/shop.Catalog/Get", content: [UInt8] = message) -> RecordedExchange {
        var exchange = Fixtures.exchange(
            "POST",
            path,
            fields: [("Content-Type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "2S")],
            content: content
        )
        exchange.protocolVersion = "HTTP/2"
        return exchange
    }

    private static func run(port: Int, _ body: (DispatchRig) async throws -> Void) async throws {
        try await run(Fixtures.target(port: port), body)
    }

    private static func run(
        _ target: MirrorTarget,
        limits: DispatchLimits = DispatchRig.quickLimits,
        _ body: (DispatchRig) async throws -> Void
    ) async throws {
        try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target], limits: limits, body)
    }

    @Test func `a call goes out over HTTP/2 by prior knowledge, and comes back with its trailers`() async throws {
        try await CallServer.with { call in
            .answer(message: call.content, trailers: [("grpc-status", "0"), ("x-checksum", "7")])
        } _: { port, calls in
            try await Self.run(port: port) { rig in
                for number in 0..<3 {
                    let finished = try #require(await rig.outcome(of: Self.call("/shop.Catalog/Get\(number)")))
                    let response = try #require(finished.response)
                    #expect(response.status == 200 && response.grpcStatus == 0)
                    #expect(response.message.content == Self.message)
                    #expect(response.message.trailers.map(\.name) == ["grpc-status", "x-checksum"])
                }
                let received = calls.all
                #expect(received.flatMap { $0.values(of: ":path") } == (0..<3).map { "/shop.Catalog/Get\($0)" })
                for call in received {
                    #expect(call.values(of: ":authority") == ["staging.test:\(port)"])
                    #expect(call.values(of: ":scheme") == ["http"] && call.values(of: "te") == ["trailers"])
                    #expect(call.values(of: "grpc-timeout") == ["2S"])
                    #expect(call.values(of: "wingmirror-shadow") == ["node-1;hops=1"])
                    #expect(call.content == Self.message)
                }
                #expect(calls.connections == 1)
                #expect(rig.lane.answered == 3 && rig.lane.sent == 3 && rig.lane.inFlight == 0)
            }
        }
    }

    @Test func `a call that fails without a message has its status in the head`() async throws {
        try await CallServer.with { _ in
            .answer(message: nil, trailers: [("grpc-status", "14"), ("grpc-message", "down")])
        } _: { port, _ in
            try await Self.run(port: port) { rig in
                let response = try #require(await rig.outcome(of: Self.call())?.response)
                #expect(response.grpcStatus == 14 && response.isUnavailable)
                #expect(response.isFailure([14]) && !response.isFailure([13]))
                #expect(response.message.trailers.isEmpty && response.message.content.isEmpty)
            }
        }
    }

    @Test(arguments: [
        (CallConduct.resetStream, ShadowFailure.reset), (.closeConnection, .reset), (.endless, .cancelled),
    ])
    func `a call that breaks off has an outcome, and the next one an answer`(
        conduct: CallConduct,
        failure: ShadowFailure
    ) async throws {
        var limits = DispatchRig.quickLimits
        limits.answerOctets = 1 << 20
        try await CallServer.with { call in
            call.values(of: ":path") == ["/bad"]
                ? conduct : .answer(message: call.content, trailers: [("grpc-status", "0")])
        } _: { port, _ in
            try await Self.run(Fixtures.target(port: port), limits: limits) { rig in
                #expect(await rig.outcome(of: Self.call("/bad"))?.failure == failure)
                #expect(await rig.outcome(of: Self.call("/good"))?.response?.grpcStatus == 0)
                #expect(rig.lane.failed == [failure: 1] && rig.lane.answered == 1 && rig.lane.inFlight == 0)
            }
        }
    }

    @Test func `a call that is not answered in time is given up`() async throws {
        try await CallServer.with { _ in
            .hang
        } _: { port, _ in
            try await Self.run(Fixtures.target(port: port, timeout: .milliseconds(100))) { rig in
                #expect(await rig.outcome(of: Self.call())?.failure == .timeout)
                #expect(rig.lane.failed == [.timeout: 1] && rig.lane.inFlight == 0)
            }
        }
    }

    @Test func `after a target asked for it the next call makes a new connection`() async throws {
        try await CallServer.with { call in
            call.values(of: ":path") == ["/last"]
                ? .goAway(message: call.content) : .answer(message: call.content, trailers: [("grpc-status", "0")])
        } _: { port, calls in
            try await Self.run(port: port) { rig in
                #expect(await rig.outcome(of: Self.call("/last"))?.response?.grpcStatus == 0)
                #expect(await rig.outcome(of: Self.call("/next"))?.response?.grpcStatus == 0)
                #expect(calls.all.map(\.connection) == [1, 2])
            }
        }
    }

    @Test func `more calls than the target takes at a time wait for each other`() async throws {
        try await CallServer.with(streams: 2) { call in
            .answer(message: call.content, trailers: [("grpc-status", "0")])
        } _: { port, calls in
            try await Self.run(port: port) { rig in
                rig.deliver((0..<40).map { Self.call("/shop.Catalog/Get\($0)") })
                for _ in 0..<40 { #expect(await rig.nextFinished()?.response?.grpcStatus == 0) }
                #expect(calls.connections == 1 && rig.lane.answered == 40)
            }
        }
    }

    @Test func `nobody at the port, and a server of HTTP/1, are outcomes`() async throws {
        let closed = try ClosedPort()
        try await Self.run(port: closed.port) { rig in
            #expect(await rig.outcome(of: Self.call())?.failure == .connect)
        }
        try await StagingServer.with { _ in
            .answer(status: 200)
        } _: { port, requests in
            try await Self.run(port: port) { rig in
                let failure = await rig.outcome(of: Self.call())?.failure
                #expect(failure == .malformed || failure == .reset)
                #expect(requests.all.isEmpty)
            }
        }
    }

    @Test func `what is on its way when the agent ends is given up`() async throws {
        try await CallServer.with { _ in
            .hang
        } _: { port, calls in
            var target = Fixtures.target(port: port)
            target.timeout = .seconds(600)
            let figures = try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target]) { rig in
                rig.deliver([Self.call()])
                await rig.bell.wait { rig.lane.inFlight == 1 }
                return rig.queue
            }
            let lane = figures.figures(now: 0).lanes[0]
            #expect(lane.failed == [.cancelled: 1] && lane.inFlight == 0)
            #expect(calls.connections <= 1)
        }
    }
}

/// Calls to targets that speak TLS; skipped where openssl is not there to make certificates.
@Suite(.enabled(if: TestCertificate.canBeMade, "openssl is not installed"), .timeLimit(.minutes(20)))
struct MirrorSecuredCallTests {
    private static func call() -> RecordedExchange {
        DispatchFixtures.exchange(
            "POST",
            "/shop.Catalog/Get",
            fields: [("content-type", "application/grpc+proto")],
            content: CallServer.framed([1, 2, 3])
        )
    }

    private static func target(port: Int, _ certificate: TestCertificate, isTrusted: Bool = true) -> MirrorTarget {
        var target = DispatchFixtures.target(port: port)
        target.usesTLS = true
        if isTrusted { target.certificateAuthorities = certificate.authority }
        return target
    }

    @Test(
        arguments: [
            (["h2"], true, nil), (["http/1.1"], true, ShadowFailure.tls), (["h2"], false, .tls),
        ] as [([String], Bool, ShadowFailure?)]
    )
    func `HTTP/2 is agreed on with a server that proves its name, or the call fails`(
        protocols: [String],
        isTrusted: Bool,
        failure: ShadowFailure?
    ) async throws {
        let certificate = try TestCertificate(for: "staging.test")
        defer { certificate.remove() }
        try await CallServer.with(tls: certificate, protocols: protocols) { call in
            .answer(message: call.content, trailers: [("grpc-status", "5")])
        } _: { port, calls in
            let target = Self.target(port: port, certificate, isTrusted: isTrusted)
            try await DispatchRig.run(policies: [DispatchFixtures.policy()], targets: [target]) { rig in
                let finished = await rig.outcome(of: Self.call())
                #expect(finished?.failure == failure)
                #expect(finished?.response?.grpcStatus == (failure == nil ? 5 : nil))
                #expect(calls.all.count == (failure == nil ? 1 : 0))
                #expect(calls.all.allSatisfy { $0.values(of: ":scheme") == ["https"] })
            }
        }
    }
}
