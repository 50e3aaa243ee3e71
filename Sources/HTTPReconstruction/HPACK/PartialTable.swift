// Wingmirror · Apache-2.0
// HPACK dynamic table, RFC 7541 §2.3.2 and §4, as far as a passive observer knows it.

/// A dynamic table of which a run of newest entries is certain, and older ones may float.
///
/// Dynamic indexes count from the newest insertion, so what is unknown below never moves what is known above. A
/// direction that is joined late resolves every reference to an entry inserted since. Only insertions that were missed do
/// harm: they push all older entries down by a number that is not known. Those entries then *float*: their contents are
/// known, their places are one of a set of shifts. Field sections refute shifts that would make them break a rule
/// (``PartialTable/resolve(_:as:)``), and name sequences seen before vote for one.
///
/// Without a loss this is the table of RFC 7541.
struct PartialTable {
    /// Entries, the newest first: `exactCount` certain ones, then floating ones.
    var ring = EntryRing()
    /// How many entries are certain.
    private(set) var exactCount = 0
    /// How many insertions lie between the certain entries and the floating ones.
    var shifts = ShiftSet.zero
    /// Whether there is nothing below the entries that are known.
    private(set) var isWhole: Bool
    /// What entries may cost together, as the encoder has it.
    private var limit: Int
    /// Whether `limit` is what the encoder has, and not a guess.
    private var isLimitCertain: Bool
    /// The most that the encoder may take, as far as its peer's SETTINGS were seen (RFC 7541 §4.2).
    private var allowance: Int
    /// What the encoder said last, where that was more.
    private var refusedLimit = 0
    /// Whether entries had to go for want of room.
    private var hasEvicted = false
    /// What the insertions that were missed since entries float may cost together, in a table where they may have made room for
    /// each other; 0 in one that has room for all.
    private var missedCost = 0
    /// What entries might cost together when they began to float.
    private var limitBeforeHole = 0
    /// Whether contents of floating entries rest on a vote.
    private(set) var isFloatInferred = false
    /// Votes since entries float.
    var votes = ShiftVotes()
    /// Name sequences of blocks whose names were all known.
    var sequences = NameSequences()

    /// Entries of a connection that was joined late may cost so much: its encoder's limit is not known.
    private static let assumedLimit = 16 << 10

    /// Makes an empty table.
    /// - Parameter isWhole: Whether the direction is seen from its first octet.
    init(isWhole: Bool) {
        self.isWhole = isWhole
        isLimitCertain = isWhole
        allowance = isWhole ? Self.initialLimit : EntryRing.capacity
        limit = isWhole ? Self.initialLimit : Self.assumedLimit
    }

    /// SETTINGS_HEADER_TABLE_SIZE before it is announced (RFC 9113 §6.5.2).
    private static var initialLimit: Int { 4096 }

    /// The encoder's peer has announced what entries may cost, or may have where its SETTINGS were missed.
    mutating func allow(_ octets: Int = EntryRing.capacity) {
        allowance = max(allowance, octets)
        // SETTINGS may be seen after what they allow. Until the encoder says it again, entries may be missing here.
        if refusedLimit > limit { limit = min(refusedLimit, allowance) }
    }

    /// Octets of memory that the table takes beside itself.
    var keptOctets: Int { ring.keptOctets + sequences.keptOctets }

    /// How many entries float.
    var floatingCount: Int { ring.count - exactCount }

    /// What a dynamic index refers to.
    enum Reference {
        /// The certain entry at a position.
        case entry(TableEntry)
        /// Beyond the certain entries by an offset.
        case floating(Int)
        /// Nothing that was seen.
        case unknown
        /// Nothing at all.
        case invalid
    }

    /// What the entry at `position` is; positions count from 0 for the newest, and index 62 is position 0.
    @inline(__always)
    func lookUp(_ position: Int) -> Reference {
        if position < exactCount { return .entry(ring[position]) }
        let offset = position - exactCount
        if floatingCount > 0, offset < floatingCount + ShiftSet.everything { return .floating(offset) }
        return isWhole ? .invalid : .unknown
    }

