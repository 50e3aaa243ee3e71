// Wingmirror · Apache-2.0
// What Diffy's rule misses and raises by mistake, and what the verdict does with the same data.

import Foundation
import OctetText
import Testing
import TrafficModel

@testable import AnswerComparison

/// A route with a baseline whose answers differ from production's at some places, each with a chance of its own.
///
/// Places are learned as volatile while the votes come, as on a real route. Votes come one a second unless said otherwise.
struct VerdictSimulation {
    var record: RouteRecord
    var generator: SeededGenerator
    var settings = ComparisonSettings()
    private let limits = VerdictLimits()
    private var keys = KeyTable(limit: 1 << 12)
    private let places: Int
    private(set) var pairCount: UInt64 = 0
    var nanosecondsPerPair: Int64 = 1_000_000_000

    init(places: Int = 1, seed: UInt64) {
        record = RouteRecord(lane: MirrorLane(policy: "p", target: "t"), route: RouteName(), limits: VerdictLimits())
        generator = SeededGenerator(seed: seed)
        self.places = places
        for place in 0..<places { _ = record.places.position(of: .content("m\(place)")) }
    }

    mutating func happens(_ chance: Double) -> Bool { generator.next() >> 11 < UInt64(chance * 0x1p53) }

    mutating func differences(_ chance: Double) -> UInt64 {
        (0..<places).reduce(0) { bits, place in happens(chance) ? bits | 1 << UInt64(place) : bits }
    }

    private var volatilePlaces: UInt64 {
        (0..<places).reduce(0) { record.isVolatile($1, limits: limits) ? $0 | 1 << UInt64($1) : $0 }
    }

    /// A pair whose candidate differs at these places, and what it is held against at those.
    mutating func pair(_ question: Question, candidate: UInt64, reference: UInt64, key: UInt64? = nil) {
        pairCount += 1
        let time = Int64(pairCount) * nanosecondsPerPair
        record.timePassed(time, settings: settings)
        record.keySeen(key ?? pairCount)
        record.sampled += 1
        record.pairs += 1
        let masked = ~volatilePlaces
        var voter = Voter(
            key: VoteTable.Key(record: 0, keyHash: key ?? pairCount),
            vote: VoteTable.Vote(start: time),
            keys: KeyTable(limit: 0)
        )
        swap(&voter.keys, &keys)
        record.voted(.errors, whole: 0, raw: 0, worse: 0, better: 0, time: time, voter: &voter)
        let (worse, better) = (candidate & ~reference, reference & ~candidate)
        record.voted(
            question,
            whole: RouteRecord.side(worse: worse & masked, better: better & masked),
            raw: RouteRecord.side(worse: worse, better: better),
            worse: worse,
            better: better,
            time: time,
            voter: &voter
        )
        swap(&voter.keys, &keys)
        record.noisePairs += 1
        for place in 0..<places where reference & 1 << UInt64(place) != 0 { record.places[place].noise += 1 }
    }

    /// A pair of which the candidate fails, or the other side does.
    mutating func errors(candidate: Bool, reference: Bool) {
        pairCount += 1
        let time = Int64(pairCount) * nanosecondsPerPair
        record.timePassed(time, settings: settings)
        record.keySeen(pairCount)
        record.sampled += 1
        record.pairs += 1
        var voter = Voter(
            key: VoteTable.Key(record: 0, keyHash: pairCount),
            vote: VoteTable.Vote(start: time),
            keys: KeyTable(limit: 0)
        )
        swap(&voter.keys, &keys)
        let side: Int64 = candidate == reference ? 0 : candidate ? 1 : -1
        record.voted(.errors, whole: side, raw: 0, worse: 0, better: 0, time: time, voter: &voter)
        swap(&voter.keys, &keys)
    }

    /// What the counts show by now.
    var finding: Finding? { record.finding(settings: settings, limits: limits) }

    /// The verdict, had nobody looked before.
    var verdict: Verdict { record.judgement(settings: settings, limits: limits).verdict }
}

@Suite struct VerdictSimulationTests {
    /// How many routes are simulated; `make simulate-verdicts` asks for more.
    static let trials = ProcessInfo.processInfo.environment["WINGMIRROR_TRIALS"].flatMap { Int($0) } ?? 20

