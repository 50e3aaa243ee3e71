// Wingmirror · Apache-2.0

import OctetText

/// Values that JSON has no type for, as text or number.
extension JSONText {
    /// Writes a duration in seconds, exactly.
    public mutating func seconds(nanoseconds: Int64) {
        separate()
        let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        if nanoseconds < 0 { octets.append(UInt8(ascii: "-")) }
        octets.append(number: Int(whole))
        guard fraction > 0 else { return }
        octets.append(UInt8(ascii: "."))
        var digits = fraction
        var width = 9
        while digits % 10 == 0 {
            digits /= 10
            width -= 1
        }
        octets.append(decimal: Int(digits), width: width)
    }

    /// Writes a time in UTC as RFC 3339 has it, with microseconds, or nanoseconds where they say more.
    public mutating func time(nanoseconds: Int64) {
        separate()
        octets.append(UInt8(ascii: "\""))
        octets.append(internetTime: nanoseconds, precision: .microsecondsOrFiner)
        octets.append(UInt8(ascii: "\""))
    }

    /// Writes octets as base64 text (RFC 4648 §4).
    public mutating func base64(_ content: [UInt8]) {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.append(base64: content)
        text.append(UInt8(ascii: "\""))
        rendered(text)
    }
}
