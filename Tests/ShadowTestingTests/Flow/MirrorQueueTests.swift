// Wingmirror · Apache-2.0

import AnswerComparison
import Testing
import TrafficModel

@testable import ShadowTesting

@Suite(.timeLimit(.minutes(20)))
struct MirrorQueueTests {
    private typealias Fixtures = MirrorFixtures
    private let second = MirrorFixtures.second

    // MARK: - The way of a copy

    @Test func `a copy is queued, then in flight, then answered, at each of two targets`() throws {
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["a", "b"])],
            targets: [Fixtures.target("a"), Fixtures.target("b")]
        )
        queue.deliver([Fixtures.sampled()], now: 0)
        #expect(queue.figures(now: 0).lanes.map(\.queued) == [1, 1])
        #expect(queue.figures(now: 0).heldExchanges == 1)

        let first = try #require(queue.send(to: "a", now: second))
        #expect(first.ticket.intendedTime == 0)
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.queued == 0 && lane.sent == 1 && lane.inFlight == 1 && lane.isConserved)
        #expect(queue.figures(now: 0).targets[0].queueWait.sum == 1e9)

        let isRepeated = queue.ended(first, Fixtures.answer(200), now: 2 * second)
        #expect(!isRepeated)
        #expect(queue.takeFinished() == nil, "the other target has not answered")
        let other = try #require(queue.send(to: "b", now: second))
        _ = queue.ended(other, ShadowAnswer(result: .failure(.timeout)), now: 2 * second)
        let finished = try #require(queue.takeFinished())
        #expect(finished.fates.map(\.target) == ["a", "b"])
        #expect(queue.lane("orders", "a")?.answered == 1)
        #expect(queue.lane("orders", "b")?.failed == [.timeout: 1])
        #expect(queue.figures(now: 0).heldExchanges == 1)
        queue.judged(finished)
        #expect(queue.figures(now: 0).heldExchanges == 0)
        #expect(queue.figures(now: 0).heldOctets == 0)
    }

    @Test func `the fates of an exchange name the baseline`() throws {
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["new"], baseline: "old")],
            targets: [Fixtures.target("new"), Fixtures.target("old")]
        )
        queue.deliver([Fixtures.sampled()], now: 0)
        for target in ["old", "new"] {
            let copy = try #require(queue.send(to: target, now: 0))
            _ = queue.ended(copy, Fixtures.answer(target == "old" ? 200 : 500), now: 0)
        }
        let finished = try #require(queue.takeFinished())
        #expect(finished.fates.map(\.isBaseline) == [false, true])
        #expect(finished.baseline?.response?.status == 200)
        #expect(queue.lane("orders", "old")?.isBaseline == true)
    }

    @Test func `what turns out not to be eligible when it is built is filtered`() throws {
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        queue.deliver([Fixtures.sampled()], now: 0)
        guard case .copy(let copy) = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "no copy") }
        #expect(queue.lane("orders", "a")?.queued == 1, "still queued while it is built")
        queue.found(copy, notEligible: .redaction)
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.filtered == [.redaction: 1] && lane.isConserved)
        #expect(queue.takeFinished() == nil)
        #expect(queue.figures(now: 0).heldExchanges == 0)
    }

    @Test func `tallies count for every lane of their policy`() throws {
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["a", "b"])],
            targets: [Fixtures.target("a"), Fixtures.target("b")]
        )
        var outbox = MirrorOutbox(edition: 1, policyCount: 1)
        outbox.tallies.requestFiltered(.method, policy: 0)
        outbox.tallies.requestFiltered(.method, policy: 0)
        outbox.tallies.requestNotSampled(policy: 0)
        #expect(queue.deliver(&outbox, now: 0))
        #expect(outbox.isEmpty)
        for lane in queue.figures(now: 0).lanes {
            #expect(lane.considered == 3 && lane.filtered == [.method: 2] && lane.notSampled == 1 && lane.isConserved)
        }
    }

    // MARK: - Bounds

    @Test(arguments: [MirrorTarget.Dropped.newest, .oldest])
    func `a full queue drops from the end that is set`(end: MirrorTarget.Dropped) throws {
        var target = Fixtures.target("a")
        target.dropsFirst = end
        var limits = MirrorQueue.Limits()
        limits.copiesPerTarget = 3
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target], limits: limits)
        queue.deliver((0..<5).map { Fixtures.sampled(key: UInt64($0)) }, now: 0)
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.queued == 3 && lane.dropped == [.queueFull: 2] && lane.isConserved)
        var keys: [UInt64] = []
        while let copy = queue.send(to: "a", now: 0) { keys.append(copy.ticket.sampled.keyHash) }
        #expect(keys == (end == .newest ? [0, 1, 2] : [2, 3, 4]))
    }

    @Test func `octets are bounded for each target and over all of them, until judged`() throws {
        let size = Fixtures.exchange(octets: 100_000).octetsInMemory
        var small = Fixtures.target("a")
        small.queueOctets = 2 * size
        var limits = MirrorQueue.Limits()
        limits.octets = 3 * size
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["a", "b"])],
            targets: [small, Fixtures.target("b")],
            limits: limits
        )
        queue.deliver((0..<5).map { _ in Fixtures.sampled(Fixtures.exchange(octets: 100_000)) }, now: 0)
        let figures = queue.figures(now: 0)
        #expect(figures.lanes.map(\.queued) == [2, 3])
        #expect(figures.heldOctets == 3 * size && figures.heldOctets <= figures.budgetOctets)
        #expect(figures.targets.map(\.queuedOctets) == [2 * size, 3 * size])

        // In flight and not yet judged still count.
        for target in ["a", "b"] {
            let copy = try #require(queue.send(to: target, now: 0))
            _ = queue.ended(copy, Fixtures.answer(200), now: 0)
        }
        #expect(queue.figures(now: 0).heldOctets == 3 * size)
        let finished = try #require(queue.takeFinished())
        queue.judged(finished)
        #expect(queue.figures(now: 0).heldOctets == 2 * size)
    }

    @Test func `no more waits than the rate can send within the backlog`() throws {
        var limits = MirrorQueue.Limits()
        limits.backlog = .seconds(2)
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["a"])],
            targets: [Fixtures.target("a", rate: 10)],
            limits: limits
        )
        queue.deliver((0..<50).map { _ in Fixtures.sampled() }, now: 0)
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.queued == 20 && lane.dropped == [.rate: 30])
        #expect(queue.figures(now: 0).targets[0].queueCapacity == 20)
    }

    @Test func `a target gets no more than its rate and its places`() throws {
        var target = Fixtures.target("a", rate: 10)
        target.inFlight = 3
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target])
        queue.deliver((0..<40).map { _ in Fixtures.sampled() }, now: 0)
        let first = try #require(queue.send(to: "a", now: 0))
        guard case .wait(let until?) = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "no wait") }
        #expect(abs(until - second / 10) < 10)
        #expect(queue.send(to: "a", now: until) != nil)
        #expect(queue.send(to: "a", now: 2 * until) != nil)
        guard case .wait(nil) = queue.take(for: "a", now: 9 * until) else { return #expect(Bool(false), "no place") }
        _ = queue.ended(first, Fixtures.answer(200), now: 9 * until)
        #expect(queue.send(to: "a", now: 9 * until) != nil)
    }

    @Test func `a policy's rate drops for all its targets`() throws {
        var policy = Fixtures.policy(to: ["a", "b"])
        policy.ratePerSecond = 5
        let queue = Fixtures.queue(policies: [policy], targets: [Fixtures.target("a"), Fixtures.target("b")])
        queue.deliver((0..<20).map { _ in Fixtures.sampled() }, now: 0)
        queue.deliver((0..<20).map { _ in Fixtures.sampled() }, now: second)
        for lane in queue.figures(now: second).lanes { #expect(lane.queued == 10 && lane.dropped == [.rate: 30]) }
    }

    @Test func `a copy that waited too long is not sent`() throws {
        var policy = Fixtures.policy(to: ["a"])
        policy.comparison.maximumLag = .seconds(30)
        let queue = Fixtures.queue(policies: [policy], targets: [Fixtures.target("a")])
        queue.deliver([Fixtures.sampled()], now: 0)
        queue.deliver([Fixtures.sampled(key: 9)], now: 1)
        let copy = try #require(queue.send(to: "a", now: 30 * second + 1))
        #expect(copy.ticket.sampled.keyHash == 9)
        #expect(queue.lane("orders", "a")?.dropped == [.expired: 1])
    }

    @Test func `a full outbox counts what it leaves out`() throws {
        var limits = MirrorOutbox.Limits()
        limits.exchanges = 2
        var outbox = MirrorOutbox(edition: 1, policyCount: 1, limits: limits)
        for _ in 0..<5 { outbox.exchangeSampled(Fixtures.sampled()) }
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        #expect(queue.deliver(&outbox, now: 0))
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.considered == 5 && lane.queued == 2 && lane.dropped == [.queueFull: 3] && lane.isConserved)
    }

    @Test func `requests that were never sent are told by route, for the coverage of verdicts`() throws {
        var limits = MirrorQueue.Limits()
        limits.copiesPerTarget = 2
        limits.routes = 2
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["a"])],
            targets: [Fixtures.target("a")],
            limits: limits
        )
        for route in ["#1", "#2", "#3", "#4", "#1"] {
            queue.deliver([Fixtures.sampled(Fixtures.exchange(route: route))], now: 0)
        }
        let copy = try #require(queue.send(to: "a", now: 0))
        queue.pause(.request, now: 0)
        _ = queue.ended(copy, ShadowAnswer(result: .failure(.cancelled)), now: 0)
        // The first was sent, the second waited at the pause, and the others found the queue full; there is room for two.
        let route = { RouteName(virtualServiceNamespace: "shop", virtualService: "orders", route: $0) }
        let dropped = try #require(queue.lane("orders", "a")).droppedByRoute
        let count = { (route: RouteName) in dropped[route]?.values.reduce(0, +) }
        #expect(count(route("#3")) == 1 && count(route("#4")) == 1 && count(RouteName()) == 2)
        #expect(queue.takeFinished() != nil)
    }

    @Test func `sizes of what was sent and dropped show the sample's bias`() throws {
        var target = Fixtures.target("a")
        target.queueOctets = 10_000
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target])
        queue.deliver(
            [Fixtures.sampled(Fixtures.exchange(octets: 0)), Fixtures.sampled(Fixtures.exchange(octets: 1 << 20))],
            now: 0
        )
        #expect(queue.send(to: "a", now: 0) != nil)
        let figures = queue.figures(now: 0).targets[0]
        #expect(figures.sentSizes.counts.first == 1 && figures.sentSizes.count == 1)
        #expect(figures.droppedSizes.sum == Double(1 << 20) && figures.droppedSizes.count == 1)
    }

    // MARK: - Rests

    @Test func `a breaker that opens drops what waits and what comes, and then lets one probe through`() throws {
        var target = Fixtures.target("a")
        target.breaker.window = 2
        target.breaker.rest = .seconds(10)
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target])
        queue.deliver((0..<5).map { _ in Fixtures.sampled() }, now: 0)
        for _ in 0..<2 {
            let copy = try #require(queue.send(to: "a", now: 0))
            _ = queue.ended(copy, ShadowAnswer(result: .failure(.connect)), now: 0)
        }
        #expect(queue.figures(now: 0).targets[0].breakerIsOpen)
        #expect(queue.lane("orders", "a")?.dropped == [.breaker: 3])
        #expect(queue.lane("orders", "a")?.samplingRatio == 0)

        // Half of what comes may be left out by the back-off; those with these keys are not.
        queue.deliver((0..<4).map { _ in Fixtures.sampled() }, now: 10 * second)
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.queued + (lane.dropped[.ramp] ?? 0) >= 1 && lane.isConserved)
    }

    @Test func `an error that production gives too is no failure of the target`() throws {
        var target = Fixtures.target("a")
        target.breaker.window = 1
        target.breaker.errorShare = 0
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target])
        queue.deliver([Fixtures.sampled(Fixtures.exchange(status: 500)), Fixtures.sampled()], now: 0)
        for isOpen in [false, true] {
            let copy = try #require(queue.send(to: "a", now: 0))
            _ = queue.ended(copy, Fixtures.answer(500), now: 0)
            #expect(queue.figures(now: 0).targets[0].breakerIsOpen == isOpen)
        }
    }

    @Test func `a request that takes production longer than a copy is given teaches neither breaker nor back-off`()
        throws
    {
        var target = Fixtures.target("a")
        target.breaker.window = 2
        target.breaker.errorShare = 0
        for (seconds, isHealthy) in [(9, true), (7, false)] as [(Int64, Bool)] {
            let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target])
            var exchange = Fixtures.exchange()
            exchange.durationNanoseconds = seconds * second
            queue.deliver((0..<20).map { Fixtures.sampled(exchange, key: UInt64($0)) }, now: 0)
            while let copy = queue.send(to: "a", now: 0) {
                let answer = ShadowAnswer(result: .failure(.timeout), durationNanoseconds: 10 * second)
                _ = queue.ended(copy, answer, now: 0)
            }
            #expect(queue.figures(now: 0).targets[0].breakerIsOpen != isHealthy)
            queue.deliver((0..<100).map { Fixtures.sampled(exchange, key: UInt64($0)) }, now: 2 * second)
            let lane = try #require(queue.lane("orders", "a"))
            #expect((lane.failed[.timeout] ?? 0 == 20) == isHealthy && lane.isConserved)
            #expect((lane.dropped.isEmpty) == isHealthy)
        }
    }

    @Test func `ramp and back-off leave out by key, and a smaller share is part of a larger one`() throws {
        var sent: [Set<UInt64>] = []
        for share in [0.1, 0.3, 1] {
            var target = Fixtures.target("a")
            target.ramp.steps = [share]
            let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [target])
            queue.deliver((0..<1000).map { Fixtures.sampled(key: UInt64($0)) }, now: 0)
            let lane = try #require(queue.lane("orders", "a"))
            #expect(lane.queued + (lane.dropped[.ramp] ?? 0) == 1000)
            #expect(abs(lane.samplingRatio - 0.5 * share) < 1e-9)
            var keys: Set<UInt64> = []
            while let copy = queue.send(to: "a", now: 0) {
                keys.insert(copy.ticket.sampled.keyHash)
                _ = queue.ended(copy, Fixtures.answer(200), now: 0)
            }
            sent.append(keys)
        }
        #expect(sent[0].isSubset(of: sent[1]) && sent[1].isSubset(of: sent[2]))
        // Three standard deviations of 1,000 draws.
        #expect(abs(sent[0].count - 100) < 29 && abs(sent[1].count - 300) < 44 && sent[2].count == 1000)
    }

    // MARK: - Pauses

    @Test func `a pause drops what waits and what comes, and nothing is sent after it`() throws {
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        queue.deliver((0..<4).map { _ in Fixtures.sampled() }, now: 0)
        let inFlight = try #require(queue.send(to: "a", now: 0))
        guard case .copy(let built) = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "no copy") }
        queue.pause(.request, now: 0)
        #expect(
            !queue.beginSending(built, octets: 1, redactedValues: 0, now: 0),
            "built, and stopped at the last moment"
        )
        guard case .stop(nil) = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "not stopped") }
        queue.deliver([Fixtures.sampled()], now: 0)
        _ = queue.ended(inFlight, ShadowAnswer(result: .failure(.cancelled)), now: 0)
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.sent == 1 && lane.failed == [.cancelled: 1] && lane.dropped == [.paused: 4] && lane.isConserved)
        #expect(queue.figures(now: 0).pauseReasons == [.request])

        queue.resume(.request)
        queue.deliver([Fixtures.sampled()], now: 0)
        #expect(queue.send(to: "a", now: 0) != nil)
    }

    @Test func `too many octets make copies wait without cancelling anything`() throws {
        var limits = MirrorQueue.Limits()
        limits.egressOctetsPerSecond = 1000
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["a"])],
            targets: [Fixtures.target("a")],
            limits: limits
        )
        queue.deliver((0..<3).map { _ in Fixtures.sampled() }, now: 0)
        #expect(queue.send(to: "a", octets: 1500, now: 0) != nil)
        guard case .wait(let until?) = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "no wait") }
        #expect(until == second / 2)
        #expect(queue.figures(now: 0).pauseReasons == [.egress])
        #expect(queue.send(to: "a", now: until) != nil)
        #expect(queue.lane("orders", "a")?.queued == 1)
    }

    // MARK: - Targets and plans

    @Test func `nothing goes to a target that is not known or refused`() throws {
        let queue = MirrorQueue(seed: 1)
        queue.replacePlan(edition: 1, policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        queue.deliver([Fixtures.sampled()], now: 0)
        guard case .wait(nil) = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "not waiting") }
        queue.found("a", .refused(why: "it is production"))
        queue.deliver([Fixtures.sampled()], now: 0)
        guard case .stop = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "not stopped") }
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.sent == 0 && lane.dropped == [.targetRefused: 2] && lane.isConserved)
    }

    @Test func `a reload keeps the counts, and drops what waits for lanes that are gone`() throws {
        let queue = Fixtures.queue(
            policies: [Fixtures.policy("one", to: ["a", "b"]), Fixtures.policy("two", to: ["a"])],
            targets: [Fixtures.target("a"), Fixtures.target("b")]
        )
        queue.deliver([Fixtures.sampled(policy: 0), Fixtures.sampled(policy: 1)], now: 0)
        let inFlight = try #require(queue.send(to: "b", now: 0))
        queue.replacePlan(edition: 2, policies: [Fixtures.policy("two", to: ["a"])], targets: [Fixtures.target("a")])

        var figures = queue.figures(now: 0)
        #expect(figures.lanes.map(\.isActive) == [false, false, true])
        #expect(figures.lanes[0].dropped == [.reload: 1] && figures.lanes[1].inFlight == 1)
        #expect(figures.lanes[2].queued == 1 && figures.targets.map(\.isActive) == [true, false])
        guard case .stop(nil) = queue.take(for: "b", now: 0) else { return #expect(Bool(false), "not stopped") }
        _ = queue.ended(inFlight, Fixtures.answer(200), now: 0)

        // Requests that began before the reload end under the plan that they began with.
        queue.deliver([Fixtures.sampled(policy: 0, edition: 1), Fixtures.sampled(policy: 1, edition: 1)], now: 0)
        figures = queue.figures(now: 0)
        #expect(figures.lanes[0].dropped == [.reload: 2] && figures.lanes[1].dropped == [.reload: 1])
        #expect(figures.lanes[2].queued == 2)
        #expect(!figures.lanes.contains { !$0.isConserved })
    }

    @Test func `what was decided under a plan long gone is told as stale`() {
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        for edition in 2...40 {
            queue.replacePlan(edition: edition, policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        }
        queue.deliver([Fixtures.sampled(edition: 1), Fixtures.sampled(edition: 40)], now: 0)
        #expect(queue.figures(now: 0).staleExchanges == 1)
        #expect(queue.lane("orders", "a")?.considered == 1)
    }

    @Test func `the end drops what waits and what still comes`() throws {
        let queue = Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        queue.deliver([Fixtures.sampled()], now: 0)
        queue.end()
        queue.deliver([Fixtures.sampled()], now: 0)
        guard case .end = queue.take(for: "a", now: 0) else { return #expect(Bool(false), "not over") }
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.dropped == [.shutdown: 2] && lane.isConserved)
        #expect(queue.figures(now: 0).heldOctets == 0)
    }

    // MARK: - Order and repeats

    @Test func `targets are asked in random order, the same for the same seed`() {
        let order = { (seed: UInt64) -> [Bool] in
            let queue = Fixtures.queue(
                policies: [Fixtures.policy(to: ["a", "b"])],
                targets: [Fixtures.target("a"), Fixtures.target("b")],
                seed: seed
            )
            queue.deliver((0..<400).map { _ in Fixtures.sampled() }, now: 0)
            var isFirst: [Bool] = []
            while case .copy(let copy) = queue.take(for: "a", now: 0) {
                isFirst.append(copy.turn == 0)
                queue.found(copy, notEligible: .size)
            }
            return isFirst
        }
        let first = order(5)
        #expect(first == order(5))
        #expect(first != order(6))
        #expect(abs(first.count { $0 } - 200) < 30, "three standard deviations")
    }

    @Test func `a share of the requests is sent twice, within rate and breaker, and counted apart`() throws {
        var policy = Fixtures.policy(to: ["a"])
        policy.repeatShare = 0.25
        let queue = Fixtures.queue(policies: [policy], targets: [Fixtures.target("a")])
        queue.deliver((0..<400).map { _ in Fixtures.sampled(Fixtures.exchange("GET")) }, now: 0)
        var repeats: UInt64 = 0
        while let copy = queue.send(to: "a", now: 0) {
            guard queue.ended(copy, Fixtures.answer(200), now: 0) else { continue }
            #expect(queue.figures(now: 0).targets[0].busyPlaces == 1, "the second copy has the place of the first")
            queue.ended(copy, first: Fixtures.answer(200), repeated: Fixtures.answer(201), octets: 1, now: 0)
            repeats += 1
        }
        let lane = try #require(queue.lane("orders", "a"))
        #expect(lane.repeatsAnswered == repeats && lane.answered == 400 && lane.sent == 400 && lane.isConserved)
        #expect(abs(Int(repeats) - 100) < 26, "three standard deviations")
        var withRepeat: UInt64 = 0
        while let finished = queue.takeFinished() {
            withRepeat += finished.fates[0].repeated == nil ? 0 : 1
            queue.judged(finished)
        }
        #expect(withRepeat == repeats)
    }

    @Test(arguments: [("GET", true), ("HEAD", true), ("OPTIONS", true), ("POST", false), ("DELETE", false)])
    func `only what changes nothing is sent twice`(method: String, isSentTwice: Bool) throws {
        var policy = Fixtures.policy(to: ["a"])
        policy.repeatShare = 1
        let queue = Fixtures.queue(policies: [policy], targets: [Fixtures.target("a")])
        queue.deliver([Fixtures.sampled(Fixtures.exchange(method))], now: 0)
        let copy = try #require(queue.send(to: "a", now: 0))
        let isRepeated = queue.ended(copy, Fixtures.answer(200), now: 0)
        #expect(isRepeated == isSentTwice)
    }

    @Test func `a baseline whose copy was left out at once says why`() throws {
        let queue = Fixtures.queue(
            policies: [Fixtures.policy(to: ["new"], baseline: "old")],
            targets: [Fixtures.target("new"), Fixtures.target("old", rate: 1)]
        )
        queue.deliver((0..<10).map { _ in Fixtures.sampled() }, now: 0)
        while let copy = queue.send(to: "new", now: 0) { _ = queue.ended(copy, Fixtures.answer(200), now: 0) }
        var reasons: [DropReason?] = []
        while let finished = queue.takeFinished() {
            #expect(finished.fates.map(\.target) == ["new", "old"] && finished.baseline == nil)
            reasons.append(finished.fates.last?.dropReason)
            queue.judged(finished)
        }
        #expect(!reasons.isEmpty && reasons.allSatisfy { $0 == .rate })
        #expect(queue.lane("orders", "old")?.isConserved == true)
    }

    @Test func `a policy with a baseline sends nothing twice`() throws {
        var policy = Fixtures.policy(to: ["a"], baseline: "b")
        policy.repeatShare = 1
        let queue = Fixtures.queue(policies: [policy], targets: [Fixtures.target("a"), Fixtures.target("b")])
        queue.deliver([Fixtures.sampled()], now: 0)
        for target in ["a", "b"] {
            let copy = try #require(queue.send(to: target, now: 0))
            let isRepeated = queue.ended(copy, Fixtures.answer(200), now: 0)
            #expect(!isRepeated)
        }
    }
}
