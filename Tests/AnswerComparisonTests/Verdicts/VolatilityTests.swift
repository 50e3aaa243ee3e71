// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import AnswerComparison

@Suite struct VolatilityTests {
    @Test(
        arguments: [
            (0, 29, Volatility.unknown), (29, 29, .unknown), (30, 30, .volatile), (0, 299, .unknown), (0, 300, .stable),
            (1, 300, .stable), (6, 300, .volatile), (1, 10_000, .stable), (250, 10_000, .volatile),
        ] as [(UInt64, UInt64, Volatility)]
    )
    func `places are called volatile or stable only when pairs are many`(
        differing: UInt64,
        pairs: UInt64,
        expected: Volatility
    ) {
        #expect(Volatility(differing: differing, of: pairs, limits: VerdictLimits()) == expected)
    }

    @Test func `a volatile place is compared by shape, not ignored`() {
        var difference = AnswerDifference(place: .content("id"), kind: .value, production: "", candidate: "")
        #expect(Volatility.volatile.counts(difference))
        difference.hasEqualShape = true
        #expect(!Volatility.volatile.counts(difference))
        #expect(Volatility.stable.counts(difference) && Volatility.unknown.counts(difference))
        difference.expectation = .presumedVolatile
        #expect(Volatility.stable.counts(difference) && !Volatility.unknown.counts(difference))
        difference.expectation = .volatile
        #expect(!Volatility.stable.counts(difference))
        difference.hasEqualShape = false
        #expect(Volatility.stable.counts(difference))
        difference.expectation = .infrastructure
        #expect(!Volatility.stable.counts(difference))
    }

    @Test(arguments: [
        ("", FormatClass.empty), ("42", .counter), ("-1.5", .counter), ("2026-11-23T10:00:00.5Z", .time),
        ("2026-11-23", .time),
        ("Mon, 23 Nov 2026 10:00:00 GMT", .time), ("0b9d4a5e-6c3f-4b39-9d3a-0d4b1f2a3c4d", .uuid),
        ("4bf92f3577b34da6a3ce929d0e0e4736", .hash), ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP", .signature),
        ("https://example.com/a", .link), ("a plain sentence of words", .text), ("deadbeef", .text), ("1.2.3.4", .text),
    ])
    func `formats are told apart`(text: String, expected: FormatClass) {
        #expect(FormatClass(Array(text.utf8)) == expected)
    }
}
