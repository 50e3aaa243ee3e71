// Wingmirror · Apache-2.0

/// Entries of a dynamic table, newest first, with their octets in a ring: what is inserted is paid for, and nothing else.
///
/// Offsets have 16 bits, so all entries together must cost no more than 64 KiB (RFC 7541 §4.1 counts 32 octets more
/// for each than the ring holds).
struct EntryRing {
    private var octets: [UInt8] = []
    private var entries: [TableEntry] = []
    /// Where the oldest entry lies in `entries`.
    private var oldest = 0
    /// How many entries there are.
    private(set) var count = 0
    /// Where the octets of the next entry begin.
    private var end = 0
    /// How many octets are taken.
    private var used = 0
    /// What the entries cost together.
    private(set) var size = 0

    /// Octets of memory that the ring takes.
    var keptOctets: Int { octets.capacity + entries.capacity * MemoryLayout<TableEntry>.stride }

    /// The most that entries may cost together.
    static let capacity = 1 << 16

    /// The entry at `position`, which counts from 0 for the newest.
    @inline(__always)
    subscript(position: Int) -> TableEntry {
        get { entries[index(position)] }
        set { entries[index(position)] = newValue }
    }

    @inline(__always)
    private func index(_ position: Int) -> Int {
        precondition(position < count, "EntryRing: no entry is there")
        return (oldest + count - 1 - position) & (entries.count - 1)
    }

    /// Inserts an entry; its octets, `entry.octetCount` of them, begin at `start` of `source`.
    mutating func insert(_ entry: TableEntry, octetsFrom source: Span<UInt8>, at start: Int) {
        var entry = entry
        let length = entry.octetCount
        precondition(size + entry.size <= Self.capacity, "EntryRing: the entry does not fit")
        if used + length > octets.count { growOctets(to: used + length) }
        if count == entries.count { growEntries() }
        entry.start = UInt16(truncatingIfNeeded: end)
        if length > 0 { write(source.extracting(start..<start + length)) }
        used += length
        size += entry.size
        entries[(oldest + count) & (entries.count - 1)] = entry
        count += 1
    }

    /// Writes octets where the latest end, and on from the ring's beginning where they reach beyond its end.
    private mutating func write(_ source: Span<UInt8>) {
        let start = end
        let first = min(source.count, octets.count - start)
        end = (start + source.count) & (octets.count - 1)
        var room = octets.mutableSpan
        for offset in 0..<first { room[start &+ offset] = source[offset] }
        for offset in first..<source.count { room[offset &- first] = source[offset] }
    }

    /// Removes the oldest entry.
    mutating func removeOldest() {
        let entry = self[count - 1]
        used -= entry.octetCount
        size -= entry.size
        oldest = (oldest + 1) & (entries.count - 1)
        count -= 1
    }

    /// Removes the newest entries.
    mutating func removeNewest(_ removed: Int) {
        for position in 0..<removed {
            let entry = self[position]
            used -= entry.octetCount
            size -= entry.size
            end = Int(entry.start)
        }
        count -= removed
    }

    /// Removes all entries, and gives back their memory.
    mutating func removeAll() {
        self = EntryRing()
    }

    /// Adds the name of an entry, and its value behind it, to `output`.
    @inline(__always)
    func copyField(of entry: TableEntry, into output: inout OctetBuffer) {
        copy(Int(entry.start), entry.octetCount, into: &output)
    }

    /// Adds the name of an entry to `output`.
    func copyName(of entry: TableEntry, into output: inout OctetBuffer) {
        copy(Int(entry.start), entry.nameLength, into: &output)
    }

    /// Adds the value of an entry to `output`.
    func copyValue(of entry: TableEntry, into output: inout OctetBuffer) {
        copy(Int(entry.start) + entry.nameLength, Int(entry.valueLength), into: &output)
    }

    @inline(__always)
    private func copy(_ start: Int, _ length: Int, into output: inout OctetBuffer) {
        guard length > 0 else { return }
        let start = start & (octets.count - 1)
        let first = min(length, octets.count - start)
        output.append(octets.span.extracting(start..<start + first))
        if first < length { output.append(octets.span.extracting(0..<length - first)) }
    }

    /// Whether two entries have the same name, and with `comparesValues` the same value.
    func areEqual(_ one: TableEntry, _ other: TableEntry, comparesValues: Bool) -> Bool {
        guard one.nameHash == other.nameHash, one.nameLength == other.nameLength,
            !comparesValues || one.valueLength == other.valueLength
        else { return false }
        let length = comparesValues ? one.octetCount : one.nameLength
        let mask = octets.count - 1
        for offset in 0..<length
        where octets[(Int(one.start) &+ offset) & mask] != octets[(Int(other.start) &+ offset) & mask] {
            return false
        }
        return true
    }

    private mutating func growOctets(to needed: Int) {
        var capacity = max(64, octets.count)
        while capacity < needed { capacity *= 2 }
        var moved: [UInt8] = []
        moved.reserveCapacity(capacity)
        for position in 0..<count {
            let place = index(count - 1 - position)
            let start = Int(entries[place].start)
            entries[place].start = UInt16(truncatingIfNeeded: moved.count)
            for offset in 0..<entries[place].octetCount { moved.append(octets[(start + offset) & (octets.count - 1)]) }
        }
        end = moved.count & (capacity - 1)
        moved.append(contentsOf: repeatElement(0, count: capacity - moved.count))
        octets = moved
    }

    private mutating func growEntries() {
        let ordered = (0..<count).map { self[count - 1 - $0] }
        entries = ordered + [TableEntry](repeating: TableEntry(), count: max(8, count))
        oldest = 0
    }
}