    @Test(arguments: [0.0, 0.01, 0.05, 0.2, 0.5])
    func `two hundred looks at targets that are no worse raise few false alarms`(noise: Double) {
        let trials = Self.trials
        let alarms = (0..<trials).count { trial in
            var simulation = VerdictSimulation(places: 3, seed: UInt64(trial))
            // The strictest there is: with a margin, alarms are rarer still.
            simulation.settings.margin = 0
            return (0..<200).contains { _ in
                for _ in 0..<10 {
                    let (first, second) = (simulation.differences(noise), simulation.differences(noise))
                    simulation.pair(.baseline, candidate: first, reference: second)
                }
                return simulation.finding != nil
            }
        }
        #expect(alarms <= trials / 20)
        if noise == 0 { #expect(alarms == 0) }
    }

    @Test(arguments: [0.02, 0.1, 0.3])
    func `answers of one server raise few false alarms when they are held against each other`(noise: Double) {
        let trials = Self.trials
        let alarms = (0..<trials).count { trial in
            var simulation = VerdictSimulation(places: 3, seed: UInt64(500 + trial))
            simulation.settings.margin = 0
            return (0..<200).contains { _ in
                for _ in 0..<10 {
                    // What the pivot says differs from both others.
                    let pivot = simulation.differences(noise)
                    let (first, second) = (simulation.differences(noise), simulation.differences(noise))
                    simulation.pair(.repeats, candidate: pivot | first, reference: pivot | second)
                }
                return simulation.finding != nil
            }
        }
        #expect(alarms <= trials / 20)
    }

    struct Effect: Sendable, CustomTestStringConvertible {
        let baseline: Double
        let candidate: Double
        /// The median number of votes that the reference's rule takes without learning.
        let median: Int

        var testDescription: String { "\(baseline) against \(candidate)" }
    }

    @Test(arguments: [
        Effect(baseline: 0.5, candidate: 0.7, median: 121), Effect(baseline: 0.2, candidate: 0.28, median: 744),
        Effect(baseline: 0.02, candidate: 0.1, median: 120),
    ])
    func `effects that a ratio of counts misses are found, at places that are learned as volatile too`(effect: Effect) {
        let needed = (0..<11).map { trial in
            var simulation = VerdictSimulation(seed: UInt64(1000 + trial))
            // Slow enough that blocks of time and votes are the same.
            simulation.nanosecondsPerPair = 10_000_000_000
            repeat {
                for _ in 0..<max(1, effect.median / 20) {
                    let first = simulation.differences(effect.candidate)
                    simulation.pair(.baseline, candidate: first, reference: simulation.differences(effect.baseline))
                }
            } while simulation.finding?.verdict != .fail && simulation.pairCount < 20 * effect.median
            return Int(simulation.pairCount)
        }.sorted()
        #expect(needed[5] < 2 * effect.median, "median \(needed[5])")
        #expect(needed[10] < 20 * effect.median)
    }

    @Test(arguments: [0.01, 0.1, 0.3, 0.5])
    func `errors at random are found without a baseline or a repeat`(share: Double) {
        let needed = (0..<11).map { trial in
            var simulation = VerdictSimulation(seed: UInt64(2000 + trial))
            simulation.nanosecondsPerPair = 100_000_000
            repeat {
                for _ in 0..<50 { simulation.errors(candidate: simulation.happens(share), reference: false) }
            } while simulation.finding?.verdict != .fail && simulation.pairCount < 10_000
            return simulation.pairCount
        }.sorted()
        // At least as many as there are in the blocks of time that must bear it out, ten seconds each.
        #expect(needed[5] <= max(1100, UInt64(22 / share)), "median \(needed[5])")
    }

    @Test func `episodes of one server raise few false alarms`() {
        let trials = Self.trials
        let alarms = (0..<trials).count { trial in
            var simulation = VerdictSimulation(seed: UInt64(3000 + trial))
            // Ten votes a second, and an episode of a hundred votes in five thousand, of either end.
            simulation.nanosecondsPerPair = 100_000_000
            return (0..<5).contains { _ in
                let isCandidate = simulation.happens(0.5)
                for _ in 0..<100 {
                    simulation.pair(.baseline, candidate: isCandidate ? 1 : 0, reference: isCandidate ? 0 : 1)
                }
                var isAlarmed = simulation.finding != nil
                for index in 0..<4900 {
                    simulation.pair(.baseline, candidate: 0, reference: 0)
                    if index.isMultiple(of: 700) { isAlarmed = isAlarmed || simulation.finding != nil }
                }
                return isAlarmed
            }
        }
        #expect(alarms <= trials / 20)
    }

    @Test func `keys that are off for good at either end raise few false alarms`() {
        let trials = Self.trials
        let alarms = (0..<trials).count { trial in
            var simulation = VerdictSimulation(seed: UInt64(4000 + trial))
            let keys = (0..<50).map { _ in
                (candidate: simulation.happens(0.02), reference: simulation.happens(0.02))
            }
            simulation.nanosecondsPerPair = 1_200_000_000
            return (0..<60).contains { _ in
                for (key, isOff) in keys.enumerated() {
                    simulation.pair(
                        .baseline,
                        candidate: isOff.candidate ? 1 : 0,
                        reference: isOff.reference ? 1 : 0,
                        key: UInt64(key)
                    )
                }
                return simulation.finding != nil
            }
        }
        #expect(alarms <= trials / 20)
    }

    @Test func `a target that is wrong for each of a few keys fails all the same`() {
        var simulation = VerdictSimulation(seed: 1)
        for round in 0..<200 {
            simulation.pair(.baseline, candidate: 1, reference: 0, key: UInt64(round % 4))
        }
        #expect(simulation.finding?.verdict == .fail)
    }

    @Test func `a fault that comes late is found by the votes since, long before the total turns`() {
        var simulation = VerdictSimulation(seed: 7)
        simulation.nanosecondsPerPair = 100_000_000
        for _ in 0..<20_000 { simulation.errors(candidate: false, reference: false) }
        let clean = simulation.pairCount
        while simulation.finding?.verdict != .fail, simulation.pairCount < 3 * clean {
            for _ in 0..<100 { simulation.errors(candidate: simulation.happens(0.05), reference: false) }
        }
        #expect(simulation.finding?.verdict == .fail)
        #expect(simulation.pairCount < clean + 7000, "\(simulation.pairCount - clean) votes")
    }
}
