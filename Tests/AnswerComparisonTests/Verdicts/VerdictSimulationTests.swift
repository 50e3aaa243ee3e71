// Wingmirror · Apache-2.0
// What Diffy's rule misses and raises by mistake, and what the verdict does with the same data.

import OctetText
import Testing
import TrafficModel

@testable import AnswerComparison

/// Simulated routes: each answer differs from production's at each of some places with a chance of its own.
@Suite struct VerdictSimulationTests {
    /// A route with a baseline whose answers differ at `places` places.
    struct Simulation {
        var record: RouteRecord
        var generator: SeededGenerator
        let candidate: Double
        let baseline: Double
        let places: Int

        init(candidate: Double, baseline: Double, places: Int, seed: UInt64) {
            record = RouteRecord(
                lane: MirrorLane(policy: "p", target: "t"),
                route: RouteName(),
                limits: VerdictLimits()
            )
            generator = SeededGenerator(seed: seed)
            self.candidate = candidate
            self.baseline = baseline
            self.places = places
            for place in 0..<places { _ = record.places.position(of: .content("m\(place)")) }
        }

        private mutating func differences(_ chance: Double) -> UInt64 {
            (0..<places).reduce(0) { bits, place in
                generator.next() >> 11 < UInt64(chance * 0x1p53) ? bits | 1 << UInt64(place) : bits
            }
        }

        mutating func pairs(_ count: Int) {
            for _ in 0..<count {
                var vote = VoteTable.Vote(start: 0)
                record.pairs += 1
                record.designs[.baseline, default: 0] += 1
                let (first, second) = (differences(candidate), differences(baseline))
                record.voted(candidate: first, reference: second, vote: &vote, isNew: true)
            }
        }

        /// Pairs of which all three answers come from one and the same server, which at each place, with a chance of `noise`,
        /// says something that no other answer says.
        ///
        /// The first is what both others are compared with. Which of production, baseline and repeat that is differs from
        /// design to design; here all are alike, so this stands for every design.
        mutating func pairsOfOneServer(_ count: Int, noise: Double) {
            for _ in 0..<count {
                var vote = VoteTable.Vote(start: 0)
                let pivot = differences(noise)
                record.pairs += 1
                record.designs[.repeats, default: 0] += 1
                let (first, second) = (pivot | differences(noise), pivot | differences(noise))
                record.voted(candidate: first, reference: second, vote: &vote, isNew: true)
            }
        }

        func verdict(_ settings: ComparisonSettings) -> Verdict {
            record.judgement(settings: settings, limits: VerdictLimits()).0
        }
    }

    @Test(arguments: [0.0, 0.01, 0.05, 0.2, 0.5])
    func `four hundred looks at targets that are no worse raise few false alarms`(noise: Double) {
        var settings = ComparisonSettings()
        // The strictest there is: with a margin, alarms are rarer still.
        settings.margin = 0
        let trials = 40
        let alarms = (0..<trials).count { trial in
            var simulation = Simulation(candidate: noise, baseline: noise, places: 3, seed: UInt64(trial))
            return (0..<400).contains { _ in
                simulation.pairs(5)
                return simulation.verdict(settings) == .fail
            }
        }
        #expect(alarms <= trials / 20)
        if noise == 0 { #expect(alarms == 0) }
    }

    @Test(arguments: [0.02, 0.1, 0.3])
    func `answers of one server raise few false alarms, whichever of them is the pivot`(noise: Double) {
        var settings = ComparisonSettings()
        settings.margin = 0
        let trials = 40
        let alarms = (0..<trials).count { trial in
            var simulation = Simulation(candidate: 0, baseline: 0, places: 3, seed: UInt64(500 + trial))
            return (0..<400).contains { _ in
                simulation.pairsOfOneServer(5, noise: noise)
                return simulation.verdict(settings) == .fail
            }
        }
        #expect(alarms <= trials / 20)
    }

    struct Effect: Sendable, CustomTestStringConvertible {
        let baseline: Double
        let candidate: Double

        var testDescription: String { "\(baseline) against \(candidate)" }

        /// The pairs that somebody would need who knew the effect beforehand and made the best bet on it at each pair.
        func leastPairs(margin: Double, evidence: Double) -> Double {
            let worse = candidate * (1 - baseline)
            let better = baseline * (1 - candidate)
            let growth = stride(from: 0.005, to: 1, by: 0.005).map { bet in
                func gain(_ vote: Double) -> Double { (1 + bet * (vote - margin) / (1 + margin)).logarithm }
                return worse * gain(1) + better * gain(-1) + (1 - worse - better) * gain(0)
            }
            return evidence.logarithm / (growth.max() ?? 0)
        }
    }

    @Test(arguments: [
        Effect(baseline: 0.5, candidate: 0.7), Effect(baseline: 0.2, candidate: 0.28),
        Effect(baseline: 0.05, candidate: 0.07),
    ])
    func `effects that a ratio of counts misses are found with the expected number of pairs`(effect: Effect) {
        let settings = ComparisonSettings()
        // Half of the significance is for pairs as wholes; not knowing the effect costs less than as much again.
        let least = effect.leastPairs(margin: settings.margin, evidence: 2 / settings.significance)
        let needed = (0..<21).map { trial in
            var simulation = Simulation(
                candidate: effect.candidate,
                baseline: effect.baseline,
                places: 1,
                seed: UInt64(1000 + trial)
            )
            var pairs = 0
            repeat {
                simulation.pairs(Int(least / 20))
                pairs += Int(least / 20)
            } while simulation.verdict(settings) != .fail && pairs < 20_000
            return pairs
        }.sorted()
        #expect(
            Double(needed[10]) > 0.8 * least && Double(needed[10]) < 2 * least,
            "median \(needed[10]), least \(least)"
        )
        #expect(needed[20] < 20_000)
    }
}
