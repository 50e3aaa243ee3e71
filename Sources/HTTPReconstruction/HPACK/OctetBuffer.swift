// Wingmirror · Apache-2.0

/// Octets that are put together one after another, in memory that is kept when they are thrown away.
struct OctetBuffer {
    private var storage: [UInt8] = []
    /// How many octets there are.
    private(set) var count = 0

    /// The octets.
    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(first: count) }
    }

    /// How many octets of memory it takes.
    var capacity: Int { storage.capacity }

    /// Makes room for `additional` octets more.
    mutating func reserve(_ additional: Int) {
        let needed = count + additional
        guard needed > storage.count else { return }
        let capacity = max(needed, 2 * storage.count, 256)
        storage.append(contentsOf: repeatElement(0, count: capacity - storage.count))
    }

    /// Adds an octet.
    mutating func append(_ octet: UInt8) {
        reserve(1)
        storage[count] = octet
        count &+= 1
    }

    /// Adds octets.
    mutating func append(_ octets: Span<UInt8>) {
        reserve(octets.count)
        let start = count
        var room = storage.mutableSpan
        for index in octets.indices { room[start &+ index] = octets[index] }
        count = start + octets.count
    }

    /// Adds octets that lie in the buffer already.
    mutating func append(copyOf range: Range<Int>) {
        reserve(range.count)
        let start = count
        var room = storage.mutableSpan
        for index in 0..<range.count { room[start &+ index] = room[range.lowerBound &+ index] }
        count = start + range.count
    }

    /// Adds the octets of a literal.
    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.octet(at: index)) }
    }

    /// Adds at most `most` octets that `body` writes from an index on; it answers where it ended.
    mutating func append<Failure: Error>(
        atMost most: Int,
        _ body: (inout MutableSpan<UInt8>, _ start: Int) throws(Failure) -> Int
    ) throws(Failure) {
        reserve(most)
        let start = count
        var room = storage.mutableSpan
        count = try body(&room, start)
    }

    /// Throws away all octets but the first `length`.
    mutating func truncate(to length: Int) {
        count = min(count, length)
    }

    /// Gives back memory beyond `capacity` octets, and throws all octets away.
    mutating func removeAll(keepingAtMost capacity: Int) {
        count = 0
        if storage.count > capacity { storage = [] }
    }
}
