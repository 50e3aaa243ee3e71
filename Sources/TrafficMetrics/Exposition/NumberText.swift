// Wingmirror · Apache-2.0
// Numbers of the text formats: OpenMetrics 1.0, canonical numbers; exposition format 0.0.4.

extension [UInt8] {
    /// Appends a whole number in decimal.
    mutating func appendNumber(_ value: UInt64) {
        guard value >= 10 else { return append(UInt8(ascii: "0") + UInt8(value)) }
        let start = count
        var rest = value
        while rest != 0 {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        self[start...].reverse()
    }

    /// Appends a number in the canonical form of OpenMetrics, which is Go's shortest.
    ///
    /// With an exponent of two digits at least from 1e-05 down and from 1e+06 up, else plain and with `.0` if whole; `+Inf`,
    /// `-Inf` and `NaN` for what is no finite number. The digits are the fewest that give the same number when read.
    mutating func appendNumber(_ value: Double) {
        if value.isNaN { return append(contentsOf: "NaN".utf8) }
        if value < 0 || (value == 0 && value.sign == .minus) { append(UInt8(ascii: "-")) }
        if value.isInfinite {
            if value > 0 { append(UInt8(ascii: "+")) }
            return append(contentsOf: "Inf".utf8)
        }
        let (digits, pointPosition) = Self.shortestDigits(of: value.magnitude)
        if pointPosition > 6 || pointPosition < -3 {
            appendScientific(digits, exponent: pointPosition - 1)
        } else {
            appendPlain(digits, pointPosition: pointPosition)
        }
    }

    /// Appends a time in seconds, to the nanosecond and without zeros at the end.
    mutating func appendSeconds(nanoseconds: Int64) {
        if nanoseconds < 0 { append(UInt8(ascii: "-")) }
        let (seconds, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        appendNumber(seconds)
        append(UInt8(ascii: "."))
        var place: UInt64 = 100_000_000
        var left = rest
        repeat {
            append(UInt8(ascii: "0") + UInt8(left / place))
            left %= place
            place /= 10
        } while left != 0
    }

    /// The fewest digits that name a finite number, and where the point stands: `(12, 1)` for 1.2, `(12, -1)` for 0.012.
    private static func shortestDigits(of value: Double) -> (digits: [UInt8], pointPosition: Int) {
        var digits: [UInt8] = []
        var pointPosition: Int?
        var exponent = 0
        var text = value.description.utf8[...]
        if let mark = text.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(text[text.index(after: mark)...]) ?? "0") ?? 0
            text = text[..<mark]
        }
        for octet in text {
            if octet == UInt8(ascii: ".") {
                pointPosition = digits.count
            } else {
                digits.append(octet)
            }
        }
        let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        let position = (pointPosition ?? digits.count) + exponent - leadingZeros
        digits.removeFirst(leadingZeros)
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
        }
        return digits.isEmpty ? ([UInt8(ascii: "0")], 1) : (digits, position)
    }

    private mutating func appendPlain(_ digits: [UInt8], pointPosition: Int) {
        guard pointPosition > 0 else {
            append(contentsOf: "0.".utf8)
            append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -pointPosition))
            return append(contentsOf: digits)
        }
        append(contentsOf: digits.prefix(pointPosition))
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: Swift.max(0, pointPosition - digits.count)))
        append(UInt8(ascii: "."))
        if digits.count > pointPosition {
            append(contentsOf: digits[pointPosition...])
        } else {
            append(UInt8(ascii: "0"))
        }
    }

    private mutating func appendScientific(_ digits: [UInt8], exponent: Int) {
        append(digits[0])
        if digits.count > 1 {
            append(UInt8(ascii: "."))
            append(contentsOf: digits[1...])
        }
        append(UInt8(ascii: "e"))
        append(UInt8(ascii: exponent < 0 ? "-" : "+"))
        if exponent.magnitude < 10 { append(UInt8(ascii: "0")) }
        appendNumber(UInt64(exponent.magnitude))
    }
}
