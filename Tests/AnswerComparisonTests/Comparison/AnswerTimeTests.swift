// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@testable import AnswerComparison

@Suite struct AnswerTimeTests {
    /// 2026-11-30T10:00:00Z, and a second later.
    static let moments = AnswerTime.Moments(1_796_032_800, 1_796_032_801)
    static let unknown = AnswerTime.Moments(nil, 12)

    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let first: String
        let second: String
        let isTime: Bool
        var moments = AnswerTimeTests.moments

        init(_ label: String, _ first: String, _ second: String, _ isTime: Bool, _ moments: AnswerTime.Moments? = nil) {
            self.label = label
            self.first = first
            self.second = second
            self.isTime = isTime
            self.moments = moments ?? AnswerTimeTests.moments
        }

        var testDescription: String { label }
    }

    @Test(arguments: [
        Row("now", "2026-11-30T10:00:00Z", "2026-11-30T10:00:01.5Z", true),
        Row("now, without a zone", "2026-11-30 10:00:00", "2026-11-30 10:00:01", true),
        Row("now, without seconds", "2026-11-30T10:00Z", "2026-11-30T10:01Z", true),
        Row("now, elsewhere", "2026-11-30T11:00:00+0100", "2026-11-30T11:00:01+01:00", true),
        Row("now, as HTTP writes it", "Mon, 30 Nov 2026 10:00:00 GMT", "Mon, 30 Nov 2026 10:00:01 GMT", true),
        Row("a month from now", "2026-12-30T10:00:00Z", "2026-12-30T10:00:01Z", true),
        Row("once, and an hour off", "2026-03-11T10:00:00Z", "2026-03-11T11:00:00Z", false),
        Row("a day without a clock time", "2026-11-30", "2026-11-29", false),
        Row("the year 1", "2026-11-30T10:00:00Z", "0001-01-01T00:00:00Z", false),
        Row("no time at its end", "2026-11-30T10:00:00Z", "2026-11-30 10:00:00 garbage", false),
        Row("no such hour", "2026-11-30T10:00:00Z", "2026-11-30T30:00:00Z", false),
        Row("near each other, where no moment is known", "2026-03-11T10:00:00Z", "2026-03-11T11:00:00Z", true, unknown),
        Row("a day apart, where no moment is known", "2026-03-11T10:00:00Z", "2026-03-12T10:00:00Z", false, unknown),
    ])
    func `texts are times of their answers near these`(row: Row) {
        let isTime = AnswerTime.areTimes(Array(row.first.utf8), Array(row.second.utf8), of: row.moments)
        #expect(isTime == row.isTime)
    }

    @Test(arguments: [
        (1_796_032_800, 1_796_032_801, true), (1_796_032_800_123, 1_796_032_801_456, true),
        (1_796_032_800_123_456_789, 1_796_032_801_456_789_012, true), (1_798_624_800, 1_798_624_801, true),
        (1_500_000_000, 1_500_000_001, false), (1_796_719_473, 1_796_719_474, false), (9, 10, false),
        (1_796_032_800_123_456_789, 1_796_032_800_123_456_768, false),
    ])
    func `whole numbers are times of their answers near these`(first: Int, second: Int, isTime: Bool) {
        #expect(AnswerTime.areTimes(.integer(first), .integer(second), of: Self.moments) == isTime)
    }

    @Test(arguments: [
        ("0001-01-01T00:00:00Z", FormatClass.zero), ("1970-01-01", .zero), ("0000-00-00 00:00:00", .zero),
        ("00000000-0000-0000-0000-000000000000", .zero), ("00000000000000000000000000000000", .zero),
        ("1970-01-01 00:00 garbage", .text), ("2026-11-30", .time), ("2026-13-30", .text), ("0000000", .counter),
        ("2026-11-30T10:00:00.123456+01:00", .time), ("2026-11-30x", .text),
    ])
    func `what was never set is told apart from times and identifiers`(text: String, format: FormatClass) {
        #expect(FormatClass(Array(text.utf8)) == format)
    }
}
