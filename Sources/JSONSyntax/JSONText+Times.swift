// Wingmirror · Apache-2.0

import OctetText

/// Values that JSON has no type for, as text or number.
extension JSONText {
    /// Writes a duration in seconds, exactly.
    public mutating func seconds(nanoseconds: Int64) {
        let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text: [UInt8] = nanoseconds < 0 ? [0x2D] : []
        text += String(whole).utf8
        if fraction > 0 {
            text.append(0x2E)
            text.append(decimal: Int(fraction), width: 9)
            while text.last == 0x30 { text.removeLast() }
        }
        rendered(text)
    }

    /// Writes a time in UTC as RFC 3339 has it, with microseconds, or nanoseconds where they say more.
    public mutating func time(nanoseconds: Int64) {
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
