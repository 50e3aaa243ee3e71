// Wingmirror · Apache-2.0
// Base 64 encoding: RFC 4648 §4.

/// Octets as base64, with padding and without line ends.
public enum Base64Text {
    /// The text that encodes octets.
    public static func encoded(_ content: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.append(base64: content)
        return text
    }

    /// The octets that a text encodes; `nil` if it is not base64 with its padding.
    ///
    /// Bits behind the last octet are not looked at, as RFC 4648 §3.5 permits.
    public static func octets(_ text: some Collection<UInt8>) -> [UInt8]? {
        let digits = Array(text)
        guard digits.count % 4 == 0 else { return nil }
        let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
        guard padding < 2 || digits[digits.count - 2] == UInt8(ascii: "=") else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(digits.count / 4 * 3)
        var group: UInt32 = 0
        for (place, digit) in digits.dropLast(padding).enumerated() {
            guard let value = value(of: digit) else { return nil }
            group = group << 6 | UInt32(value)
            if place % 4 == 3 {
                octets += [UInt8(group >> 16), UInt8(group >> 8 & 0xFF), UInt8(group & 0xFF)]
                group = 0
            }
        }
        switch padding {
        case 1: octets += [UInt8(group >> 10 & 0xFF), UInt8(group >> 2 & 0xFF)]
        case 2: octets.append(UInt8(group >> 4 & 0xFF))
        default: break
        }
        return octets
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - 0x41
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - 0x61 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    fileprivate static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + value - 26
        case 52..<62: 0x30 + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

extension [UInt8] {
    /// Adds the base64 text of octets.
    public mutating func append(base64 content: [UInt8]) {
        reserveCapacity(count + (content.count + 2) / 3 * 4)
        for start in stride(from: 0, to: content.count, by: 3) {
            let available = Swift.min(3, content.count - start)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < available ? UInt32(content[start + offset]) : 0) }
            for place in 0..<4 {
                let digit = UInt8(group >> UInt32(18 - 6 * place) & 0x3F)
                append(place > available ? UInt8(ascii: "=") : Base64Text.digit(digit))
            }
        }
    }
}
