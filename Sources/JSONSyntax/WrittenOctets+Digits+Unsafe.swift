// Wingmirror · Apache-2.0

/// Numbers and addresses in decimal digits, written where they are to stand.
extension WrittenOctets {
    /// Adds a number in decimal digits, as many as it needs, behind a comma if `hasComma`.
    mutating func append(number: Int, hasComma: Bool) {
        // A comma, a sign and 19 digits.
        let end = unsafe end(withRoomFor: 21)
        var length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        // Most numbers in records are counts and ordinals.
        if 0..<10 ~= number {
            unsafe end[length] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number)
            count &+= length &+ 1
            return
        }
        if number < 0 {
            unsafe end[length] = UInt8(ascii: "-")
            length &+= 1
        }
        let magnitude = UInt64(number.magnitude)
        let width = Self.digits(of: magnitude)
        // Invariant: no magnitude of an Int has more than 19 digits, for which there is room.
        unsafe Self.write(magnitude, width: width, at: end + length)
        count &+= length &+ width
    }

    /// Adds the last `width` digits of a number, with zeros in front of one that has fewer; at most 19.
    mutating func append(decimal number: UInt64, width: Int) {
        precondition(0...19 ~= width, "WrittenOctets: no number has so many digits")
        unsafe Self.write(number, width: width, at: end(withRoomFor: width))
        count &+= width
    }

    /// Takes the zeros at the end away; there must be another octet.
    mutating func removeTrailingZeros() {
        // Invariant: the first `count` octets are written.
        while count > 1, unsafe memory[count &- 1] == UInt8(ascii: "0") { count &-= 1 }
    }

    /// Adds an IPv4 address and a port in quotes, behind a comma if `hasComma`: `"192.0.2.1:80"`.
    ///
    /// - Parameters:
    ///   - address: The four octets of the address, the first in the highest place.
    ///   - port: The port.
    ///   - hasComma: Whether a comma stands before it.
    mutating func append(address: UInt32, port: UInt16, hasComma: Bool) {
        // A comma, two quotes, four times three digits and a point or colon, and five digits.
        let end = unsafe end(withRoomFor: 24)
        var length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[length] = UInt8(ascii: "\"")
        length &+= 1
        var shift: UInt32 = 24
        while true {
            // Invariant: these and what follows fit into the 24.
            length &+= unsafe Self.write(address &>> shift & 0xFF, at: end + length)
            unsafe end[length] = shift == 0 ? UInt8(ascii: ":") : UInt8(ascii: ".")
            length &+= 1
            if shift == 0 { break }
            shift &-= 8
        }
        let width = Self.digits(of: UInt64(port))
        unsafe Self.write(UInt64(port), width: width, at: end + length)
        length &+= width
        unsafe end[length] = UInt8(ascii: "\"")
        count &+= length &+ 1
    }

    /// How many digits a number has that is below 10¹⁹.
    @inline(__always)
    private static func digits(of number: UInt64) -> Int {
        var width = 1
        var limit: UInt64 = 10
        while width < 19, number >= limit {
            width &+= 1
            // 10¹⁹ is the largest limit, which 64 bits hold.
            limit &*= 10
        }
        return width
    }

    /// Writes a number below 256, for which there is room; returns how many digits it has.
    @inline(__always)
    private static func write(_ octet: UInt32, at start: UnsafeMutablePointer<UInt8>) -> Int {
        // 41/4096 is a hundredth for all numbers below 256, and 205/2048 a tenth for all below 100; nothing overflows.
        let hundreds = (octet &* 41) &>> 12
        let rest = octet &- hundreds &* 100
        let tens = (rest &* 205) &>> 11
        let ones = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- tens &* 10)
        guard octet >= 10 else {
            unsafe start[0] = ones
            return 1
        }
        let place = octet >= 100 ? 1 : 0
        unsafe start[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: hundreds)
        unsafe start[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
        unsafe start[place &+ 1] = ones
        return place &+ 2
    }

    /// Writes the last `width` digits of a number; there must be room for them.
    @inline(__always)
    private static func write(_ number: UInt64, width: Int, at start: UnsafeMutablePointer<UInt8>) {
        var rest = number
        var place = width
        // Two at a time, from the end.
        while place >= 2 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            // 205/2048 is a tenth for all numbers below 100, and nothing overflows 64 bits.
            let tens = (pair &* 205) &>> 11
            place &-= 2
            unsafe start[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
            unsafe start[place &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair &- tens &* 10)
            rest = quotient
        }
        if place == 1 { unsafe start[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10) }
    }
}
