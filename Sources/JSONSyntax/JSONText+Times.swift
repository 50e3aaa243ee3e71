// Wingmirror · Apache-2.0

/// Values that JSON has no type for, as text or number.
extension JSONText {
    /// Writes a duration in seconds, exactly.
    public mutating func seconds(nanoseconds: Int64) {
        let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text: [UInt8] = nanoseconds < 0 ? [0x2D] : []
        text += String(whole).utf8
        if fraction > 0 {
            text.append(0x2E)
            text.append(Int(fraction), width: 9)
            while text.last == 0x30 { text.removeLast() }
        }
        rendered(text)
    }

    /// Writes a time in UTC as RFC 3339 has it, with microseconds, or nanoseconds where they say more.
    public mutating func time(nanoseconds: Int64) {
        let second = nanoseconds.dividedRoundingDown(by: 1_000_000_000)
        let fraction = Int(nanoseconds - second * 1_000_000_000)
        let date = CivilDate(daysSinceEpoch: second.dividedRoundingDown(by: 86_400))
        let secondOfDay = Int(second - date.daysSinceEpoch * 86_400)
        var text: [UInt8] = [0x22]
        text.append(date.year, width: 4)
        text.append(0x2D)
        text.append(date.month, width: 2)
        text.append(0x2D)
        text.append(date.day, width: 2)
        text.append(0x54)
        text.append(secondOfDay / 3600, width: 2)
        text.append(0x3A)
        text.append(secondOfDay / 60 % 60, width: 2)
        text.append(0x3A)
        text.append(secondOfDay % 60, width: 2)
        text.append(0x2E)
        if fraction % 1000 == 0 { text.append(fraction / 1000, width: 6) } else { text.append(fraction, width: 9) }
        text += [0x5A, 0x22]
        rendered(text)
    }

    /// Writes octets as base64 text (RFC 4648 §4).
    public mutating func base64(_ content: [UInt8]) {
        var text: [UInt8] = [0x22]
        text.reserveCapacity(content.count / 3 * 4 + 6)
        for start in stride(from: 0, to: content.count, by: 3) {
            let available = min(3, content.count - start)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < available ? UInt32(content[start + offset]) : 0) }
            for place in 0..<4 {
                let digit = UInt8(group >> UInt32(18 - 6 * place) & 0x3F)
                text.append(place > available ? 0x3D : Self.base64Digit(digit))
            }
        }
        text.append(0x22)
        rendered(text)
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

extension [UInt8] {
    /// Adds a number in decimal digits, with zeros in front up to `width`.
    fileprivate mutating func append(_ value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(0x30 + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}

extension Int64 {
    /// The quotient, rounded towards negative infinity.
    fileprivate func dividedRoundingDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
