// Wingmirror · Apache-2.0
// Date and time on the Internet: RFC 3339 §5.6.

/// Points in time as RFC 3339 writes them: `2026-11-23T04:06:00.123456Z`.
///
/// Times are nanoseconds since the Unix epoch in an `Int64`, which reach from 1677-09-21 to 2262-04-11. Savefiles can name
/// any of them, so each has a text and none traps.
public enum InternetTime {
    /// How many digits stand behind the point of a second.
    public enum Precision: Sendable, Hashable {
        /// Three digits; what is finer is cut off.
        case milliseconds
        /// Six digits, or nine where they say more.
        case microsecondsOrFiner
    }

    /// A time in UTC as text.
    public static func text(nanoseconds: Int64, precision: Precision = .microsecondsOrFiner) -> String {
        var text: [UInt8] = []
        text.append(internetTime: nanoseconds, precision: precision)
        return String(decoding: text, as: UTF8.self)
    }

    /// The nanoseconds since the Unix epoch that a text names; `nil` for any other form, and beyond `Int64`.
    ///
    /// Takes `t`, `z` and a space as RFC 3339 permits, an offset from UTC, and a fraction of any length, of which nine
    /// digits count. A leap second is the second after it, which has the same number.
    public static func nanoseconds(_ text: String) -> Int64? {
        guard let (seconds, fraction) = parse(Array(text.utf8)) else { return nil }
        // A time before the epoch has a negative number of seconds and a fraction that counts forward from there. Near
        // the least number only the sum fits, so a second is lent to the fraction first.
        let isNegative = seconds < 0
        let (whole, isTooLarge) = Int64(isNegative ? seconds + 1 : seconds)
            .multipliedReportingOverflow(by: nanosecondsPerSecond)
        let (sum, isBeyond) = whole.addingReportingOverflow(isNegative ? fraction - nanosecondsPerSecond : fraction)
        return isTooLarge || isBeyond ? nil : sum
    }

    /// The whole seconds since the Unix epoch that a text names, its fraction cut off; `nil` for any other form.
    public static func seconds(_ text: String) -> Int64? {
        parse(Array(text.utf8)).map { Int64($0.seconds) }
    }

    static let nanosecondsPerSecond: Int64 = 1_000_000_000

    /// Seconds since the epoch and nanoseconds behind them.
    private static func parse(_ octets: [UInt8]) -> (seconds: Int, nanoseconds: Int64)? {
        guard octets.count >= 20, octets[4] == UInt8(ascii: "-"), octets[7] == UInt8(ascii: "-"),
            ASCII.lowered(octets[10]) == UInt8(ascii: "t") || octets[10] == 0x20,
            octets[13] == UInt8(ascii: ":"), octets[16] == UInt8(ascii: ":"),
            let year = number(octets[0..<4], in: 1...9999), let month = number(octets[5..<7], in: 1...12),
            let day = number(octets[8..<10], in: 1...31), let hour = number(octets[11..<13], in: 0...23),
            let minute = number(octets[14..<16], in: 0...59), let second = number(octets[17..<19], in: 0...60)
        else { return nil }
        var rest = octets[19...]
        var nanoseconds: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix(while: ASCII.isDigit)
            guard !digits.isEmpty else { return nil }
            for place in 0..<9 {
                let digit = digits.dropFirst(place).first ?? UInt8(ascii: "0")
                nanoseconds = nanoseconds * 10 + Int64(digit - UInt8(ascii: "0"))
            }
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let offset = offset(rest) else { return nil }
        let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
        return (days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds)
    }

    /// The seconds by which local time is ahead of UTC: `Z`, `+01:00`, `-03:30`.
    private static func offset(_ octets: ArraySlice<UInt8>) -> Int? {
        if octets.count == 1, let zone = octets.first, ASCII.lowered(zone) == UInt8(ascii: "z") { return 0 }
        let start = octets.startIndex
        guard octets.count == 6, octets[start + 3] == UInt8(ascii: ":"),
            let hours = number(octets[start + 1..<start + 3], in: 0...23),
            let minutes = number(octets[start + 4..<start + 6], in: 0...59)
        else { return nil }
        switch octets[start] {
        case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>, in range: ClosedRange<Int>) -> Int? {
        guard let number = DecimalText.number(digits), range.contains(Int(number)) else { return nil }
        return Int(number)
    }
}

extension [UInt8] {
    /// Adds a time in UTC, given in nanoseconds since the Unix epoch.
    ///
    /// Every `Int64` has a text: the division is rounded down by its remainder, never by multiplying back, which would
    /// overflow for the last second before the least number.
    public mutating func append(internetTime nanoseconds: Int64, precision: InternetTime.Precision) {
        let (second, fraction) = nanoseconds.dividedRoundingDown(by: InternetTime.nanosecondsPerSecond)
        let (day, secondOfDay) = second.dividedRoundingDown(by: 86_400)
        let date = CivilDate(daysSinceEpoch: Int(day))
        append(decimal: date.year, width: 4)
        append(UInt8(ascii: "-"))
        append(decimal: date.month, width: 2)
        append(UInt8(ascii: "-"))
        append(decimal: date.day, width: 2)
        append(UInt8(ascii: "T"))
        append(decimal: Int(secondOfDay) / 3600, width: 2)
        append(UInt8(ascii: ":"))
        append(decimal: Int(secondOfDay) / 60 % 60, width: 2)
        append(UInt8(ascii: ":"))
        append(decimal: Int(secondOfDay) % 60, width: 2)
        append(UInt8(ascii: "."))
        switch precision {
        case .milliseconds: append(decimal: Int(fraction) / 1_000_000, width: 3)
        case .microsecondsOrFiner where fraction % 1000 == 0: append(decimal: Int(fraction) / 1000, width: 6)
        case .microsecondsOrFiner: append(decimal: Int(fraction), width: 9)
        }
        append(UInt8(ascii: "Z"))
    }
}

extension Int64 {
    /// The quotient rounded towards negative infinity, and the remainder, which is not negative; `divisor` is positive.
    fileprivate func dividedRoundingDown(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
