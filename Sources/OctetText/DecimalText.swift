// Wingmirror · Apache-2.0

/// Numbers in decimal digits.
public enum DecimalText {
    /// The number that octets name, all of them digits; `nil` without digits, with other octets, and beyond `Int64`.
    ///
    /// No sign, no white space: those are for the caller, since each format has its own rule for them.
    public static func number(_ digits: some Sequence<UInt8>) -> Int64? {
        var value: Int64 = 0
        var isEmpty = true
        for digit in digits {
            guard let sum = appended(digit, to: value) else { return nil }
            value = sum
            isEmpty = false
        }
        return isEmpty ? nil : value
    }

    /// The number that a part of `octets` names, read where it lies; the rules are those of `number(_:)`.
    public static func number(_ octets: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard !range.isEmpty else { return nil }
        var value: Int64 = 0
        for index in range {
            guard let sum = appended(octets[index], to: value) else { return nil }
            value = sum
        }
        return value
    }

    /// Ten times a value and a digit.
    private static func appended(_ octet: UInt8, to value: Int64) -> Int64? {
        guard ASCII.isDigit(octet) else { return nil }
        let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, isBeyond) = product.addingReportingOverflow(Int64(octet &- UInt8(ascii: "0")))
        return isTooLarge || isBeyond ? nil : sum
    }
}

extension [UInt8] {
    /// Adds a number that is not negative in decimal digits, with zeros in front up to `width`, at most 19.
    ///
    /// Of a number that needs more digits than `width`, the last ones are written: callers know how large theirs can be.
    public mutating func append(decimal value: Int, width: Int) {
        append(addingCapacity: width) { $0.append(decimal: value.magnitude, width: width) }
    }
}

extension OutputSpan<UInt8> {
    /// Adds a number in decimal digits, as many as it needs, of which there are at most 20.
    @_lifetime(self: copy self)
    public mutating func append(number value: UInt) {
        // Most numbers in records are counts and ordinals.
        guard value >= 10 else { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)) }
        var width = 1
        var limit: UInt = 10
        while width < 20, value >= limit {
            width += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        append(decimal: value, width: width)
    }

    /// Adds the last `width` digits of a number, zeros in front of one that has fewer.
    @_lifetime(self: copy self)
    mutating func append(decimal value: UInt, width: Int) {
        // The fields of a time.
        guard width != 2 else {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / 10 % 10))
            return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value % 10))
        }
        var rest = value
        append(repeating: UInt8(ascii: "0"), count: width)
        var index = count
        for _ in 0..<width where rest > 0 {
            index -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            // A digit is below 10.
            self[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
    }
}
