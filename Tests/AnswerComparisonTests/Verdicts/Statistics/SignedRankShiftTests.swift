// Wingmirror · Apache-2.0
// Hollander and Wolfe, Nonparametric Statistical Methods, example 3.1: Hamilton's depression scale.

import OctetText
import Testing

@testable import AnswerComparison

@Suite struct SignedRankShiftTests {
    @Test func `estimate and interval equal the published ones`() throws {
        let differences = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010]
        let shift = try #require(SignedRankShift(differences: differences))
        #expect((shift.estimate + 0.46).magnitude < 0.005)
        #expect((shift.lower + 0.786).magnitude < 0.001)
        #expect((shift.upper + 0.010).magnitude < 0.001)
    }

    @Test func `ranks are found as if all means were listed`() throws {
        var generator = SeededGenerator(seed: 3)
        for count in [1, 2, 3, 10, 61] {
            let values = (0..<count).map { _ in Double(Int.random(in: -20...20, using: &generator)) / 4 }
            let means = values.indices.flatMap { i in values[i...].map { (values[i] + $0) / 2 } }.sorted()
            let median = (means[(means.count - 1) / 2] + means[means.count / 2]) / 2
            let shift = try #require(SignedRankShift(differences: values))
            #expect((shift.estimate - median).magnitude < 1e-9)
            #expect(shift.lower <= shift.estimate && shift.estimate <= shift.upper)
        }
        #expect(SignedRankShift(differences: []) == nil)
    }
}
