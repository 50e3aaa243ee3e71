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
        Row("an hour off", "2026-11-30T10:00:00Z", "2026-11-30T11:00:01Z", true),
        Row("five hours and a half off", "2026-11-30T10:00:00Z", "2026-11-30T04:30:01Z", true),
        Row("on time", "2026-11-30T10:00:00Z", "2026-11-30T10:00:01Z", false),
        Row("in two hours, both", "2026-11-30T12:00:00Z", "2026-11-30T12:00:03Z", false),
        Row("an hour and some seconds off", "2026-11-30T10:00:00Z", "2026-11-30T11:00:40Z", false),
        Row("cached a quarter of an hour later", "2026-11-30T09:52:00Z", "2026-11-30T10:07:00Z", false),
        Row("an hour longer", "2026-11-30T11:00:00Z", "2026-11-30T12:00:01Z", true),
        Row("two days off", "2026-11-30T10:00:00Z", "2026-12-02T10:00:01Z", false),
        Row("an hour off, where no moment is known", "2026-11-30T10:00:00Z", "2026-11-30T11:00:01Z", false, unknown),
    ])
    func `times of their answers are off by the quarters of an hour of time zones`(row: Row) {
        let isOff = AnswerTime.areShifted(Array(row.first.utf8), Array(row.second.utf8), of: row.moments)
        #expect(isOff == row.isTime)
    }

    @Test func `numbers that are times are off in any unit`() {
        let pairs = [(1_796_032_800, 1_796_040_001), (1_796_032_800_123, 1_796_040_001_456)]
        for (first, second) in pairs {
            #expect(AnswerTime.areShifted(.integer(first), .integer(second), of: Self.moments))
            #expect(!AnswerTime.areShifted(.integer(first), .integer(first + 1), of: Self.moments))
        }
        #expect(!AnswerTime.areShifted(.integer(1), .integer(3601), of: Self.moments))
    }

    @Test(arguments: [
        ("web-7c9f6d5b8-xk2lp", true), ("shop-web-5d8b7f6c9d-q8s9z", true), ("web-0", false), ("web-7c9f6d5b8", false),
        ("buy-one-get-one", false), ("7c9f6d5b8-xk2lp", false), ("web-7c9f6d5b8-xk2l", false),
        ("web-7c9f6d5b8-xk2la", false), ("", false),
    ])
    func `names that a Deployment gives its pods are told from others`(text: String, isName: Bool) {
        #expect(PodName.areNames(Array(text.utf8), Array("api-5d8b7f6c9-mmnpq".utf8)) == isName)
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
