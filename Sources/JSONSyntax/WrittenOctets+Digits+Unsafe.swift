// Wingmirror · Apache-2.0

/// Numbers and addresses in decimal digits, written where they are to stand.
///
/// Eight digits are made at once, and shifted to where the first of them is wanted: how many there are differs from number to number,
/// and a processor that guesses wrong loses more than the digits cost.
extension WrittenOctets {
    /// Adds a number in decimal digits, as many as it needs, behind a comma if `hasComma`.
    @usableFromInline
    mutating func append(number: Int, hasComma: Bool) {
        // A comma, a sign, and 19 digits or a word of eight.
        let end = unsafe end(withRoomFor: 21)
        var length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        if _slowPath(number < 0) {
            unsafe end[length] = UInt8(ascii: "-")
            length &+= 1
        }
        let magnitude = UInt64(number.magnitude)
        // Invariant: no magnitude of an Int has more than 19 digits, for which there is room.
        length &+=
            magnitude < 100_000_000
            ? unsafe Self.writeFew(magnitude, at: end + length) : unsafe Self.writeMany(magnitude, at: end + length)
        count &+= length
    }

    /// Adds a time in quotes, behind a comma if `hasComma`: with six places, or nine where they say more.
    ///
    /// - Parameters:
    ///   - second: The text of its second, with the point.
    ///   - fraction: The nanoseconds since then, below a second.
    ///   - hasComma: Whether a comma stands before it.
    mutating func append(time second: SecondText, fraction: UInt64, hasComma: Bool) {
        // A comma, a quote, 20 octets, nine digits, a Z and a quote.
        let end = unsafe end(withRoomFor: 33)
        var length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[length] = UInt8(ascii: "\"")
        length &+= 1
        unsafe Self.store(second.first, at: end + length)
        unsafe Self.store(second.second, at: end + length + 8)
        unsafe Self.store(second.third, at: end + length + 16)
        length &+= 20
        let (microseconds, rest) = fraction.quotientAndRemainder(dividingBy: 1000)
        // Invariant: the digits are nine at most, or a word of eight, behind 22 octets.
        if rest == 0 {
            _ = unsafe Self.write(fraction: microseconds, places: 6, at: end + length)
            length &+= 6
        } else {
            _ = unsafe Self.write(fraction: fraction, places: 9, at: end + length)
            length &+= 9
        }
        unsafe end[length] = UInt8(ascii: "Z")
        unsafe end[length &+ 1] = UInt8(ascii: "\"")
        count &+= length &+ 2
    }

    /// Adds a part of a second in seconds, behind a comma if `hasComma`, without the zeros at its end: `0.0021`.
    ///
    /// - Parameters:
    ///   - nanoseconds: The part, below 10⁹.
    ///   - hasComma: Whether a comma stands before it.
    mutating func append(secondsBelowOne nanoseconds: UInt64, hasComma: Bool) {
        // A comma, a zero, a point and nine digits.
        let end = unsafe end(withRoomFor: 12)
        var length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[length] = UInt8(ascii: "0")
        length &+= 1
        if nanoseconds > 0 {
            unsafe end[length] = UInt8(ascii: ".")
            length &+= unsafe 1 &+ Self.write(fraction: nanoseconds, places: 9, at: end + length + 1)
        }
        count &+= length
    }

    /// Adds a point and the digits of a fraction that is not zero, without the zeros at its end.
    ///
    /// - Parameters:
    ///   - fraction: The fraction, in units of the last place.
    ///   - places: 6 or 9.
    mutating func appendPoint(fraction: UInt64, places: Int) {
        let end = unsafe end(withRoomFor: 10)
        unsafe end[0] = UInt8(ascii: ".")
        count &+= unsafe 1 &+ Self.write(fraction: fraction, places: places, at: end + 1)
    }

    /// Adds an IPv4 address and a port in quotes, behind a comma if `hasComma`: `"192.0.2.1:80"`.
    ///
    /// - Parameters:
    ///   - address: The four octets of the address, the first in the highest place.
    ///   - port: The port.
    ///   - hasComma: Whether a comma stands before it.
    mutating func append(address: UInt32, port: UInt16, hasComma: Bool) {
        // A comma, two quotes, four times three digits and a point or colon, and five digits or a word of eight.
        let end = unsafe end(withRoomFor: 28)
        var length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[length] = UInt8(ascii: "\"")
        length &+= 1
        let texts = unsafe Self.octetTexts
        // Invariant: these and what follows fit into the 28.
        length &+= unsafe Self.write(texts[Int(address &>> 24)], before: ".", at: end + length)
        length &+= unsafe Self.write(texts[Int(address &>> 16 & 0xFF)], before: ".", at: end + length)
        length &+= unsafe Self.write(texts[Int(address &>> 8 & 0xFF)], before: ".", at: end + length)
        length &+= unsafe Self.write(texts[Int(address & 0xFF)], before: ":", at: end + length)
        length &+= unsafe Self.writeFew(UInt64(port), at: end + length)
        unsafe end[length] = UInt8(ascii: "\"")
        count &+= length &+ 1
    }

