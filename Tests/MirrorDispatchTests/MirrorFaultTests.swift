// Wingmirror · Apache-2.0

import AnswerComparison
import Foundation
import MirrorDispatch
import TestSupport
import Testing
import TrafficModel

@testable import ShadowTesting

/// Targets that fail in every way there is.
@Suite(.timeLimit(.minutes(20)))
struct MirrorFaultTests {
    private typealias Fixtures = DispatchFixtures

    /// A way to fail, and the outcome that it counts as.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let conduct: Conduct
        let outcome: ShadowFailure
        var timeout: Duration = .seconds(600)

        static let all = [
            Fault(testDescription: "resets the connection", conduct: .reset, outcome: .reset),
            Fault(testDescription: "closes without an answer", conduct: .octets([]), outcome: .reset),
            Fault(
                testDescription: "closes in the middle of the content",
                conduct: .octets(Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".utf8)),
                outcome: .reset
            ),
            Fault(
                testDescription: "closes in the middle of a chunk",
                conduct: .octets(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nabc".utf8)),
                outcome: .reset
            ),
            Fault(
                testDescription: "speaks no HTTP",
                conduct: .octets(Array("220 mail\r\n\r\n".utf8)),
                outcome: .malformed
            ),
            Fault(
                testDescription: "sends a broken chunk size",
                conduct: .octets(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".utf8)),
                outcome: .malformed
            ),
            Fault(
                testDescription: "sends a huge head",
                conduct: .octets(
                    Array(("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 300_000) + "\r\n\r\n").utf8)
                ),
                outcome: .malformed
            ),
            // The request must arrive within this time, however busy the machine is.
            Fault(testDescription: "never answers", conduct: .hang, outcome: .timeout, timeout: .seconds(3)),
            Fault(
                testDescription: "stops after the head",
                conduct: .hangAfterHead,
                outcome: .timeout,
                timeout: .seconds(3)
            ),
        ]
    }

    @Test func `a request on a connection that was closed after an answer is sent once more, on a new one`()
        async throws
    {
        try await StagingServer.with { request in
            request.target.hasSuffix("last") && request.fields.allSatisfy { $0.0.lowercased() != "connection" }
                ? .octets([]) : .answer(status: 200)
        } _: { port, requests in
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                limits: DispatchRig.quickLimits
            ) { rig in
                func answer(_ target: String) async throws -> ShadowAnswer {
                    let finished = try #require(await rig.outcome(of: Fixtures.exchange("GET", target)))
                    guard case .sent(let answer)? = finished.fates.first?.outcome else { throw CancellationError() }
                    return answer
                }
                let first = try await answer("/first")
                #expect(first.response?.status == 200 && !first.isOfSecondSending)
                let second = try await answer("/last")
                #expect(second.response?.status == 200 && second.isOfSecondSending)
                #expect(requests.all.map(\.target) == ["/first", "/last", "/last"])
                #expect(requests.connectionCount == 2)
                let third = try await answer("/last")
                #expect(third.response == nil, "a new connection that is closed is a failure")
                let lane = rig.lane
                #expect(lane.sent == 3 && lane.sentAgain == 1 && lane.isConserved)
            }
        }
    }

    @Test(arguments: Fault.all) func `every failure has its outcome, and is not tried again`(fault: Fault) async throws
    {
        try await StagingServer.with { _ in
            fault.conduct
        } _: { port, requests in
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port, timeout: fault.timeout)],
                limits: DispatchRig.quickLimits
            ) { rig in
                for count in 1...3 {
                    let finished = try #require(await rig.outcome(of: Fixtures.exchange()))
                    #expect(finished.failure == fault.outcome)
                    #expect(requests.all.count == count)
                }
                let lane = rig.lane
                #expect(lane.failed == [fault.outcome: 3] && lane.sent == 3 && lane.isConserved)
                #expect(requests.connectionCount == 3)
            }
        }
    }

