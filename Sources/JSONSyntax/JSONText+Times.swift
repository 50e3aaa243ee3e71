// Wingmirror · Apache-2.0

import OctetText

/// Values that JSON has no type for, as text or number.
extension JSONText {
    /// Writes a duration in seconds, exactly.
    public mutating func seconds(nanoseconds: Int64) {
        // Nearly all durations.
        if UInt64(bitPattern: nanoseconds) < 1_000_000_000 {
            written.append(secondsBelowOne: UInt64(bitPattern: nanoseconds), hasComma: takesComma())
        } else {
            decimal(UInt(nanoseconds.magnitude), isNegative: nanoseconds < 0, places: 9)
        }
    }

    /// Writes a time in UTC as RFC 3339 has it, with microseconds, or nanoseconds where they say more.
    public mutating func time(nanoseconds: Int64) {
        if _slowPath(!latestSecond.contains(nanoseconds)) {
            guard SecondText.kept.contains(nanoseconds) else { return timeOfOuterSecond(nanoseconds) }
            latestSecond = SecondText(of: nanoseconds)
        }
        // Within the second, so neither negative nor more than it has.
        let fraction = UInt64(bitPattern: nanoseconds &- latestSecond.start)
        written.append(time: latestSecond, fraction: fraction, hasComma: takesComma())
    }

    /// Writes a time in a second that reaches beyond the least time or the greatest.
    private mutating func timeOfOuterSecond(_ nanoseconds: Int64) {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.append(internetTime: nanoseconds, precision: .microsecondsOrFiner)
        text.append(UInt8(ascii: "\""))
        rendered(text)
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
    /// Times of which the second begins and ends with a time, so that no difference to its start wraps around into it.
    static let kept = (Int64.min + 1_000_000_000)...(Int64.max - 1_000_000_000)

    /// When it begins, in nanoseconds since the Unix epoch.
    let start: Int64
    let first: UInt64
    let second: UInt64
    let third: UInt32

    /// No second.
    init() {
        start = 0
        first = 0
        second = 0
        third = 0
    }

    /// The second in which the time `nanoseconds` lies, which is one of ``kept``.
    @inline(never)
    init(of nanoseconds: Int64) {
        var text: [UInt8] = []
        text.append(internetTime: nanoseconds, precision: .milliseconds)
        let rest = nanoseconds % 1_000_000_000
        start = nanoseconds &- (rest < 0 ? rest + 1_000_000_000 : rest)
        first = text.span.word(at: 0)
        second = text.span.word(at: 8)
        third = UInt32(truncatingIfNeeded: text.span.word(at: 12) >> 32)
    }

    /// Whether a time lies within the second.
    @inline(__always)
    func contains(_ nanoseconds: Int64) -> Bool {
        // No text begins with a zero octet.
        UInt64(bitPattern: nanoseconds &- start) < 1_000_000_000 && first != 0
    }
}
