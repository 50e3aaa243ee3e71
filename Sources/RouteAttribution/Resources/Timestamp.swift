// Wingmirror · Apache-2.0
// Date and time on the Internet, RFC 3339 §5.6.

/// Times as Kubernetes writes them.
enum Timestamp {
    /// The seconds since 1970 of a text such as `2026-01-31T08:00:00Z`; a fraction is cut off.
    static func seconds(_ text: String) -> Int64? {
        let octets = Array(text.utf8)
        guard octets.count >= 20, octets[4] == 0x2D, octets[7] == 0x2D, octets[13] == 0x3A, octets[16] == 0x3A,
            octets[10] | 0x20 == 0x74 || octets[10] == 0x20,
            let year = digits(octets[0..<4]), let month = digits(octets[5..<7]), let day = digits(octets[8..<10]),
            let hour = digits(octets[11..<13]), let minute = digits(octets[14..<16]),
            let second = digits(octets[17..<19]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var rest = octets[19...]
        if rest.first == 0x2E {
            let fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard let offset = offset(rest) else { return nil }
        return daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    }

    private static func offset(_ octets: ArraySlice<UInt8>) -> Int64? {
        if octets.count == 1, let zone = octets.first, zone | 0x20 == 0x7A { return 0 }
        let start = octets.startIndex
        guard octets.count == 6, octets[start + 3] == 0x3A, let hours = digits(octets[start + 1..<start + 3]),
            let minutes = digits(octets[start + 4..<start + 6])
        else { return nil }
        switch octets[start] {
        case 0x2B: return hours * 3600 + minutes * 60
        case 0x2D: return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }

    private static func digits(_ octets: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for octet in octets {
            guard (0x30...0x39).contains(octet) else { return nil }
            value = value * 10 + Int64(octet - 0x30)
        }
        return value
    }

    /// Counts days in the Gregorian calendar, years beginning in March so that a leap day comes last.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    }
}
