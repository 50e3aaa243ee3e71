// Wingmirror · Apache-2.0

import AnswerComparison
import Foundation
import MirrorDispatch
import Synchronization
import TestSupport
import Testing
import TrafficModel

@testable import ShadowTesting

/// Where copies go, and where they never do.
@Suite(.timeLimit(.minutes(20)))
struct TargetAddressTests {
    private typealias Fixtures = DispatchFixtures

    private var quickLimits: DispatchLimits {
        var limits = DispatchRig.quickLimits
        limits.recheckInterval = .milliseconds(5)
        limits.recheckPause = .milliseconds(5)
        return limits
    }

    @Test func `nothing is sent to a refused target, not even a connection`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 200)
        } _: { port, requests in
            let asked = Mutex<[String]>([])
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                resolver: FixedResolver(["127.0.0.1", "127.0.0.9"]),
                check: { target, addresses in
                    asked.withLock { $0 = addresses }
                    return addresses.contains("127.0.0.9") ? "127.0.0.9 is production" : nil
                }
            ) { rig in
                rig.deliver([Fixtures.exchange()])
                await rig.allEnded()
                rig.deliver([Fixtures.exchange()])
                let lane = rig.lane
                #expect(lane.dropped == [.targetRefused: 2] && lane.sent == 0 && lane.isConserved)
                #expect(rig.queue.figures(now: 0).targets[0].reach == .refused(why: "127.0.0.9 is production"))
                #expect(requests.connectionCount == 0)
                #expect(asked.withLock(\.self) == ["127.0.0.1", "127.0.0.9"])
            }
        }
    }

    @Test func `a refused target is looked at at once when more is known of what is refused`() async throws {
        try await StagingServer.with { _ in
            .answer(status: 200)
        } _: { port, _ in
            let isKnown = Mutex(false)
            let looks = TargetLooks()
            // By itself, the next look would come long after the test's time limit.
            var limits = DispatchRig.quickLimits
            limits.recheckInterval = .seconds(100_000)
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                limits: limits,
                check: { _, _ in isKnown.withLock(\.self) ? nil : "not known yet" },
                looks: looks
            ) { rig in
                await rig.reaches(.refused(why: "not known yet"))
                isKnown.withLock { $0 = true }
                looks.lookAgain()
                await rig.reaches(.allowed(address: "127.0.0.1"))
                #expect(await rig.outcome(of: Fixtures.exchange())?.response?.status == 200)
            }
        }
    }

    @Test func `a name that comes to mean another address is followed, and one that is refused is not`() async throws {
        try await StagingServer.with(host: "0.0.0.0") { _ in
            .answer(status: 200)
        } _: { port, requests in
            let resolver = FixedResolver(["127.0.0.1"])
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                limits: quickLimits,
                resolver: resolver,
                check: { $1.contains("127.0.0.3") ? "production" : nil }
            ) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange()) != nil)
                resolver.change(to: .success(["127.0.0.2"]))
                await rig.reaches(.allowed(address: "127.0.0.2"))
                #expect(await rig.outcome(of: Fixtures.exchange()) != nil)

                // A name that cannot be looked up for a while still means what it did.
                resolver.change(to: .failure(HostResolverError("no answer")))
                #expect(await rig.outcome(of: Fixtures.exchange()) != nil)
                #expect(requests.all.map(\.localAddress) == ["127.0.0.1", "127.0.0.2", "127.0.0.2"])
                #expect(Set(requests.all.flatMap { $0.values(of: "host") }) == ["staging.test:\(port)"])

                resolver.change(to: .success(["127.0.0.3"]))
                await rig.reaches(.refused(why: "production"))
                rig.deliver([Fixtures.exchange()])
                #expect(rig.lane.dropped == [.targetRefused: 1] && rig.lane.isConserved)
                #expect(requests.all.count == 3)

                resolver.change(to: .success(["127.0.0.1"]))
                await rig.reaches(.allowed(address: "127.0.0.1"))
                #expect(await rig.outcome(of: Fixtures.exchange())?.response?.status == 200)
            }
        }
    }

    @Test func `when an address does not answer the next one is used`() async throws {
        // Addresses of this test alone: on 127.0.0.1 a server of another test may listen on the same port.
        try await StagingServer.with(host: "127.0.77.2") { _ in
            .answer(status: 200)
        } _: { port, _ in
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [Fixtures.target(port: port)],
                limits: quickLimits,
                resolver: FixedResolver(["127.0.77.1", "127.0.77.2"])
            ) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .connect)
                await rig.reaches(.allowed(address: "127.0.77.2"))
                #expect(await rig.outcome(of: Fixtures.exchange())?.response?.status == 200)
            }
        }
    }

    @Test func `a name is looked up once in an interval, and not more often`() async throws {
        let resolver = CountingResolver()
        var limits = DispatchRig.quickLimits
        limits.recheckInterval = .milliseconds(20)
        limits.recheckPause = .zero
        let start = ContinuousClock.now
        try await DispatchRig.run(
            policies: [Fixtures.policy()],
            targets: [Fixtures.target(port: 1)],
            limits: limits,
            resolver: resolver
        ) { _ in
            await resolver.wasAsked(6)
            // Sleeping takes no less than it should, so five intervals have passed.
            #expect(start.duration(to: .now) >= .milliseconds(100))
        }
    }

    @Test func `a resolver that does not answer does not hold up the end`() async throws {
        let resolver = SilentResolver()
        try await DispatchRig.run(
            policies: [Fixtures.policy()],
            targets: [Fixtures.target(port: 1)],
            resolver: resolver
        ) { rig in
            rig.deliver([Fixtures.exchange()])
            await resolver.wasAsked()
            #expect(rig.reach == .unknown && rig.lane.queued == 1)
        }
        resolver.answer()
    }

    @Test func `a name without addresses is a failure to connect`() async throws {
        let resolver = FixedResolver([])
        resolver.change(to: .failure(HostResolverError("Name or service not known")))
        try await DispatchRig.run(
            policies: [Fixtures.policy()],
            targets: [Fixtures.target(port: 1)],
            resolver: resolver
        ) { rig in
            #expect(await rig.outcome(of: Fixtures.exchange())?.failure == .connect)
            #expect(rig.reach == .unresolved(why: "Name or service not known"))
        }
    }

    @Test func `the system's resolver gives numbers, and says when there are none`() async throws {
        let resolver = SystemResolver()
        #expect(try await resolver.addresses(of: "127.0.0.1") == ["127.0.0.1"])
        #expect(try await resolver.addresses(of: "::1") == ["::1"])
        #expect(try await resolver.addresses(of: "localhost").contains { $0 == "127.0.0.1" || $0 == "::1" })
        await #expect(throws: HostResolverError.self) { try await resolver.addresses(of: "no host has this name") }
    }

    @Test func `an IPv6 address is a target like any other`() async throws {
        try await StagingServer.with(host: "::1") { _ in
            .answer(status: 200)
        } _: { port, requests in
            var target = Fixtures.target(port: port)
            target.host = "::1"
            try await DispatchRig.run(
                policies: [Fixtures.policy()],
                targets: [target],
                resolver: SystemResolver()
            ) { rig in
                #expect(await rig.outcome(of: Fixtures.exchange())?.response?.status == 200)
                #expect(requests.all.first?.values(of: "host") == ["[::1]:\(port)"])
            }
        }
    }

    // MARK: - Reload

    @Test func `targets come, change and go while traffic flows`() async throws {
        try await StagingServer.with {
            $0.target == "/hang" ? .hang : .answer(status: 200)
        } _: { port, requests in
            try await StagingServer.with { _ in
                .answer(status: 201)
            } _: { other, _ in
                try await DispatchRig.run(policies: [Fixtures.policy()], targets: [Fixtures.target(port: port)]) {
                    rig in
                    rig.deliver([Fixtures.exchange("GET", "/hang")])
                    await rig.arrivals(1, at: requests)

                    // Another rate changes nothing for what is in flight; another place gives it up.
                    var changed = Fixtures.target(port: port)
                    changed.ratePerSecond = 1000
                    rig.queue.replacePlan(edition: 2, policies: [Fixtures.policy()], targets: [changed])
                    #expect(rig.lane.inFlight == 1)
                    rig.queue.replacePlan(
                        edition: 3,
                        policies: [Fixtures.policy()],
                        targets: [Fixtures.target(port: other)]
                    )
                    #expect(await rig.nextFinished()?.failure == .cancelled)
                    rig.deliver([Fixtures.exchange()], edition: 3)
                    #expect(await rig.nextFinished()?.response?.status == 201)

                    rig.queue.replacePlan(edition: 4, policies: [], targets: [])
                    rig.deliver([Fixtures.exchange()], edition: 3)
                    let lane = rig.lane
                    #expect(lane.dropped == [.reload: 1] && lane.sent == 2 && lane.isConserved && !lane.isActive)
                }
            }
        }
    }
}

/// Counts how often it is asked.
private final class CountingResolver: HostResolver {
    private let asked = Atomic<Int>(0)
    private let bell = ChangeBell()

    func wasAsked(_ count: Int) async {
        await bell.wait { asked.load(ordering: .relaxed) >= count }
    }

    func addresses(of host: String) async throws -> [String] {
        asked.add(1, ordering: .relaxed)
        bell.ring()
        return ["127.0.0.1"]
    }
}

/// Answers when told to, whatever becomes of who asked.
private final class SilentResolver: HostResolver {
    private let bell = ChangeBell()
    private let answers = Mutex<[CheckedContinuation<Void, Never>]>([])

    func addresses(of host: String) async throws -> [String] {
        await withCheckedContinuation { task in
            answers.withLock { $0.append(task) }
            bell.ring()
        }
        return ["127.0.0.1"]
    }

    func wasAsked() async {
        await bell.wait { !answers.withLock(\.isEmpty) }
    }

    func answer() {
        for task in answers.withLock({ $0 }) { task.resume() }
    }
}
