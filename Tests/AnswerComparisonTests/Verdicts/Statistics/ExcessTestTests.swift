// Wingmirror · Apache-2.0

import Testing

@testable import AnswerComparison

@Suite struct ExcessTestTests {
    static let threshold = 20.0.logarithm

    @Test(
        arguments: [(6, 0, 0), (40, 20, 1000), (1000, 900, 7), (400_000, 390_000, 9_000_000)]
            as [(UInt64, UInt64, UInt64)]
    )
    func `at a margin of 0 it is the evidence of signs`(worse: UInt64, better: UInt64, equal: UInt64) {
        let test = ExcessTest(
            VoteCount(votes: Double(worse + better + equal), worse: Double(worse), better: Double(better))
        )
        let signs = max(0, SignEvidence.logarithm(worse: worse, better: better))
        #expect((test.logEvidence(above: 0) - signs).magnitude < 1e-4 * max(1, signs))
    }

    @Test func `evidence at a margin equals the integral`() {
        // By mpmath: the mean over all bets of the product of factors.
        #expect(
            (ExcessTest(VoteCount(votes: 242, worse: 30, better: 12)).logEvidence(above: 0.005) - 2.081_898_275)
                .magnitude < 1e-4
        )
        #expect(
            (ExcessTest(VoteCount(votes: 3050, worse: 40, better: 10)).logEvidence(above: 0.005) - 0.979_393_723)
                .magnitude < 1e-4
        )
    }

    @Test func `equal answers pass after some hundreds of votes`() {
        let needed = (1...2000).first {
            ExcessTest(VoteCount(votes: Double($0), worse: 0, better: 0)).isBelow(0.005, logThreshold: 40.0.logarithm)
        }
        #expect(needed == 929)
    }

    @Test func `bounds hold the excess between them and narrow`() {
        var width = 2.0
        for scale in [1.0, 10, 100, 1000, 10_000] {
            let test = ExcessTest(VoteCount(votes: 1000 * scale, worse: 60 * scale, better: 40 * scale))
            let lower = test.lowerBound(logThreshold: Self.threshold)
            let upper = test.upperBound(logThreshold: Self.threshold)
            #expect(lower < 0.02 && 0.02 < upper)
            #expect(upper - lower < width)
            width = upper - lower
        }
        #expect(width < 0.002)
    }

    @Test func `bounds agree with the tests they come from`() {
        let test = ExcessTest(VoteCount(votes: 5000, worse: 200, better: 50))
        let lower = test.lowerBound(logThreshold: Self.threshold)
        #expect(test.isAbove(lower - 1e-6, logThreshold: Self.threshold))
        #expect(!test.isAbove(lower + 1e-6, logThreshold: Self.threshold))
        let upper = test.upperBound(logThreshold: Self.threshold)
        #expect(test.isBelow(upper + 1e-6, logThreshold: Self.threshold))
        #expect(!test.isBelow(upper - 1e-6, logThreshold: Self.threshold))
    }

    @Test func `nothing observed bounds nothing`() {
        let nothing = ExcessTest(VoteCount(votes: 0, worse: 0, better: 0))
        #expect(nothing.excess == 0)
        #expect(nothing.lowerBound(logThreshold: Self.threshold) == -1)
        #expect(nothing.upperBound(logThreshold: Self.threshold) == 1)
        #expect(!nothing.isAbove(0, logThreshold: Self.threshold) && !nothing.isBelow(0, logThreshold: Self.threshold))
    }

    @Test func `all votes one way bound the excess near its end`() {
        let all = ExcessTest(VoteCount(votes: 1000, worse: 1000, better: 0))
        #expect(all.lowerBound(logThreshold: Self.threshold) > 0.98)
        #expect(all.upperBound(logThreshold: Self.threshold) == 1)
    }
}