    // MARK: - Digits

    /// The eight last digits of a number below 10⁸, from 0 to 9 in an octet each, the first the lowest.
    ///
    /// Fours, pairs and single digits are divided side by side in one word. 10486/2²⁰ is a hundredth for all numbers below
    /// 10,000, and 103/2¹⁰ a tenth for all below 100; no part reaches into the next.
    @inline(__always)
    private static func eightDigits(of number: UInt64) -> UInt64 {
        let (high, low) = number.quotientAndRemainder(dividingBy: 10_000)
        let fours = high | low &<< 32
        let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007F_0000_007F
        let pairs = hundreds &+ (fours &- hundreds &* 100) &<< 16
        let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F
        return tens &+ (pairs &- tens &* 10) &<< 8
    }

    /// The octets of digits as text.
    private static var zeros: UInt64 { 0x3030_3030_3030_3030 }

    /// Writes a number below 10⁸ with as many digits as it needs, and returns how many; there must be room for eight octets.
    @inline(__always)
    private static func writeFew(_ number: UInt64, at start: UnsafeMutablePointer<UInt8>) -> Int {
        let digits = eightDigits(of: number)
        // Zeros in front are the lowest octets; the last digit stands in any case.
        let leading = (digits | 1 &<< 56).trailingZeroBitCount &>> 3
        unsafe store((digits | zeros) &>> UInt64(truncatingIfNeeded: leading &* 8), at: start)
        return 8 &- leading
    }

    /// Writes a number of nine to 19 digits, and returns how many; there must be room for 19 octets.
    @inline(never)
    private static func writeMany(_ number: UInt64, at start: UnsafeMutablePointer<UInt8>) -> Int {
        let (rest, eight) = number.quotientAndRemainder(dividingBy: 100_000_000)
        let width = rest < 100_000_000 ? unsafe writeFew(rest, at: start) : unsafe writeMany(rest, at: start)
        unsafe store(eightDigits(of: eight) | zeros, at: start + width)
        return width &+ 8
    }

    /// Writes the places of a fraction, 6 or 9; there must be room for nine octets.
    ///
    /// - Returns: How many there are up to the last that is not zero.
    @inline(__always)
    private static func write(fraction: UInt64, places: Int, at start: UnsafeMutablePointer<UInt8>) -> Int {
        if places == 6 {
            // Two zeros more at the end make them eight.
            let digits = eightDigits(of: fraction &* 100)
            unsafe store(digits | zeros, at: start)
            return 8 &- digits.leadingZeroBitCount &>> 3
        }
        let (first, others) = fraction.quotientAndRemainder(dividingBy: 100_000_000)
        let digits = eightDigits(of: others)
        unsafe start[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: first)
        unsafe store(digits | zeros, at: start + 1)
        return 9 &- digits.leadingZeroBitCount &>> 3
    }

    @inline(__always)
    private static func store(_ text: UInt32, at start: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(start).storeBytes(of: text.littleEndian, as: UInt32.self)
    }

    @inline(__always)
    private static func store(_ text: UInt64, at start: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(start).storeBytes(of: text.littleEndian, as: UInt64.self)
    }

    /// The numbers below 256 as text: up to three digits, the first in the lowest octet, and in the highest octet how many.
    ///
    /// `nonisolated(unsafe)`: made once, read by all threads, and never changed or given back.
    nonisolated(unsafe) private static let octetTexts: UnsafePointer<UInt32> = {
        let texts = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
        for number in UInt32(0)..<256 {
            let digits = 0x30_3030 | number / 100 | (number / 10 % 10) << 8 | (number % 10) << 16
            let count: UInt32 = number < 10 ? 1 : number < 100 ? 2 : 3
            // Invariant: the number is the place of one of the 256.
            unsafe (texts + Int(number)).initialize(to: digits >> ((3 - count) * 8) | count << 24)
        }
        return unsafe UnsafePointer(texts)
    }()

    /// Writes one of the texts of numbers below 256, and a mark behind it; there must be room for four octets.
    ///
    /// - Returns: How many octets both are.
    @inline(__always)
    private static func write(_ text: UInt32, before mark: Unicode.Scalar, at start: UnsafeMutablePointer<UInt8>) -> Int
    {
        let count = Int(text &>> 24)
        unsafe store(text, at: start)
        // Invariant: there are three digits at most, so that the mark is the fourth octet or one before it.
        unsafe start[count] = UInt8(truncatingIfNeeded: mark.value)
        return count &+ 1
    }
}
