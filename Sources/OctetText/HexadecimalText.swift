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
}
