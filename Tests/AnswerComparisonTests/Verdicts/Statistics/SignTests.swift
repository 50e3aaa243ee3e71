// Wingmirror · Apache-2.0
// Fagerland, Lydersen and Laake, BMC Medical Research Methodology 2013, 13:91.

import Testing

@testable import AnswerComparison

@Suite struct SignTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let worse: UInt64
        let better: UInt64
        let midP: Double

        var testDescription: String { label }
    }

    @Test(arguments: [
        // Published two-sided values are 0.0391 and 0.0347: twice these.
        Row(label: "airway hyper-responsiveness, 7 against 1", worse: 7, better: 1, midP: 5.0 / 256),
        Row(label: "complete response, 16 against 6", worse: 16, better: 6, midP: 0.017_344_832_420_349_1),
        Row(label: "as many each way", worse: 10, better: 10, midP: 0.5),
        Row(label: "all one way", worse: 6, better: 0, midP: 1.0 / 128),
        Row(label: "all the other way", worse: 0, better: 6, midP: 127.0 / 128),
        Row(label: "many", worse: 1050, better: 950, midP: 0.012_679_762_893_331_9),
        Row(label: "nothing", worse: 0, better: 0, midP: 1),
    ])
    func `the mid-p is exact`(row: Row) {
        #expect((SignTest.midP(worse: row.worse, better: row.better) - row.midP).magnitude < 1e-12)
    }

    @Test func `the procedure of Benjamini and Hochberg gives the result of its paper`() {
        // Benjamini and Hochberg 1995, §4.1: fifteen p-values, four of them rejected at 0.05.
        let pValues = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590,
            1.0,
        ]
        #expect(FalseDiscovery.rejected(pValues: pValues, level: 0.05) == [0, 1, 2, 3])
        #expect(FalseDiscovery.rejected(pValues: pValues.reversed(), level: 0.05) == [11, 12, 13, 14])
        #expect(FalseDiscovery.rejected(pValues: [0.2, 0.3], level: 0.05).isEmpty)
        #expect(FalseDiscovery.rejected(pValues: [], level: 0.05).isEmpty)
    }

    @Test func `evidence is rejected together where none would be alone`() {
        // With 10 hypotheses at 0.05 the first needs 200, two need 100 each.
        #expect(
            FalseDiscovery.rejected(logEvidence: [150, 2, 110].map(\.logarithm), hypotheses: 10, level: 0.05) == [0, 2]
        )
        #expect(FalseDiscovery.rejected(logEvidence: [150, 2].map(\.logarithm), hypotheses: 10, level: 0.05).isEmpty)
        #expect(FalseDiscovery.rejected(logEvidence: [201, 2].map(\.logarithm), hypotheses: 10, level: 0.05) == [0])
    }
}
