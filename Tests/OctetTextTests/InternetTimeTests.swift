// Wingmirror · Apache-2.0
// Date and time on the Internet: RFC 3339 §5.6 and §5.8.

import OctetText
import Testing

@Suite struct InternetTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_795_406_760_123_456_000, "2026-11-23T04:06:00.123456Z"),
            (1_795_406_760_123_456_789, "2026-11-23T04:06:00.123456789Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (-2_203_891_200_000_000_000, "1900-03-01T00:00:00.000000Z"),
            (.max, "2262-04-11T23:47:16.854775807Z"),
            (.min, "1677-09-21T00:12:43.145224192Z"),
            // The last second before the least number is where multiplying the second back overflows.
            (.min + 145_224_191, "1677-09-21T00:12:43.290448383Z"),
            (.min + 854_775_808, "1677-09-21T00:12:44.000000Z"),
        ] as [(Int64, String)]
    )
    func `a time has one text, which is read as the same time`(nanoseconds: Int64, text: String) {
        #expect(InternetTime.text(nanoseconds: nanoseconds) == text)
        #expect(InternetTime.nanoseconds(text) == nanoseconds)
    }

    @Test func `every time of the range is written, and read as itself`() {
        // Steps of a prime number of nanoseconds meet each time of day; the second at either end is looked at closely.
        var failures = 0
        func check(_ time: Int64) {
            if InternetTime.nanoseconds(InternetTime.text(nanoseconds: time)) != time { failures += 1 }
        }
        var time = Int64.min
        let step: Int64 = 922_337_203_685_477
        while true {
            check(time)
            let (next, overflows) = time.addingReportingOverflow(step)
            if overflows { break }
            time = next
        }
        for offset in stride(from: Int64(0), to: 2_000_000_000, by: 999_983) {
            check(.min + offset)
            check(.max - offset)
            check(offset - 1_000_000_000)
        }
        var generator = SeededGenerator(seed: 2262)
        for _ in 0..<20_000 { check(Int64(bitPattern: generator.next())) }
        #expect(failures == 0)
    }

    @Test func `days follow each other through all years`() {
        var previous = ""
        for day in stride(from: -106_000, through: 106_000, by: 1) {
            let text = InternetTime.text(nanoseconds: Int64(day) * 86_400_000_000_000, precision: .milliseconds)
            if text <= previous { Issue.record("\(text) does not come after \(previous)") }
            previous = text
        }
    }

    @Test func `milliseconds are cut off, not rounded`() {
        #expect(
            InternetTime.text(nanoseconds: 1_999_999_999, precision: .milliseconds) == "1970-01-01T00:00:01.999Z"
        )
    }

    @Test(
        arguments: [
            ("1985-04-12T23:20:50.52Z", 482_196_050_520_000_000),
            ("1996-12-19T16:39:57-08:00", 851_042_397_000_000_000),
            ("1990-12-31T23:59:60Z", 662_688_000_000_000_000),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130_000_000),
            ("2026-11-23t04:06:00z", 1_795_406_760_000_000_000),
            ("2026-11-23 04:06:00Z", 1_795_406_760_000_000_000),
            ("2026-11-23T04:06:00.1234567891234Z", 1_795_406_760_123_456_789),
        ] as [(String, Int64)]
    )
    func `the forms of RFC 3339 are read`(text: String, nanoseconds: Int64) {
        #expect(InternetTime.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "2026-11-23", "2026-11-23T04:06:00", "2026-11-23T04:06Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00",
        "2026/01/01T00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "２026-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z",
        "9999-12-31T23:59:59Z",
    ])
    func `another form, or a time beyond the range, is refused`(text: String) {
        #expect(InternetTime.nanoseconds(text) == nil)
    }

    @Test func `seconds reach through all years of four digits`() {
        #expect(InternetTime.seconds("9999-12-31T23:59:59.9Z") == 253_402_300_799)
        #expect(InternetTime.seconds("0001-01-01T00:00:00Z") == -62_135_596_800)
    }
}
