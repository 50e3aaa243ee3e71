// Wingmirror · Apache-2.0

/// Octets that are written one run behind the other, in memory that grows and is kept.
///
/// A record is a hundred additions of a few octets each. An array would ask at each, by a call, whether it is the only owner
/// of its elements; this memory has one owner by its type.
@safe
@usableFromInline
struct WrittenOctets: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory belongs to this value alone, which has no copies, and no pointer to it outlives a call.
    @usableFromInline var memory: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    /// How many octets have been written.
    @usableFromInline var count = 0

    init() {
        capacity = 0
        unsafe memory = .allocate(capacity: 0)
    }

    @inlinable
    deinit {
        // Octets are plain, so nothing has to be done with them at the end.
        unsafe memory.deallocate()
    }

    /// A copy of what has been written.
    var copy: [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: memory, count: count))
    }

    /// Forgets what has been written and keeps the memory.
    mutating func removeAll() { count = 0 }

    // MARK: - Room

    /// Where the next octet goes, with room for at least so many.
    ///
    /// Who writes there adds to the count what was written, and no more than was asked for.
    @inlinable
    @inline(__always)
    mutating func end(withRoomFor additional: Int) -> UnsafeMutablePointer<UInt8> {
        // Invariant: the count is at most the capacity, and neither is negative, so the difference does not overflow.
        if _slowPath(capacity &- count < additional) { grow(by: additional) }
        return unsafe memory + count
    }

    @inline(never)
    @usableFromInline
    mutating func grow(by additional: Int) {
        let larger = max(count + additional, 2 * capacity, 256)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        unsafe moved.moveInitialize(from: memory, count: count)
        unsafe memory.deallocate()
        unsafe memory = moved
        capacity = larger
    }

    // MARK: - Runs

    /// Adds an octet, behind a comma if `hasComma`.
    @inlinable
    @inline(__always)
    mutating func append(_ octet: UInt8, hasComma: Bool) {
        let end = unsafe end(withRoomFor: 2)
        // Invariant: there is room for two; the comma is written over where it is not wanted.
        let length = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[length] = octet
        count &+= length &+ 1
    }

    /// Adds a literal, behind a comma if `hasComma`.
    @inlinable
    @inline(__always)
    mutating func append(_ text: StaticString, hasComma: Bool) {
        let length = text.utf8CodeUnitCount
        let end = unsafe end(withRoomFor: length + 1)
        // Invariant: there is room for the literal and a comma; a literal has an address for ever.
        let comma = hasComma ? 1 : 0
        unsafe end[0] = UInt8(ascii: ",")
        unsafe (end + comma).initialize(from: text.utf8Start, count: length)
        count &+= comma &+ length
    }

    /// Adds a literal in quotes, behind a comma if `hasComma`.
    @inlinable
    @inline(__always)
    mutating func append(quoted text: StaticString, hasComma: Bool) {
        let length = text.utf8CodeUnitCount
        let end = unsafe end(withRoomFor: length + 3)
        let start = hasComma ? 1 : 0
        // Invariant: there is room for a comma, two quotes and the literal, which has an address for ever.
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[start] = UInt8(ascii: "\"")
        unsafe (end + start + 1).initialize(from: text.utf8Start, count: length)
        unsafe end[start + length + 1] = UInt8(ascii: "\"")
        count &+= start &+ length &+ 2
    }

    /// Adds a literal in quotes and a colon, behind a comma if `hasComma`.
    @inlinable
    @inline(__always)
    mutating func append(key text: StaticString, hasComma: Bool) {
        let length = text.utf8CodeUnitCount
        let end = unsafe end(withRoomFor: length + 4)
        let start = hasComma ? 1 : 0
        // Invariant: there is room for a comma, two quotes, the literal and a colon; a literal has an address for ever.
        unsafe end[0] = UInt8(ascii: ",")
        unsafe end[start] = UInt8(ascii: "\"")
        unsafe (end + start + 1).initialize(from: text.utf8Start, count: length)
        unsafe end[start + length + 1] = UInt8(ascii: "\"")
        unsafe end[start + length + 2] = UInt8(ascii: ":")
        count &+= start &+ length &+ 3
    }

    /// Adds octets.
    mutating func append(_ text: Span<UInt8>) {
        let end = unsafe end(withRoomFor: text.count)
        unsafe text.withUnsafeBufferPointer { source in
            // Invariant: there is room for as many, and a span of others' octets cannot lie in this memory.
            if let start = source.baseAddress { unsafe end.initialize(from: start, count: source.count) }
        }
        count &+= text.count
    }

    /// Adds octets.
    mutating func append(_ text: [UInt8]) {
        let end = unsafe end(withRoomFor: text.count)
        unsafe text.withUnsafeBufferPointer { source in
            // As above.
            if let start = source.baseAddress { unsafe end.initialize(from: start, count: source.count) }
        }
        count &+= text.count
    }

    /// Adds what `write` adds, at most `most` octets.
    @inlinable
    @inline(__always)
    mutating func append(atMost most: Int, _ write: (inout OutputSpan<UInt8>) -> Void) {
        let room = unsafe UnsafeMutableBufferPointer(start: end(withRoomFor: most), count: most)
        // Invariant: there is room for as many, and the span ends before anything else is written.
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        write(&output)
        count &+= unsafe output.finalize(for: room)
    }

    // MARK: - Digits

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

    // MARK: - Words

    /// Adds 20 octets that are 16 in two words and four in a third, the first octet the lowest.
    mutating func append(_ first: UInt64, _ second: UInt64, _ third: UInt32) {
        let end = unsafe UnsafeMutableRawPointer(end(withRoomFor: 20))
        // Invariant: there is room for 20.
        unsafe end.storeBytes(of: first.littleEndian, as: UInt64.self)
        unsafe end.storeBytes(of: second.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe end.storeBytes(of: third.littleEndian, toByteOffset: 16, as: UInt32.self)
        count &+= 20
    }

    /// Adds a text in quotes, behind a comma if `hasComma`, unless an octet of it must be escaped; adds nothing then.
    ///
    /// Each word is looked at and written in one go. The last octets are a word that overlaps with the one before, or smaller
    /// words that overlap.
    ///
    /// - Returns: Whether it was added.
    mutating func append(plain text: Span<UInt8>, hasComma: Bool) -> Bool {
        let length = text.count
        let end = unsafe end(withRoomFor: length + 3)
        var start = 0
        unsafe end[0] = UInt8(ascii: ",")
        if hasComma { start = 1 }
        unsafe end[start] = UInt8(ascii: "\"")
        start &+= 1
        let output = unsafe UnsafeMutableRawPointer(end + start)
        // Invariant: there is room for the text, and each word lies within it, so within the room as well.
        let isPlain = unsafe text.withUnsafeBytes { source in
            unsafe source.baseAddress.map { unsafe Self.copyPlain($0, length, to: output) } ?? true
        }
        guard isPlain else { return false }
        unsafe end[start &+ length] = UInt8(ascii: "\"")
        count &+= start &+ length &+ 1
        return true
    }

    /// Copies octets as long as none of them must be escaped; returns whether all were copied.
    @inline(__always)
    private static func copyPlain(_ source: UnsafeRawPointer, _ length: Int, to output: UnsafeMutableRawPointer) -> Bool
    {
        var index = 0
        while index &+ 8 <= length {
            guard unsafe copyWord(source, at: index, to: output) else { return false }
            index &+= 8
        }
        guard index < length else { return true }
        if length >= 8 { return unsafe copyWord(source, at: length &- 8, to: output) }
        if length >= 4 {
            let first = unsafe source.loadUnaligned(as: UInt32.self)
            let last = unsafe source.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
            unsafe output.storeBytes(of: first, as: UInt32.self)
            unsafe output.storeBytes(of: last, toByteOffset: length &- 4, as: UInt32.self)
            return !JSONText.hasEscaped(UInt64(first) | UInt64(last) << 32)
        }
        // One to three octets: the first, the middle and the last, filled up with zeros in digits' place.
        let first = unsafe source.load(as: UInt8.self)
        let middle = unsafe source.load(fromByteOffset: length &>> 1, as: UInt8.self)
        let last = unsafe source.load(fromByteOffset: length &- 1, as: UInt8.self)
        unsafe output.storeBytes(of: first, as: UInt8.self)
        unsafe output.storeBytes(of: middle, toByteOffset: length &>> 1, as: UInt8.self)
        unsafe output.storeBytes(of: last, toByteOffset: length &- 1, as: UInt8.self)
        let word = UInt64(first) | UInt64(middle) << 8 | UInt64(last) << 16
        return !JSONText.hasEscaped(0x3030_3030_3000_0000 | word)
    }

    @inline(__always)
    private static func copyWord(_ source: UnsafeRawPointer, at index: Int, to output: UnsafeMutableRawPointer) -> Bool
    {
        let word = unsafe source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        unsafe output.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
        return !JSONText.hasEscaped(word)
    }
}
