// Wingmirror · Apache-2.0
// Times in UTC: RFC 3339 §5.6.

/// Reads the times of exchange records.
enum RecordTime {
    /// The nanoseconds since the Unix epoch that `2026-11-23T04:06:00.123456Z` names; `nil` for any other form.
    static func nanoseconds(_ text: String) -> Int64? {
        let octets = Array(text.utf8)
        guard octets.count >= 20, octets.count <= 30, octets.last == UInt8(ascii: "Z"),
            [4, 7].allSatisfy({ octets[$0] == UInt8(ascii: "-") }), octets[10] == UInt8(ascii: "T"),
            [13, 16].allSatisfy({ octets[$0] == UInt8(ascii: ":") }),
            let year = number(octets[0..<4]), let month = number(octets[5..<7]), let day = number(octets[8..<10]),
            let hour = number(octets[11..<13]), let minute = number(octets[14..<16]),
            let second = number(octets[17..<19]), let fraction = fraction(octets[19..<octets.count - 1]),
            (1970...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second < 61
        else { return nil }
        let days = days(year: year, month: month, day: day)
        return (days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + fraction
    }

    /// Days since the epoch, in years that begin in March, so that the leap day is the last of its year.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let era = year / 400
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Nanoseconds of `.123456`; 0 of nothing.
    private static func fraction(_ octets: ArraySlice<UInt8>) -> Int64? {
        guard let point = octets.first else { return 0 }
        let digits = octets.dropFirst()
        guard point == UInt8(ascii: "."), digits.count <= 9, var value = number(digits) else { return nil }
        for _ in digits.count..<9 { value *= 10 }
        return value
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }
}
