// Wingmirror · Apache-2.0

import AnswerComparison
import OctetText
import Testing
import TrafficModel

@testable import ShadowTesting

/// Random histories of the queue, checked after every step.
@Suite struct MirrorConservationTests {
    @Test(arguments: 0..<12) func `every request is counted exactly once at any moment`(seed: UInt64) {
        var history = History(seed: seed)
        for _ in 0..<4000 {
            history.step()
            history.check("seed \(seed)")
        }
        history.finish()
        history.check("seed \(seed), after the end")
        let figures = history.queue.figures(now: history.now)
        #expect(figures.heldOctets == 0 && figures.heldExchanges == 0, "seed \(seed)")
        #expect(figures.lanes.allSatisfy { $0.queued == 0 && $0.inFlight == 0 }, "seed \(seed)")
        #expect(figures.targets.allSatisfy { $0.busyPlaces == 0 && $0.queuedOctets == 0 }, "seed \(seed)")
    }

    /// A queue to which everything that can happen happens at random, and what it should have counted.
    private struct History {
        let queue: MirrorQueue
        var now: Int64 = 0
        private var random: SeededGenerator
        private var outbox: MirrorOutbox
        private var edition = 1
        private var policies: [MirrorPolicy] = []
        private var taken: [MirrorCopy] = []
        private var inFlight: [MirrorCopy] = []
        private var repeating: [MirrorCopy] = []
        /// By lane, what was told to the queue and must be considered.
        private var told: [MirrorLane: UInt64] = [:]
        private var before: [MirrorLane: LaneFigures] = [:]

        init(seed: UInt64) {
            random = SeededGenerator(seed: seed)
            var limits = MirrorQueue.Limits()
            limits.octets = 200_000
            limits.exchanges = 60
            limits.egressOctetsPerSecond = 20_000
            queue = MirrorQueue(limits: limits, seed: seed)
            outbox = MirrorOutbox(edition: 1, policyCount: 2)
            reload()
        }

        // MARK: - Events

        mutating func step() {
            now += Int64.random(in: 0...50_000_000, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: deliver()
            case 30..<60: take()
            case 60..<75: send()
            case 75..<92: end()
            case 92: reload()
            case 93: queue.pause(anyReason(), until: now + Int64.random(in: 0...second, using: &random), now: now)
            case 94: queue.pause(anyReason(), now: now)
            case 95, 96: PauseReason.allCases.forEach(queue.resume)
            case 97: queue.found(anyTarget(), .refused(why: "by chance"))
            case 98: queue.found(anyTarget(), .allowed(address: "192.0.2.2"))
            default: judge()
            }
        }

        private let second = MirrorFixtures.second
        private let names = ["a", "b", "c"]

        private mutating func anyTarget() -> String { names[Int.random(in: 0..<3, using: &random)] }

        private mutating func anyReason() -> PauseReason {
            PauseReason.allCases[Int.random(in: 0..<PauseReason.allCases.count, using: &random)]
        }

        private mutating func reload() {
            edition += 1
            let chosen = names.filter { _ in Bool.random(using: &random) }
            var first = MirrorFixtures.policy("one", to: chosen.isEmpty ? ["a"] : chosen)
            first.repeatShare = 0.5
            first.ratePerSecond = Bool.random(using: &random) ? 200 : nil
            policies = [first]
            if Bool.random(using: &random) { policies.append(MirrorFixtures.policy("two", to: ["b"], baseline: "c")) }
            let targets = names.map { name in
                var target = MirrorFixtures.target(name, rate: 100)
                target.inFlight = 4
                target.queueOctets = 30_000
                target.dropsFirst = Bool.random(using: &random) ? .oldest : .newest
                target.breaker.window = 5
                target.breaker.rest = .seconds(1)
                target.ramp.steps = [0.5]
                target.ramp.hold = .seconds(1)
                return target
            }
            queue.replacePlan(edition: edition, policies: policies, targets: targets)
            for name in names { queue.found(name, .allowed(address: "192.0.2.1")) }
            outbox.planReplaced(edition: edition, policyCount: policies.count)
        }

