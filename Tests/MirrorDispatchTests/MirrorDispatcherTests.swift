// Wingmirror · Apache-2.0

import AnswerComparison
import MirrorDispatch
import Testing
import TrafficModel

@testable import ShadowTesting

/// What goes over the wire, and what comes back.
@Suite(.timeLimit(.minutes(20)))
struct MirrorDispatcherTests {
    private typealias Fixtures = DispatchFixtures

    @Test func `a copy arrives marked, without credentials, and with the target's Host`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 201, fields: [("X-Answer", "yes")], content: Array("done".utf8))
        } _: {
            port,
            requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) { rig in
                let exchange = Fixtures.exchange(
                    "POST",
                    "/orders/7?state=open",
                    fields: [
                        ("Authorization", "Bearer planted-secret"), ("Cookie", "session=planted-secret"),
                        ("Proxy-Authorization", "Basic planted-secret"), ("Connection", "close, X-Hop"), ("X-Hop", "1"),
                        ("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum"), ("Expect", "100-continue"),
                        ("Accept", "text/plain"),
                    ],
                    content: Array("quantity=3".utf8)
                )
                let finished = try #require(await rig.outcome(of: exchange))
                let response = try #require(finished.response)
                #expect(response.status == 201)
                #expect(response.message.content == Array("done".utf8) && response.message.contentIsWhole)
                #expect(response.message.firstText(of: "x-answer") == "yes")

                let request = try #require(requests.all.first)
                #expect(request.method == "POST" && request.target == "/orders/7?state=open")
                #expect(request.content == Array("quantity=3".utf8))
                #expect(request.values(of: "content-length") == ["10"])
                #expect(request.values(of: "host") == ["staging.test:\(port)"])
                #expect(request.values(of: "wingmirror-shadow") == ["node-1;hops=1"])
                #expect(request.values(of: "accept") == ["text/plain"])
                for name in [
                    "authorization", "cookie", "proxy-authorization", "transfer-encoding", "trailer", "x-hop", "expect",
                ] {
                    #expect(request.values(of: name) == [], "\(name)")
                }
                #expect(!"\(request)".contains("planted-secret"))

                let lane = rig.lane
                #expect(lane.sent == 1 && lane.answered == 1 && lane.isConserved)
                let target = rig.queue.figures(now: 0).targets[0]
                #expect(target.sentOctets > 100 && target.durations.values.map(\.count) == [1])
                #expect(target.reach == .allowed(address: "127.0.0.1"))
            }
        }
    }

    @Test func `octets that a URL may not hold are encoded, and nothing is encoded twice`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 204)
        } _: { port, requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) { rig in
                let table = [
                    ("/", "/"), ("/a/../b//c/", "/a/../b//c/"), ("//a", "//a"), ("/a?", "/a?"),
                    ("/a?b?c&d=/e", "/a?b?c&d=/e"),
                    ("/a%2Fb%20c?d=%26", "/a%2Fb%20c?d=%26"), ("/a?f[x]=1&g=%5B%5D", "/a?f%5Bx%5D=1&g=%5B%5D"),
                    ("/100%?a=%zz&b=%4", "/100%25?a=%25zz&b=%254"), ("/a|b{c}\"d\"", "/a%7Cb%7Bc%7D%22d%22"),
                    ("/;p=1:2@3,4!$'()*+~", "/;p=1:2@3,4!$'()*+~"),
                ]
                for (sent, received) in table {
                    let finished = await rig.outcome(of: Fixtures.exchange("GET", sent))
                    #expect(finished?.response?.status == 204, "\(sent)")
                    #expect(requests.all.last?.target == received)
                }
            }
        }
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537]) func `content of any size arrives whole`(octets: Int) async throws
    {
        let content = (0..<octets).map { UInt8(truncatingIfNeeded: $0) }
        try await StagingServer.with {
            .answer(status: 200, content: $0.content)
        } _: { port, requests in
            var policy = Fixtures.policy()
            policy.maximumContentOctets = 65_536
            try await DispatchRig.run(policies: [policy], targets: [Fixtures.target(port: port)]) { rig in
                rig.deliver([
                    Fixtures.exchange("POST", fields: [("Content-Type", "application/octet-stream")], content: content),
                    Fixtures.exchange("GET", "/end"),
                ])
                if octets <= 65_536 {
                    let finished = try #require(await rig.nextFinished())
                    #expect(requests.all.first { $0.method == "POST" }?.content == content)
                    #expect(
                        finished.ticket.exchange.request.method == "GET"
                            || finished.response?.message.content == content
                    )
                    _ = await rig.nextFinished()
                    #expect(rig.lane.answered == 2)
                } else {
                    // The next one has come, and of this one nothing.
                    #expect(await rig.nextFinished()?.ticket.exchange.request.method == "GET")
                    await rig.allEnded()
                    #expect(rig.lane.filtered == [.size: 1] && rig.lane.isConserved)
                    #expect(!requests.all.contains { $0.method == "POST" })
                }
            }
        }
    }

    @Test func `compressed content goes and comes as it is`() async throws {
        let compressed: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2B, 0xCE, 0x48, 0x4C, 0xC9, 0x2F, 0x07, 0x00,
            0x2D, 0x82, 0x76, 0x75, 0x06, 0x00, 0x00, 0x00,
        ]
        try await StagingServer.with {
            .answer(status: 200, fields: [("Content-Encoding", "gzip")], content: $0.content)
        } _: {
            port,
            requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) { rig in
                let exchange = Fixtures.exchange("POST", fields: [("Content-Encoding", "gzip")], content: compressed)
                let finished = try #require(await rig.outcome(of: exchange))
                #expect(requests.all.first?.content == compressed)
                #expect(requests.all.first?.values(of: "content-encoding") == ["gzip"])
                #expect(finished.response?.message.content == compressed)
            }
        }
    }

    @Test(arguments: [0, 999, 1000, 1001, 300_000]) func `an answer is kept up to the limit and counted beyond`(
        octets: Int
    ) async throws {
        let content = [UInt8](repeating: 0x62, count: octets)
        try await StagingServer.with { _ in
            .answer(status: 200, content: content)
        } _: { port, _ in
            var policy = Fixtures.policy()
            policy.comparison.maximumContentOctets = 1000
            try await DispatchRig.run(policies: [policy], targets: [Fixtures.target(port: port)]) { rig in
                let response = try #require(await rig.outcome(of: Fixtures.exchange())?.response)
                #expect(response.message.content.count == min(octets, 1000))
                #expect(response.message.contentOctets == Int64(octets))
                #expect(response.message.contentIsWhole == (octets <= 1000))
            }
        }
    }

    @Test func `an answer beyond the memory for answers is given up, until some are judged`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 200, content: [UInt8](repeating: 0x62, count: 600))
        } _: { port, _ in
            var limits = DispatchRig.quickLimits
            limits.keptOctets = 1000
            try await DispatchRig.run(
                policies: [Fixtures.policy(to: ["one", "two"])],
                targets: [Fixtures.target("one", port: port), Fixtures.target("two", port: port)],
                limits: limits
            ) { rig in
                for _ in 0..<3 {
                    // Both answers of an exchange wait for its judgement, which gives the memory back for the next.
                    let finished = try #require(await rig.outcome(of: Fixtures.exchange()))
                    let kept = finished.fates.map { fate -> Int in
                        guard case .sent(let answer) = fate.outcome else { return -1 }
                        return answer.response?.message.content.count ?? -1
                    }
                    #expect(kept.sorted() == [-1, 600])
                    await rig.allEnded()
                }
            }
        }
    }

    @Test func `redirects are answers, and followed by nobody`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 302, fields: [("Location", "/elsewhere")])
        } _: { port, requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.response?.status == 302)
                #expect(requests.all.map(\.target) == ["/orders"])
            }
        }
    }

    @Test func `a policy with a baseline gets both answers, without it some copies go twice`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 200, content: Array("new".utf8))
        } _: { new, newRequests in
            try await StagingServer.with { _ in
                .answer(status: 200, content: Array("old".utf8))
            } _: { old, _ in
                var alone = Fixtures.policy("alone", to: ["new"])
                alone.repeatShare = 1
                try await DispatchRig.run(
                    policies: [Fixtures.policy(to: ["new"], baseline: "old"), alone],
                    targets: [Fixtures.target("new", port: new), Fixtures.target("old", port: old)]
                ) { rig in
                    let pair = try #require(await rig.outcome(of: Fixtures.exchange()))
                    #expect(pair.response?.message.content == Array("new".utf8))
                    #expect(pair.baseline?.response?.message.content == Array("old".utf8))

                    rig.deliver([Fixtures.exchange("GET", fields: [("Idempotency-Key", "k")])], policy: 1)
                    let repeated = try #require(await rig.nextFinished())
                    #expect(repeated.fates[0].repeated?.response?.status == 200)
                    let keys = newRequests.all.flatMap { $0.values(of: "idempotency-key") }
                    #expect(keys.count == 2 && Set(keys).count == 2 && !keys.contains("k"))
                    let lane = try #require(rig.queue.figures(now: 0).lanes.last)
                    #expect(lane.sent == 1 && lane.answered == 1 && lane.repeatsAnswered == 1)
                }
            }
        }
    }
}