    @Test(arguments: [true, false])
    func `of an answer that is longer than the limit the rest is not read, and it is an answer`(
        isEndless: Bool
    ) async throws {
        try await StagingServer.with { _ in
            isEndless ? .endless : .answer(status: 200, content: [UInt8](repeating: 0x61, count: 6 << 20))
        } _: { port, requests in
            var limits = DispatchRig.quickLimits
            limits.answerOctets = 4 << 20
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                limits: limits
            ) { rig in
                for count in 1...3 {
                    let response = try #require(await rig.outcome(of: Fixtures.exchange())?.response)
                    #expect(
                        response.status == 200 && response.message.contentIsOpen && !response.message.contentIsWhole
                    )
                    #expect((4 << 20...6 << 20).contains(response.message.contentOctets))
                    #expect(response.message.content.count == Fixtures.policy().comparison.maximumContentOctets)
                    // A connection on which the rest may still come is of no more use.
                    #expect(requests.connectionCount == count)
                }
                #expect(rig.lane.answered == 3 && rig.lane.failed.isEmpty && rig.lane.isConserved)
                #expect(!rig.queue.figures(now: 0).targets[0].breakerIsOpen)
            }
        }
    }

    @Test func `an endless answer ends by the time as well`() async throws {
        try await StagingServer.with { _ in
            .endless
        } _: { port, _ in
            var limits = DispatchRig.quickLimits
            limits.answerOctets = .max
            let target = Fixtures.target(port: port, timeout: .milliseconds(100))
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target], limits: limits) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .timeout)
            }
        }
    }

    /// In a process of its own: other tests' memory would count too.
    @Test(.enabled(if: residentOctets != nil, "the system does not tell how much memory is in use"))
    func `memory stays flat whatever a target sends`() async {
        await #expect(processExitsWith: .success) {
            try await StagingServer.with { _ in
                .endless
            } _: { port, _ in
                var limits = DispatchRig.quickLimits
                limits.answerOctets = 1 << 20
                var policy = Fixtures.policy()
                policy.comparison.maximumContentOctets = 4 << 10
                var target = Fixtures.target(port: port)
                target.inFlight = 8
                try await DispatchRig.run(policies: [policy], targets: [target], limits: limits) { rig in
                    _ = await rig.outcome(of: Fixtures.exchange())
                    let before = try #require(residentOctets)
                    rig.deliver((0..<200).map { _ in Fixtures.exchange() })
                    await rig.allEnded()
                    // 200 MiB came.
                    #expect(try #require(residentOctets) - before < 50 << 20)
                    #expect(rig.lane.isConserved && rig.lane.answered > 1)
                }
            }
        }
    }

    @Test func `a port where nobody listens is a failure to connect`() async throws {
        let closed = try ClosedPort()
        try await DispatchRig.run(
            policies: [Fixtures.policy()],
            targets: [Fixtures.target(port: closed.port)]
        ) { rig in
            #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .connect)
            #expect(rig.lane.failed == [.connect: 1])
        }
    }

    @Test func `a connection that does not come about in time is a failure to connect`() async throws {
        var target = Fixtures.target(port: 9)
        target.connectTimeout = .milliseconds(50)
        // An address of documentation (RFC 5737), to which nothing is routed; some hosts refuse it at once.
        try await DispatchRig.run(
            policies: [Fixtures.policy()],
            targets: [target],
            resolver: FixedResolver(["192.0.2.1"])
        ) { rig in
            // Given up where this process itself stood still meanwhile.
            let failure = await rig.outcome(of: Fixtures.exchange())?.failure
            #expect(failure == .connect || failure == .cancelled)
        }
    }

    @Test func `no more requests are in flight than allowed`() async throws {
        try await StagingServer.with { _ in
            .hang
        } _: { port, requests in
            var target = Fixtures.target(port: port)
            target.inFlight = 3
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [target]) { rig in
                rig.deliver((0..<20).map { _ in Fixtures.exchange() })
                await rig.arrivals(3, at: requests)
                let lane = rig.lane
                #expect(lane.inFlight == 3 && lane.queued == 17 && lane.isConserved)
                #expect(requests.all.count == 3)
            }
        }
    }

    // MARK: - The kill switch

    @Test func `a pause ends what is in flight, and nothing is sent after it`() async throws {
        try await StagingServer.with {
            $0.target == "/hang" ? .hang : .answer(status: 200)
        } _: { port, requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) { rig in
                rig.deliver((0..<10).map { _ in Fixtures.exchange("GET", "/hang") })
                await rig.arrivals(10, at: requests)

                rig.queue.pause(.request, now: rig.clock.now)
                for _ in 0..<10 { #expect(await rig.nextFinished()?.failure == .cancelled) }
                rig.deliver((0..<10).map { _ in Fixtures.exchange() })
                var lane = rig.lane
                #expect(lane.sent == 10 && lane.failed == [.cancelled: 10] && lane.dropped == [.paused: 10])
                #expect(lane.isConserved && requests.all.count == 10)

                rig.queue.resume(.request)
                #expect(await rig.outcome(of: Fixtures.exchange("GET", "/after"))?.response?.status == 200)
                lane = rig.lane
                #expect(lane.sent == 11 && requests.all.map(\.target).filter { $0 != "/hang" } == ["/after"])
            }
        }
    }

    @Test func `a pause that ends by itself does so without anybody's help`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 200)
        } _: { port, requests in
            try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange()) != nil)
                let now = rig.clock.now
                rig.queue.pause(.egress, until: now + 30_000_000, now: now)
                rig.deliver([Fixtures.exchange()])
                rig.clock.advance(nanoseconds: 29_999_999)
                #expect(rig.lane.queued == 1 && requests.all.count == 1)
                rig.clock.advance(nanoseconds: 1)
                #expect(await rig.nextFinished()?.response?.status == 200)
                #expect(requests.all.count == 2)
            }
        }
    }

    @Test func `the end gives what is in flight a bounded while`() async throws {
        try await StagingServer.with { _ in
            .hang
        } _: { port, requests in
            var limits = DispatchRig.quickLimits
            limits.drainTime = .milliseconds(20)
            let queue = try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                limits: limits
            ) { rig in
                rig.deliver((0..<5).map { _ in Fixtures.exchange() })
                await rig.arrivals(5, at: requests)
                return rig.queue
            }
            let figures = queue.figures(now: 0)
            #expect(figures.lanes[0].failed == [.cancelled: 5] && figures.lanes[0].isConserved)
            #expect(figures.heldOctets == 0)
        }
    }
}

/// The memory that this process holds, in octets.
private var residentOctets: Int? {
    let figures = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return figures.flatMap { $0.count > 1 ? Int($0[1]).map { $0 * 4096 } : nil }
}