        private func lanes(of policy: Int) -> [MirrorLane] {
            let names = policies[policy].targets + [policies[policy].baseline].compactMap(\.self)
            return names.map { MirrorLane(policy: policies[policy].name, target: $0) }
        }

        private mutating func deliver() {
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let policy = Int.random(in: 0..<policies.count, using: &random)
                for lane in lanes(of: policy) { told[lane, default: 0] += 1 }
                switch Int.random(in: 0..<4, using: &random) {
                case 0: outbox.tallies.requestNotSampled(policy: policy)
                case 1: outbox.tallies.requestFiltered(.path, policy: policy)
                default:
                    let octets = Int.random(in: 0...8000, using: &random)
                    outbox.exchangeSampled(
                        MirrorFixtures.sampled(
                            MirrorFixtures.exchange(Bool.random(using: &random) ? "GET" : "POST", octets: octets),
                            policy: policy,
                            edition: edition,
                            key: random.next()
                        )
                    )
                }
            }
            _ = queue.deliver(&outbox, now: now)
        }

        private mutating func take() {
            if case .copy(let copy) = queue.take(for: anyTarget(), now: now) { taken.append(copy) }
        }

        private mutating func send() {
            guard let copy = taken.popLast() else { return }
            if Int.random(in: 0..<10, using: &random) == 0 {
                queue.found(copy, notEligible: .redaction)
            } else if queue.beginSending(copy, octets: 1000, redactedValues: 1, now: now) {
                inFlight.append(copy)
            }
        }

        private mutating func end() {
            if let copy = repeating.popLast() {
                queue.ended(copy, first: anyAnswer(), repeated: anyAnswer(), octets: 10, now: now)
            }
            guard !inFlight.isEmpty else { return }
            let copy = inFlight.remove(at: Int.random(in: 0..<inFlight.count, using: &random))
            if queue.ended(copy, anyAnswer(), now: now) { repeating.append(copy) }
        }

        private mutating func anyAnswer() -> ShadowAnswer {
            let failures = ShadowFailure.allCases
            switch Int.random(in: 0..<10, using: &random) {
            case 0: return ShadowAnswer(result: .failure(failures[Int.random(in: 0..<failures.count, using: &random)]))
            case 1: return MirrorFixtures.answer(503)
            case 2: return MirrorFixtures.answer(429)
            default: return MirrorFixtures.answer(200)
            }
        }

        private func judge() {
            while let finished = queue.takeFinished() { queue.judged(finished) }
        }

        mutating func finish() {
            queue.end()
            deliver()
            while !taken.isEmpty { send() }
            while !inFlight.isEmpty || !repeating.isEmpty { end() }
            judge()
        }

        // MARK: - Checks

        mutating func check(_ comment: Comment) {
            let figures = queue.figures(now: now)
            #expect(figures.heldOctets <= figures.budgetOctets && figures.heldOctets >= 0, comment)
            for lane in figures.lanes {
                #expect(lane.isConserved, comment)
                #expect(lane.considered == told[lane.lane, default: 0], comment)
                if let before = before[lane.lane] {
                    #expect(lane.isAfter(before), "a counter fell; \(comment)")
                }
                before[lane.lane] = lane
            }
            let busy = figures.targets.reduce(0) { $0 + $1.busyPlaces }
            #expect(busy == taken.count + inFlight.count + repeating.count, comment)
            #expect(figures.lanes.reduce(0) { $0 + $1.inFlight } == UInt64(inFlight.count), comment)
        }
    }
}

extension LaneFigures {
    /// Whether no counter is less than it was.
    fileprivate func isAfter(_ before: LaneFigures) -> Bool {
        considered >= before.considered && notSampled >= before.notSampled && sent >= before.sent
            && answered >= before.answered && repeatsAnswered >= before.repeatsAnswered
            && before.filtered.allSatisfy { filtered[$0.key, default: 0] >= $0.value }
            && before.dropped.allSatisfy { dropped[$0.key, default: 0] >= $0.value }
            && before.failed.allSatisfy { failed[$0.key, default: 0] >= $0.value }
    }
}
