// Wingmirror · Apache-2.0

import MirrorDispatch
import Synchronization
import TestSupport
import Testing
import TrafficModel

@testable import ShadowTesting

/// Conservation and bounds while everything happens at once.
@Suite(.timeLimit(.minutes(20)))
struct MirrorLoadTests {
    private typealias Fixtures = DispatchFixtures

    @Test func `under load, faults, reloads, pauses and the end everything is counted once`() async throws {
        let counter = Atomic<Int>(0)
        let conducts: [Conduct] = [
            .answer(status: 200, content: [UInt8](repeating: 0x61, count: 3000)), .reset, .octets([]), .endless,
            .answer(status: 503), .octets(Array("no HTTP\r\n\r\n".utf8)), .hang, .answer(status: 200),
        ]
        let faulty: @Sendable (ReceivedRequest) -> Conduct = { _ in
            conducts[counter.wrappingAdd(1, ordering: .relaxed).oldValue % conducts.count]
        }
        try await StagingServer.with { _ in
            .answer(status: 200, content: Array("well".utf8))
        } _: { good, _ in
            try await StagingServer.with(faulty) { bad, _ in
                let targets = [
                    Fixtures.target("good", port: good), Fixtures.target("bad", port: bad, timeout: .seconds(3)),
                ]
                var policy = Fixtures.policy(to: ["good", "bad"])
                policy.repeatShare = 0.2
                var queueLimits = MirrorQueue.Limits()
                queueLimits.octets = 2 << 20
                var limits = DispatchRig.quickLimits
                limits.answerOctets = 1 << 20
                limits.keptOctets = 256 << 10
                limits.drainTime = .milliseconds(100)

                let queue = try await DispatchRig.run(
                    policies: [policy],
                    targets: targets,
                    queueLimits: queueLimits,
                    limits: limits
                ) { [policy] rig in
                    let delivered = await withTaskGroup(of: Void.self) { tasks -> Int in
                        let isOver = Atomic<Bool>(false)
                        tasks.addTask { await Self.watch(rig, until: isOver) }
                        let delivered = await Self.captureThread(rig, exchanges: 4000) { batch in
                            switch batch % 40 {
                            case 10:
                                rig.queue.replacePlan(edition: batch + 1, policies: [policy], targets: [targets[0]])
                            case 20: rig.queue.replacePlan(edition: batch + 1, policies: [policy], targets: targets)
                            case 30: rig.queue.pause(.kernelDrops, now: rig.clock.now)
                            case 33: rig.queue.resume(.kernelDrops)
                            default: break
                            }
                        }
                        isOver.store(true, ordering: .relaxed)
                        rig.bell.ring()
                        return delivered
                    }
                    #expect(delivered == 4000)
                    let good = rig.lane
                    #expect(good.considered == 4000 && good.isConserved)
                    await rig.allEnded()
                    // And some more, which the end finds waiting, being built and in flight.
                    rig.deliver((0..<200).map { _ in Fixtures.exchange() }, edition: 181)
                    return rig.queue
                }
                let figures = queue.figures(now: 0)
                #expect(figures.lanes[0].considered == 4200)
                for lane in figures.lanes {
                    #expect(lane.isConserved && lane.queued == 0 && lane.inFlight == 0)
                    #expect(lane.answered > 0)
                }
                #expect(figures.lanes[1].failed.count >= 3, "\(figures.lanes[1].failed)")
                #expect(figures.heldOctets == 0 && figures.targets.allSatisfy { $0.busyPlaces == 0 })
            }
        }
    }

    /// Looks at the counts after each change.
    @concurrent
    private static func watch(_ rig: DispatchRig, until isOver: borrowing Atomic<Bool>) async {
        await rig.bell.wait {
            let figures = rig.queue.figures(now: rig.clock.now)
            for lane in figures.lanes where !lane.isConserved { Issue.record("not conserved: \(lane)") }
            if figures.heldOctets > figures.budgetOctets { Issue.record("\(figures.heldOctets) octets held") }
            return isOver.load(ordering: .relaxed)
        }
    }

    /// Delivers batches from a thread of its own, as a capture thread does, without ever waiting for the queue.
    ///
    /// - Returns: How many exchanges were delivered.
    private static func captureThread(
        _ rig: DispatchRig,
        exchanges: Int,
        between: @escaping @Sendable (_ batch: Int) -> Void
    ) async -> Int {
        await OwnThread.run {
            var outbox = MirrorOutbox(edition: 1, policyCount: 1)
            var batch = 0
            for index in 0..<exchanges {
                outbox.exchangeSampled(
                    SampledExchange(
                        policy: 0,
                        planEdition: 1,
                        exchange: Fixtures.exchange("POST", content: [UInt8](repeating: 1, count: index % 2000)),
                        keyHash: UInt64(index)
                    )
                )
                guard index % 20 == 19 else { continue }
                batch += 1
                rig.clock.advance(nanoseconds: 1_000_000)
                rig.queue.deliver(&outbox, now: rig.clock.now)
                between(batch)
            }
            rig.queue.deliverLast(&outbox, now: rig.clock.now)
            return exchanges
        }
    }
}
