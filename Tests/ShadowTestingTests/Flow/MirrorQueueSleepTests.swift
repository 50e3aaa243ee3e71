// Wingmirror · Apache-2.0

import ShadowTesting
import Testing
import TrafficModel

/// Waiting for the queue without asking it again and again; what is broken here shows as a test that does not end.
@Suite(.timeLimit(.minutes(20)))
struct MirrorQueueSleepTests {
    private typealias Fixtures = MirrorFixtures

    private func queue() -> MirrorQueue {
        Fixtures.queue(policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
    }

    /// Lets pass what the making of the queue was, so that the next sleep is one.
    private func settle(_ queue: MirrorQueue) async {
        await queue.change(at: "a")
        await queue.planChange()
    }

    @Test func `a change that came first is not missed`() async {
        let queue = queue()
        await settle(queue)
        queue.deliver([Fixtures.sampled()], now: 0)
        await queue.change(at: "a")
        #expect(queue.send(to: "a", now: 0) != nil)
    }

    @Test(arguments: ["copy", "end of a request", "resume", "reload", "address", "end"])
    func `whoever sleeps is woken`(event: String) async throws {
        let queue = queue()
        queue.deliver([Fixtures.sampled()], now: 0)
        let copy = try #require(queue.send(to: "a", now: 0))
        await settle(queue)
        async let woken: Void = queue.change(at: "a")
        switch event {
        case "copy": queue.deliver([Fixtures.sampled()], now: 0)
        case "end of a request": _ = queue.ended(copy, Fixtures.answer(200), now: 0)
        case "resume": queue.resume(.request)
        case "reload":
            queue.replacePlan(edition: 2, policies: [Fixtures.policy(to: ["a"])], targets: [Fixtures.target("a")])
        case "address": queue.found("a", .refused(why: "production"))
        default: queue.end()
        }
        await woken
    }

    @Test func `a task that is cancelled sleeps no longer, and the next one sleeps again`() async {
        let queue = queue()
        await settle(queue)
        let sleeping = Task { await queue.change(at: "a") }
        sleeping.cancel()
        await sleeping.value
        let judge = Task { await queue.finishedChange() }
        judge.cancel()
        await judge.value
        queue.deliver([Fixtures.sampled()], now: 0)
        await queue.change(at: "a")
    }

    @Test func `the judge is woken by an exchange that has ended, whoever waits for a plan by the next`() async throws {
        let queue = queue()
        await settle(queue)
        queue.deliver([Fixtures.sampled()], now: 0)
        let copy = try #require(queue.send(to: "a", now: 0))
        async let finished: Void = queue.finishedChange()
        _ = queue.ended(copy, Fixtures.answer(200), now: 0)
        await finished
        #expect(queue.takeFinished() != nil)

        async let replaced: Void = queue.planChange()
        queue.replacePlan(edition: 2, policies: [], targets: [])
        await replaced
        #expect(queue.activeTargets.isEmpty)
    }
}
