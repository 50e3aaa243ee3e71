// Wingmirror · Apache-2.0
// JSON text: RFC 8259.

/// Writes one JSON value after another into a buffer of octets, which is kept for the next line.
///
/// Text from the wire may hold any octets; what is not UTF-8 is written as U+FFFD, because JSON cannot carry it.
struct JSONLine {
    /// What was written so far.
    private(set) var octets: [UInt8] = []
    /// Whether the next member or element needs a comma before it.
    private var needsComma = false

    init() {
        octets.reserveCapacity(1 << 17)
    }

    /// Forgets what was written, and keeps the memory.
    mutating func removeAll() {
        octets.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Ends the line.
    mutating func endLine() {
        octets.append(0x0A)
        needsComma = false
    }

    // MARK: - Structure

    mutating func beginObject() { begin(0x7B) }
    mutating func endObject() { end(0x7D) }
    mutating func beginArray() { begin(0x5B) }
    mutating func endArray() { end(0x5D) }

    /// Writes the name of a member; it must need no escaping.
    mutating func name(_ name: StaticString) {
        separate()
        octets.append(0x22)
        literal(name)
        octets.append(0x22)
        octets.append(0x3A)
        needsComma = false
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        octets.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        octets.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { octets.append(0x2C) }
        needsComma = true
    }

    // MARK: - Values

    mutating func null() {
        separate()
        literal("null")
    }

    mutating func boolean(_ value: Bool) {
        separate()
        literal(value ? "true" : "false")
    }

    mutating func number(_ value: Int) {
        separate()
        digits(value)
    }

    /// Writes a duration in seconds, exactly.
    mutating func seconds(nanoseconds: Int64) {
        separate()
        if nanoseconds < 0 { octets.append(0x2D) }
        let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        digits(Int(whole))
        guard fraction > 0 else { return }
        octets.append(0x2E)
        padded(Int(fraction), width: 9)
        while octets.last == 0x30 { octets.removeLast() }
    }

    /// Writes text that is known to need no escaping.
    mutating func string(_ text: StaticString) {
        separate()
        octets.append(0x22)
        literal(text)
        octets.append(0x22)
    }

    mutating func string(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        string(text.utf8Span.span)
    }

    /// Writes text from the wire.
    mutating func string(_ text: Span<UInt8>) {
        separate()
        octets.append(0x22)
        var index = 0
        while index < text.count {
            let octet = text[index]
            if octet < 0x80 {
                escaped(octet)
                index += 1
            } else {
                let length = text.lengthOfScalar(at: index)
                if length == 0 {
                    literal("\u{FFFD}")
                    index += 1
                } else {
                    for position in index..<index + length { octets.append(text[position]) }
                    index += length
                }
            }
        }
        octets.append(0x22)
    }

    /// Writes octets as base64 text (RFC 4648 §4).
    mutating func base64(_ content: Span<UInt8>) {
        separate()
        octets.append(0x22)
        var index = 0
        while index < content.count {
            let available = min(3, content.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < available ? UInt32(content[index + offset]) : 0)
            }
            for place in 0..<4 {
                octets.append(
                    place > available ? 0x3D : Self.base64Digit(UInt8(group >> UInt32(18 - 6 * place) & 0x3F))
                )
            }
            index += 3
        }
        octets.append(0x22)
    }

    /// Writes an object whose members are JSON text already.
    mutating func object(members: [UInt8]) {
        beginObject()
        octets.append(contentsOf: members)
        endObject()
    }

    /// Writes a time in UTC as RFC 3339 has it, with microseconds, or nanoseconds where they say more.
    mutating func time(nanoseconds: Int64) {
        separate()
        octets.append(0x22)
        let second = nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : (nanoseconds - 999_999_999) / 1_000_000_000
        let fraction = Int(nanoseconds - second * 1_000_000_000)
        let date = CivilDate(daysSinceEpoch: second >= 0 ? second / 86400 : (second - 86399) / 86400)
        let secondOfDay = Int(second - date.daysSinceEpoch * 86400)
        padded(date.year, width: 4)
        octets.append(0x2D)
        padded(date.month, width: 2)
        octets.append(0x2D)
        padded(date.day, width: 2)
        octets.append(0x54)
        padded(secondOfDay / 3600, width: 2)
        octets.append(0x3A)
        padded(secondOfDay / 60 % 60, width: 2)
        octets.append(0x3A)
        padded(secondOfDay % 60, width: 2)
        octets.append(0x2E)
        if fraction % 1000 == 0 { padded(fraction / 1000, width: 6) } else { padded(fraction, width: 9) }
        octets.append(0x5A)
        octets.append(0x22)
    }

    // MARK: - Octets

    private mutating func literal(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { octets.append(text.octet(at: index)) }
    }

    private mutating func escaped(_ octet: UInt8) {
        switch octet {
        case 0x22, 0x5C:
            octets.append(0x5C)
            octets.append(octet)
        case 0x0A: literal("\\n")
        case 0x0D: literal("\\r")
        case 0x09: literal("\\t")
        case 0x00..<0x20, 0x7F:
            literal("\\u00")
            octets.append(Self.hexadecimalDigit(octet >> 4))
            octets.append(Self.hexadecimalDigit(octet & 0xF))
        default: octets.append(octet)
        }
    }

    private mutating func digits(_ value: Int) {
        if value < 0 { octets.append(0x2D) }
        var rest = value.magnitude
        let start = octets.count
        repeat {
            octets.append(0x30 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        octets[start...].reverse()
    }

    private mutating func padded(_ value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            octets.append(0x30 + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x57 + value
    }

    private static func base64Digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + value - 26
        case 52..<62: 0x30 + value - 52
        case 62: 0x2B
        default: 0x2F
        }
    }
}

/// A day of the Gregorian calendar.
private struct CivilDate {
    let daysSinceEpoch: Int64
    let year: Int
    let month: Int
    let day: Int

    /// Counts in eras of 400 years that begin in March, so that the leap day is the last of its year.
    init(daysSinceEpoch: Int64) {
        self.daysSinceEpoch = daysSinceEpoch
        let shifted = Int(daysSinceEpoch) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}

extension Span where Element == UInt8 {
    /// How many octets the well-formed UTF-8 sequence at `index` has; 0 when there is none (Unicode, table 3-7).
    fileprivate func lengthOfScalar(at index: Int) -> Int {
        let first = self[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard index + length <= count, second.contains(self[index + 1]) else { return 0 }
        for position in index + 2..<index + length where self[position] & 0xC0 != 0x80 { return 0 }
        return length
    }
}

extension StaticString {
    /// One octet of the literal.
    @inline(__always)
    fileprivate func octet(at index: Int) -> UInt8 {
        precondition(index < utf8CodeUnitCount)
        // Literals live as long as the program, and the precondition holds the index inside.
        return unsafe utf8Start[index]
    }
}
