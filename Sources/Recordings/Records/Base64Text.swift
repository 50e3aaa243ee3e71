// Wingmirror · Apache-2.0
// Base 64 encoding: RFC 4648 §4.

/// Reads base64, which `JSONText` writes.
enum Base64Text {
    /// The octets that a text encodes; `nil` if it is not base64 with its padding.
    static func octets(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
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
}
