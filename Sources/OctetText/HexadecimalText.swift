// Wingmirror · Apache-2.0

/// Numbers in hexadecimal digits of lower case.
public enum HexadecimalText {
    /// The highest `count` of a number's sixteen digits, zeros in front included.
    public static func digits(of number: UInt64, count: Int = 16) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(count)
        text.append(hexadecimal: number, count: count)
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Adds the highest `count` of a number's sixteen hexadecimal digits, zeros in front included.
    public mutating func append(hexadecimal number: UInt64, count: Int = 16) {
        precondition(0...16 ~= count, "[UInt8].append(hexadecimal:count:): a number of 64 bits has 16 digits")
        for place in 0..<count {
            append(ASCII.hexadecimalDigit(UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * place)) & 0xF))
        }
    }

    /// Adds an octet as `%XX`, with the letters in upper case (RFC 3986 §2.1).
    public mutating func append(percentEncoded octet: UInt8) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10 }
        append(UInt8(ascii: "%"))
        append(digit(octet >> 4))
        append(digit(octet & 0xF))
    }
}
