// Wingmirror · Apache-2.0

import OctetText

/// Values that JSON has no type for, as text or number.
extension JSONText {
    /// Writes a duration in seconds, exactly.
    public mutating func seconds(nanoseconds: Int64) {
        decimal(UInt(nanoseconds.magnitude), isNegative: nanoseconds < 0, places: 9)
    }

    /// Writes a time in UTC as RFC 3339 has it, with microseconds, or nanoseconds where they say more.
    public mutating func time(nanoseconds: Int64) {
        var (second, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if fraction < 0 {
            // Rounded down; the quotient of the least number is far from the end of its range.
            second -= 1
            fraction += 1_000_000_000
        }
        if second != latestSecond.number { latestSecond = SecondText(second, of: nanoseconds) }
        written.append(UInt8(ascii: "\""), hasComma: takesComma())
        written.append(latestSecond.first, latestSecond.second, latestSecond.third)
        let (microseconds, rest) = UInt64(fraction).quotientAndRemainder(dividingBy: 1000)
        if rest == 0 {
            written.append(fraction: microseconds, places: 6)
        } else {
            written.append(fraction: UInt64(fraction), places: 9)
        }
        written.append("Z\"", hasComma: false)
    }

    /// Writes octets as base64 text (RFC 4648 §4).
    public mutating func base64(_ content: [UInt8]) {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.append(base64: content)
        text.append(UInt8(ascii: "\""))
        rendered(text)
    }
}

/// A second as RFC 3339 has it, up to the point behind which its fraction stands: 20 octets, the first the lowest.
struct SecondText {
    /// The seconds since the Unix epoch.
    let number: Int64
    let first: UInt64
    let second: UInt64
    let third: UInt32

    /// No second.
    init() {
        number = .min
        first = 0
        second = 0
        third = 0
    }

    /// The second of a number, in which the time `nanoseconds` lies.
    init(_ number: Int64, of nanoseconds: Int64) {
        var text: [UInt8] = []
        text.append(internetTime: nanoseconds, precision: .milliseconds)
        self.number = number
        first = text.span.word(at: 0)
        second = text.span.word(at: 8)
        third = UInt32(truncatingIfNeeded: text.span.word(at: 12) >> 32)
    }
}