    /// A floating entry, given a shift; `nil` where the reference is to none of them.
    func floatingEntry(_ offset: Int, shift: Int) -> TableEntry? {
        let place = offset - shift
        guard shift != ShiftSet.everything, place >= 0, place < floatingCount else { return nil }
        return ring[exactCount + place]
    }

    // MARK: - What the encoder does

    /// Inserts an entry whose name and value lie in `octets`, one behind the other.
    /// - Parameters:
    ///   - entry: What is known but lengths and place.
    ///   - octets: Where the text is; borrowed for the call only.
    ///   - start: Where the name begins, or the value if the name is not known.
    ///   - nameLength: Octets of the name; 0 if it is not known.
    ///   - valueLength: Octets of the value.
    mutating func insert(
        _ entry: TableEntry,
        octetsFrom octets: Span<UInt8>,
        at start: Int,
        nameLength: Int,
        valueLength: Int
    ) {
        let size = nameLength + valueLength + 32
        if isLimitCertain, size > limit { return removeAll() }
        guard size <= min(allowance, EntryRing.capacity) else { return insertOversized() }
        makeRoom(for: size)
        var entry = entry
        if !entry.marks.contains(.nameUnknown) { entry.nameField = UInt16(truncatingIfNeeded: nameLength) }
        entry.valueLength = UInt16(truncatingIfNeeded: valueLength)
        ring.insert(entry, octetsFrom: octets, at: start)
        exactCount += 1
    }

    /// Inserts an entry that is too large to hold: above 64 KiB.
    mutating func insertOversized() {
        if isLimitCertain, limit <= EntryRing.capacity { return removeAll() }
        makeRoom(for: TableEntry.placeholder.size)
        let nothing: [UInt8] = []
        ring.insert(.placeholder, octetsFrom: nothing.span, at: 0)
        exactCount += 1
    }

    /// The encoder changes what entries may cost together (RFC 7541 §6.3).
    ///
    /// Its peer ends a connection on which it takes more than it may. Nothing more is held here, so that a few octets that refer
    /// to an entry never stand for more than the peer itself would read.
    mutating func limitChanged(to newLimit: Int) {
        limit = min(newLimit, allowance)
        refusedLimit = newLimit > allowance ? newLimit : 0
        isLimitCertain = newLimit <= allowance
        if newLimit == 0 { removeAll() } else { makeRoom(for: 0) }
    }

    /// The table is empty, whatever was in it.
    private mutating func removeAll() {
        ring.removeAll()
        exactCount = 0
        settleNothing()
        isWhole = true
    }

    private mutating func makeRoom(for size: Int) {
        let bound = min(limit, EntryRing.capacity)
        while ring.count > 0, ring.size + size > bound {
            hasEvicted = true
            removeOldest()
        }
    }

    private mutating func removeOldest() {
        let wasFloating = floatingCount > 0
        ring.removeOldest()
        if wasFloating {
            // What floated may still be meant by a reference of the block in progress.
            isWhole = false
            if floatingCount == 0 { settleNothing() }
        } else {
            exactCount -= 1
            if !isLimitCertain || limit > EntryRing.capacity { isWhole = false }
        }
    }

    // MARK: - What was missed

    /// The end of a literal that inserts an entry was missed: what must go for the entry is gone (RFC 7541 §4.4).
    ///
    /// The entry itself is one of the insertions that ``blocksMissed(octets:)`` counts.
    /// - Parameter size: What the entry costs at the least.
    mutating func insertionBroken(leastSize size: Int) {
        if isLimitCertain, size > limit { removeAll() } else { makeRoom(for: size) }
    }

    /// Octets were missed that may have held field blocks, or the rest of one.
    ///
    /// An insertion takes two octets at least (RFC 7541 §6.2.1).
    mutating func blocksMissed(octets: Int) {
        let most = octets / 2
        guard most > 0 else { return }
        let bound = isLimitCertain ? limit : min(limit, Self.initialLimit)
        let isNearlyFull = hasEvicted || ring.size * 2 > bound
        let cost = isNearlyFull ? min(octets, EntryRing.capacity) * Self.costOfOctet : 0
        isLimitCertain = false
        guard floatingCount <= exactCount * Self.worthOfFloating else { return floatFurther(most, costing: cost) }
        // What floated before this hole would have two unknown shifts: it is given up.
        if floatingCount > 0 { dropFloating() }
        exactCount = 0
        isFloatInferred = false
        for position in 0..<ring.count {
            if ring[position].marks.contains(.nameFloats) { ring[position].marks.remove(.nameFloats) }
            if ring[position].marks.contains(.inferred) { isFloatInferred = true }
        }
        votes = ShiftVotes()
        (missedCost, limitBeforeHole) = (cost, bound)
        if ring.count == 0 {
            isWhole = false
        } else {
            shifts = ShiftSet(upTo: most)
        }
    }

