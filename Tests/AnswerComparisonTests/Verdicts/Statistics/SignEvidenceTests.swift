// Wingmirror · Apache-2.0

import Testing

@testable import AnswerComparison

@Suite struct SignEvidenceTests {
    @Test(
        arguments: [
            (6, 0, 28.782_665_537_3), (8, 0, 100.475_453_835), (12, 0, 1320.339_459_57), (0, 5, 0.108_238_777_116),
            (10, 10, 0.176_197_052_002), (30, 12, 13.119_635_690_8), (1000, 900, 0.503_725_729_523),
        ] as [(UInt64, UInt64, Double)]
    )
    func `the closed form equals the integral`(worse: UInt64, better: UInt64, expected: Double) {
        let evidence = SignEvidence.logarithm(worse: worse, better: better).exponential
        #expect((evidence - expected).magnitude < 1e-9 * expected)
    }

    @Test func `six, eight and twelve pairs all one way reach 20, 100 and 1000`() {
        func pairsNeeded(_ evidence: Double) -> UInt64? {
            (1...100).first { SignEvidence.logarithm(worse: $0, better: 0) >= evidence.logarithm }
        }
        #expect(pairsNeeded(20) == 6)
        #expect(pairsNeeded(100) == 8)
        #expect(pairsNeeded(1000) == 12)
    }

    @Test func `ten million pairs are safe`() {
        let million: UInt64 = 1_000_000
        #expect(SignEvidence.logarithm(worse: 0, better: 0) == 0)
        #expect((SignEvidence.logarithm(worse: 10 * million, better: 0) - 6_931_463.2).magnitude < 1)
        #expect((SignEvidence.logarithm(worse: 5 * million, better: 5 * million) + 8.29).magnitude < 0.01)
        #expect((SignEvidence.logarithm(worse: 0, better: 10 * million) + 16.57).magnitude < 0.01)
        // A share of 0.501 is z = 6.3 after so many: evidence of about z² ÷ 2 − ln(√n).
        let slight = SignEvidence.logarithm(worse: 5_010_000, better: 4_990_000)
        #expect(slight > 10 && slight < 20)
    }

    /// For each number of pairs, how many of them must be worse for evidence of 20.
    static let boundary: [Int] = {
        var worse = 0
        return (0...400).map { pairs in
            while worse <= pairs,
                SignEvidence.logarithm(worse: UInt64(worse), better: UInt64(pairs - worse)) < 20.0.logarithm
            { worse += 1 }
            return worse
        }
    }()

    /// The chance of having reached evidence of 20 after each number of pairs, exactly: all ways of falling are walked at once.
    static func stopped(share: Double) -> [Double] {
        var chances = [1.0]
        var stopped = 0.0
        return [0]
            + (1...400).map { pairs in
                var next = [Double](repeating: 0, count: pairs + 1)
                for (worse, chance) in chances.enumerated() {
                    next[worse] += chance * (1 - share)
                    next[worse + 1] += chance * share
                }
                for worse in next.indices where worse >= boundary[pairs] {
                    stopped += next[worse]
                    next[worse] = 0
                }
                chances = next
                return stopped
            }
    }

    @Test(arguments: [(0.9, 6), (0.8, 14), (0.7, 38), (0.6, 188)])
    func `the median number of pairs needed is as expected`(share: Double, median: Int) throws {
        let needed = try #require(Self.stopped(share: share).firstIndex { $0 >= 0.5 })
        #expect(needed == median)
    }

    @Test func `four hundred looks at fair coins raise a false alarm 34 times in a thousand`() throws {
        let alarms = try #require(Self.stopped(share: 0.5).last)
        #expect((alarms - 0.033_911_53).magnitude < 1e-7)
    }
}
