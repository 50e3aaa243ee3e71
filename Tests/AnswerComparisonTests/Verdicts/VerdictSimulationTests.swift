// Wingmirror · Apache-2.0
// What Diffy's rule misses and raises by mistake, and what the verdict does with the same data.

import Foundation
import OctetText
import TestTraits
import Testing
import TrafficModel

@testable import AnswerComparison

/// A route with a baseline whose answers differ from production's at some places, each with a chance of its own.
///
/// Places are learned as volatile while the votes come, as on a real route. Votes come one a second unless said otherwise.
struct VerdictSimulation {
    var record: VerdictRecord
    var generator: SeededGenerator
    var settings = ComparisonSettings()
    private let limits = VerdictLimits()
    private var keys = KeyTable(limit: 1 << 12)
    private let places: Int
    private(set) var pairCount: UInt64 = 0
    var nanosecondsPerPair: Int64 = 1_000_000_000

    init(places: Int = 1, seed: UInt64) {
        record = VerdictRecord(lane: MirrorLane(policy: "p", target: "t"), route: RouteName(), limits: VerdictLimits())
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
            whole: VerdictRecord.side(worse: worse & masked, better: better & masked),
            raw: VerdictRecord.side(worse: worse, better: better),
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

    /// What the counts since the beginning show, those since later marks set aside.
    var totalFinding: Finding? {
        VerdictRecord.finding(Standing(record), settings: settings, weight: VerdictRecord.Share.total)
    }

    /// What the counts of the last hours show by themselves.
    var recentFinding: Finding? { record.recentFinding(Standing(record), settings: settings) }

    /// The verdict, had nobody looked before.
    var verdict: Verdict { record.judgement(settings: settings, limits: limits).verdict }
}

@Suite(.heavy) struct VerdictSimulationTests {
    /// How many routes are simulated; `make simulate-verdicts` asks for more, and prints what comes out.
    static let trials = asked ?? 20
    private static let asked = ProcessInfo.processInfo.environment["WINGMIRROR_TRIALS"].flatMap { Int($0) }

    /// Prints a figure for the tables of the documentation, when many routes are simulated.
    private static func print(_ figure: String) {
        if asked != nil { Swift.print("figure  \(figure)") }
    }

    /// Counts the trials with a false alarm, and expects no more of them than the significance allows.
    private static func expectFewAlarms(
        _ name: String,
        trials: Int = trials,
        sourceLocation: SourceLocation = #_sourceLocation,
        isAlarmed: (Int) -> Bool
    ) {
        let alarms = (0..<trials).count(where: isAlarmed)
        print("\(name): \(alarms) false alarms of \(trials)")
        #expect(alarms <= trials / 20, "\(name)", sourceLocation: sourceLocation)
    }

    /// The median number of votes until something is said, or that nothing was in so many.
    private static func median(_ name: String, trials: Int = 11, limit: Int, votes: (Int) -> Int) -> Int {
        let needed = (0..<trials).map(votes).sorted()
        let median = needed[trials / 2]
        print("\(name): median \(median < limit ? "\(median)" : "over \(limit)") votes")
        return median
    }

