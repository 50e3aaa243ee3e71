// Wingmirror · Apache-2.0

/// Octets that are written one run behind the other, in memory that grows and is kept.
///
/// A record is a hundred additions of a few octets each. An array would ask at each, by a call, whether it is the only owner
/// of its elements; this memory has one owner by its type.
///
/// `@unchecked Sendable`: the memory belongs to this value alone, which has no copies, and no pointer to it outlives a call.
@safe
@usableFromInline
struct WrittenOctets: ~Copyable, @unchecked Sendable {
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

    /// Shows `body` what has been written.
    func withOctets(_ body: (Span<UInt8>) -> Void) {
        // Invariant: so many octets are initialized, and the memory stays as it is while this value is borrowed.
        body(unsafe Span(_unsafeStart: memory, count: count))
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

    /// Adds a literal and a whole number in decimal digits.
    @inlinable
    @inline(__always)
    mutating func append(_ text: StaticString, number: Int) {
        let length = text.utf8CodeUnitCount
        let end = unsafe end(withRoomFor: length + 1)
        // Invariant: there is room for the literal and a digit; a literal has an address for ever.
        unsafe end.initialize(from: text.utf8Start, count: length)
        if UInt(bitPattern: number) < 10 {
            unsafe end[length] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number)
            count &+= length &+ 1
        } else {
            count &+= length
            append(number: number, hasComma: false)
        }
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
    mutating func append(_ text: [UInt8]) {
        let end = unsafe end(withRoomFor: text.count)
        unsafe text.withUnsafeBufferPointer { source in
            // Invariant: there is room for as many, and an array's elements lie in memory of its own.
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
}

extension StaticString {
    /// Whether it ends where a value or a key comes next, before which no comma can stand.
    @inlinable
    @inline(__always)
    var endsBeforeValue: Bool {
        // Invariant: a piece of JSON is no empty literal, and a literal has an address for ever.
        switch unsafe utf8Start[utf8CodeUnitCount &- 1] {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: ","), 0x0A: true
        default: false
        }
    }
}
