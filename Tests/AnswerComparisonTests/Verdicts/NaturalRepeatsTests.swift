// Wingmirror · Apache-2.0

import OctetText
import Testing
import TrafficModel

@testable import AnswerComparison

@Suite struct NaturalRepeatsTests {
    static let lane = MirrorLane(policy: "p", target: "t")

    static func exchange(
        _ target: String,
        method: String = "GET",
        second: Int64 = 0,
        cookie: String? = nil,
        content: String = "a"
    ) -> RecordedExchange {
        RecordedExchange(
            request: RecordedRequest(
                method: method,
                target: Array(target.utf8),
                message: RecordedMessage(fields: cookie.map { [RecordedField(name: "Cookie", value: $0)] } ?? [])
            ),
            response: AnswerComparatorTests.answer(content),
            startTime: second * 1_000_000_000
        )
    }

    @Test func `a like request shortly before is a repeat`() {
        var repeats = NaturalRepeats(limits: VerdictLimits(), hash: KeyedHash(secret: ""))
        #expect(repeats.answered(Self.exchange("/a", content: "first"), lane: Self.lane) == nil)
        let earlier = repeats.answered(Self.exchange("/a", second: 9, content: "second"), lane: Self.lane)
        #expect(earlier?.message.content == Array("first".utf8))
        #expect(repeats.answered(Self.exchange("/a", second: 20), lane: Self.lane) == nil)
    }

    @Test func `requests that may be answered otherwise are no repeats`() {
        var repeats = NaturalRepeats(limits: VerdictLimits(), hash: KeyedHash(secret: ""))
        for exchange in [
            Self.exchange("/a"), Self.exchange("/b"), Self.exchange("/a", cookie: "u=1"),
            Self.exchange("/a", cookie: "u=2"),
            Self.exchange("/a", method: "HEAD"), Self.exchange("/c", method: "POST"),
            Self.exchange("/c", method: "POST"),
        ] {
            #expect(repeats.answered(exchange, lane: Self.lane) == nil)
        }
        #expect(repeats.answered(Self.exchange("/a"), lane: MirrorLane(policy: "p", target: "u")) == nil)
    }

    @Test(arguments: [("X-Currency", false), ("x-other, x-currency", false), ("*", false), ("X-Other", true)])
    func `requests that differ in a header that Vary names are no repeats`(vary: String, isRepeat: Bool) {
        var repeats = NaturalRepeats(limits: VerdictLimits(), hash: KeyedHash(secret: ""))
        func answered(_ currency: String) -> RecordedResponse? {
            var exchange = Self.exchange("/a")
            exchange.request.message.fields.append(RecordedField(name: "x-currency", value: currency))
            exchange.response = AnswerComparatorTests.answer(currency, fields: [("Vary", vary)])
            return repeats.answered(exchange, lane: Self.lane)
        }
        #expect(answered("EUR") == nil)
        #expect((answered("USD") != nil) == isRepeat)
        #expect((answered("EUR") != nil) == (vary != "*"))
    }

    @Test func `answers are remembered up to a number and up to an amount`() {
        var limits = VerdictLimits()
        limits.repeats = 3
        limits.repeatOctets = 100
        var repeats = NaturalRepeats(limits: limits, hash: KeyedHash(secret: ""))
        for number in 0..<100 { _ = repeats.answered(Self.exchange("/\(number)"), lane: Self.lane) }
        #expect(repeats.answered(Self.exchange("/97"), lane: Self.lane) != nil)
        #expect(repeats.answered(Self.exchange("/96"), lane: Self.lane) == nil)
        let large = String(repeating: "x", count: 60)
        _ = repeats.answered(Self.exchange("/l", content: large), lane: Self.lane)
        _ = repeats.answered(Self.exchange("/m", content: large), lane: Self.lane)
        #expect(repeats.answered(Self.exchange("/l", content: large), lane: Self.lane) == nil)
        _ = repeats.answered(Self.exchange("/n", content: large + large), lane: Self.lane)
        #expect(repeats.answered(Self.exchange("/n", content: large), lane: Self.lane) == nil)
    }
}