    @Test(arguments: [0.0, 0.01, 0.05, 0.2, 0.5])
    func `two hundred looks at targets that are no worse raise few false alarms`(noise: Double) {
        Self.expectFewAlarms("noise \(noise), 3 places, margin 0, 200 looks") { trial in
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
    }

    @Test(arguments: [0.02, 0.1, 0.3])
    func `answers of one server raise few false alarms when they are held against each other`(noise: Double) {
        Self.expectFewAlarms("second answers, noise \(noise), 3 places, margin 0, 200 looks") { trial in
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
        Effect(baseline: 0.02, candidate: 0.1, median: 120), Effect(baseline: 0.05, candidate: 0.3, median: 60),
    ])
    func `effects that a ratio of counts misses are found, at places that are learned as volatile too`(effect: Effect) {
        let limit = 20 * effect.median
        let median = Self.median("\(effect.testDescription), learned, one vote a block", limit: limit) { trial in
            var simulation = VerdictSimulation(seed: UInt64(1000 + trial))
            // Slow enough that blocks of time and votes are the same.
            simulation.nanosecondsPerPair = 10_000_000_000
            repeat {
                for _ in 0..<max(1, effect.median / 20) {
                    let first = simulation.differences(effect.candidate)
                    simulation.pair(.baseline, candidate: first, reference: simulation.differences(effect.baseline))
                }
            } while simulation.finding?.verdict != .fail && simulation.pairCount < limit
            return Int(simulation.pairCount)
        }
        #expect(median < 2 * effect.median)
    }

    @Test(arguments: [0.01, 0.02, 0.1, 0.3, 0.5, 1], [100_000_000, 1_000_000_000] as [Int64])
    func `errors at random are found without a baseline or a repeat`(share: Double, distance: Int64) {
        let rate = Double(distance) / 1e9
        let median = Self.median("errors \(share), a vote each \(rate) s", limit: 10_000) { trial in
            var simulation = VerdictSimulation(seed: UInt64(2000 + trial))
            simulation.nanosecondsPerPair = distance
            repeat {
                for _ in 0..<10 { simulation.errors(candidate: simulation.happens(share), reference: false) }
            } while simulation.finding?.verdict != .fail && simulation.pairCount < 10_000
            return Int(simulation.pairCount)
        }
        // At least as many as there are in the nine blocks of time that must bear it out, ten seconds each.
        #expect(median <= max(Int(110 / rate), Int(22 / share)))
    }

    struct Episodes: Sendable, CustomTestStringConvertible {
        /// Votes of each.
        let length: Int
        /// How many there are in twenty thousand votes.
        let count: Int

        var testDescription: String { "\(count) of \(length) votes" }
    }

    @Test(arguments: [
        Episodes(length: 20, count: 5), Episodes(length: 50, count: 1), Episodes(length: 50, count: 5),
        Episodes(length: 100, count: 1), Episodes(length: 100, count: 5),
    ])
    func `episodes of one server raise few false alarms`(episodes: Episodes) {
        // Ten votes a second, as an episode is a matter of time: the longest lasts ten seconds.
        Self.expectFewAlarms("episodes, \(episodes.testDescription), ten votes a second") { trial in
            var simulation = VerdictSimulation(seed: UInt64(3000 + trial))
            simulation.nanosecondsPerPair = 100_000_000
            return (0..<episodes.count).contains { _ in
                let isCandidate = simulation.happens(0.5)
                for _ in 0..<episodes.length {
                    simulation.pair(.baseline, candidate: isCandidate ? 1 : 0, reference: isCandidate ? 0 : 1)
                }
                var isAlarmed = simulation.finding != nil
                for index in 0..<(20_000 / episodes.count - episodes.length) {
                    simulation.pair(.baseline, candidate: 0, reference: 0)
                    if index.isMultiple(of: 700) { isAlarmed = isAlarmed || simulation.finding != nil }
                }
                return isAlarmed
            }
        }
    }

    struct OddKeys: Sendable, CustomTestStringConvertible {
        let keys: Int
        /// The chance that a key is off at either end.
        let share: Double

        var testDescription: String { "\(keys) keys, \(share) of them" }
    }

    @Test(arguments: [
        OddKeys(keys: 50, share: 0.01), OddKeys(keys: 50, share: 0.02), OddKeys(keys: 200, share: 0.01),
        OddKeys(keys: 200, share: 0.05),
    ])
    func `keys that are off for good at either end raise few false alarms`(odd: OddKeys) {
        Self.expectFewAlarms("off for good, \(odd.testDescription), an hour of a vote a minute each") { trial in
            var simulation = VerdictSimulation(seed: UInt64(4000 + trial))
            let keys = (0..<odd.keys).map { _ in
                (candidate: simulation.happens(odd.share), reference: simulation.happens(odd.share))
            }
            simulation.nanosecondsPerPair = 60_000_000_000 / Int64(odd.keys)
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
    }

    @Test(arguments: [0.01, 0.05, 0.2])
    func `two hundred routes at once, none of which is worse, have few that fail`(noise: Double) {
        // With the margin that there is by default: what an operator of many routes meets in the lifetime of the counts.
        Self.expectFewAlarms("routes at once, noise \(noise), margin 0.5 %", trials: 10 * Self.trials) { route in
            var simulation = VerdictSimulation(seed: UInt64(6000 + route))
            return (0..<50).contains { _ in
                for _ in 0..<40 {
                    let (first, second) = (simulation.differences(noise), simulation.differences(noise))
                    simulation.pair(.baseline, candidate: first, reference: second)
                }
                return simulation.finding != nil
            }
        }
    }

    /// A target's latencies against a baseline's, log-normal with σ 0.5, a hundred pairs a second.
    ///
    /// - Parameters:
    ///   - seed: Where its noise starts.
    ///   - seconds: How long it is asked.
    ///   - factor: How many times as long the candidate takes, after so many seconds.
    /// - Returns: After how many pairs the median was found to be higher, looked at each second; `nil` if never.
    private static func pairsUntilSlower(_ seed: Int, seconds: Int, factor: (Int) -> Double) -> Int? {
        var record = LatencyRecord()
        var generator = SeededGenerator(seed: UInt64(seed))
        func latency() -> Double {
            // The sum of twelve uniform numbers is as good as a normal one.
            let normal = (0..<12).reduce(-6) { sum, _ in sum + Double(generator.next() >> 11) * 0x1p-53 }
            return 6_000_000 * exp(0.5 * normal)
        }
        for second in 0..<seconds {
            for number in 0..<100 {
                let sample = LatencyRecord.Sample(
                    candidate: Int64(latency() * factor(second)),
                    baseline: Int64(latency()),
                    wait: 0,
                    time: Int64(second * 100 + number) * 10_000_000
                )
                record.observed(sample, margin: 0.2, limit: 256, generator: &generator)
            }
            if second % 10 == 9 { record.blockEnded() }
            let threshold = VerdictRecord.logThreshold(ComparisonSettings(), share: VerdictRecord.Share.latency / 2)
            let verdict = record.verdict(margin: 0.2, tailMargin: 0.01, logThreshold: threshold, leastPairs: 300)
            if verdict?.classification == .higher { return (second + 1) * 100 }
        }
        return nil
    }

    @Test(arguments: [3, 10, 40])
    func `a target that was just started and is slow for so long raises few false alarms`(seconds: Int) {
        Self.expectFewAlarms("twice as slow for \(seconds) s, then equal, 100 pairs a second") { trial in
            Self.pairsUntilSlower(7000 + trial, seconds: 180) { $0 < seconds ? 2 : 1 } != nil
        }
    }

    @Test(arguments: [1.5, 2])
    func `a median that stays higher is found after eleven blocks of time`(factor: Double) {
        let median = Self.median("\(factor) times as slow, 100 pairs a second", trials: 5, limit: 20_000) { trial in
            Self.pairsUntilSlower(8000 + trial, seconds: 200) { _ in factor } ?? 20_000
        }
        #expect((10_000...12_000).contains(median))
    }

    @Test func `a target that is wrong for each of a few keys fails all the same`() {
        var simulation = VerdictSimulation(seed: 1)
        for round in 0..<200 {
            simulation.pair(.baseline, candidate: 1, reference: 0, key: UInt64(round % 4))
        }
        #expect(simulation.finding?.verdict == .fail)
    }

    @Test(arguments: [0.01, 0.05, 0.2, 1])
    func `a fault that comes late is found soon, by the votes since where the total would take long`(share: Double) {
        // Ten votes a second: three hours of clean ones when the table is made, half an hour otherwise.
        let clean = Self.asked == nil ? 20_000 : 100_000
        var simulation = VerdictSimulation(seed: 7)
        simulation.nanosecondsPerPair = 100_000_000
        for _ in 0..<clean { simulation.errors(candidate: false, reference: false) }
        var found = (recent: Int?.none, total: Int?.none)
        var votes = 0
        while found.recent == nil || found.total == nil, votes < 2 * clean {
            for _ in 0..<50 { simulation.errors(candidate: simulation.happens(share), reference: false) }
            votes += 50
            if found.recent == nil, simulation.recentFinding?.verdict == .fail { found.recent = votes }
            if found.total == nil, simulation.totalFinding?.verdict == .fail { found.total = votes }
        }
        let total = found.total.map(String.init) ?? "over \(votes)"
        Self.print(
            "errors \(share) after \(clean) clean votes, ten a second: last hours \(found.recent ?? -1), total \(total)"
        )
        // The votes since a mark of ten minutes before at most find what is rare, and blocks of time what is not: there the
        // clean votes hardly count, and later marks have less of the significance.
        if share >= 0.2 { #expect(found.total ?? .max <= 1000) }
        #expect(found.recent ?? .max < max(2500, Int(50 / share)))
    }
}