    /// Entries that float are kept over a second hole, rather than those inserted since the first, where they are more than this
    /// many times as many.
    private static var worthOfFloating: Int { 2 }

    /// What an entry costs for each octet of its insertion, more or less at the most: `accept: */*` has five, and costs 41.
    private static var costOfOctet: Int { 8 }

    /// How many of the newest floating entries were certainly still there behind the hole.
    ///
    /// An encoder inserts no entry that it has; one that had to go it may have inserted again, so that the table behind the hole
    /// looks like the one before.
    var survivingCount: Int {
        guard missedCost > 0 else { return floatingCount }
        var cost = missedCost
        for position in exactCount..<ring.count {
            cost += ring[position].size
            if cost > limitBeforeHole { return position - exactCount }
        }
        return floatingCount
    }

    /// Octets were missed while older entries floated: the few entries inserted between count as missed, so that the older ones
    /// have one shift still.
    private mutating func floatFurther(_ most: Int, costing cost: Int) {
        let between = exactCount
        let before = ring.size
        ring.removeNewest(exactCount)
        missedCost += cost + before - ring.size
        exactCount = 0
        shifts = shifts.moved(by: between, upTo: most)
        votes = ShiftVotes()
    }

    /// Gives up all floating entries; what lies below the certain ones is then unknown.
    mutating func dropFloating() {
        while floatingCount > 0 { ring.removeOldest() }
        isWhole = false
        settleNothing()
    }

    private mutating func settleNothing() {
        shifts = .zero
        votes = ShiftVotes()
        isFloatInferred = false
        missedCost = 0
    }

    /// The number of missed insertions is known: all entries have their places again.
    mutating func settle(_ shift: Int, isInferred: Bool) {
        guard shift != ShiftSet.everything else { return dropFloating() }
        var text = OctetBuffer()
        var settled = EntryRing()
        func move(_ before: TableEntry, nameOf named: TableEntry?, from ring: EntryRing) {
            var entry = before
            text.removeAll()
            if let named, !named.marks.contains(.nameUnknown) {
                ring.copyName(of: named, into: &text)
                entry.nameField = named.nameField
                entry.nameHash = named.nameHash
                entry.code = named.code
                entry.marks.subtract([.nameUnknown, .nameFloats])
                if isInferred || named.marks.contains(.inferred) { entry.marks.insert(.inferred) }
            } else {
                ring.copyName(of: before, into: &text)
                entry.marks.remove(.nameFloats)
            }
            // Where the value lies depends on the name that the entry had.
            ring.copyValue(of: before, into: &text)
            // A name that becomes known makes the entry larger; there may be no room for the oldest then.
            while settled.size + entry.size > EntryRing.capacity, settled.count > 0 { settled.removeOldest() }
            guard entry.size <= EntryRing.capacity else { return }
            settled.insert(entry, octetsFrom: text.span, at: 0)
        }
        for position in (exactCount..<ring.count).reversed() {
            var entry = ring[position]
            if isInferred { entry.marks.insert(.inferred) }
            move(entry, nameOf: nil, from: ring)
        }
        for _ in 0..<shift { move(.placeholder, nameOf: nil, from: ring) }
        for position in (0..<exactCount).reversed() {
            let entry = ring[position]
            let isNamed = entry.marks.contains(.nameFloats)
            move(
                entry,
                nameOf: isNamed ? floatingEntry(Int(entry.nameField), shift: shift) : nil,
                from: ring
            )
        }
        ring = settled
        exactCount = settled.count
        settleNothing()
        makeRoom(for: 0)
    }
}
