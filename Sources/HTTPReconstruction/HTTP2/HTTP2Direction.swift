// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TrafficModel

/// What all HTTP/2 connections of a worker share.
struct SharedHTTP2: ~Copyable {
    let tables = HPACKTables()
    /// The sections of blocks in progress, and of some that are over.
    var sections = Slab<FieldSection>()
    /// Sections that no block uses; as many as blocks were in progress at once, within a bound.
    private var idleSections = PlainList<Int32>()
    /// The field lines of the head that is shown to the sink.
    var lines = PlainList<FieldLine>()
    /// Those of it whose names alone are not known.
    var unnamed = PlainList<FieldLine>()
    /// The gRPC calls in progress.
    var calls = Slab<GRPCCall>()
    /// Tables whose entries found their places again, and those that were given up.
    var settledTables = 0
    var abandonedTables = 0

    /// Sections that are kept for later blocks.
    private static var keptSections: Int { 16 }

    init() {}

    /// Lends an empty section.
    mutating func takeSection() -> Int32 {
        guard !idleSections.isEmpty else { return sections.insert(FieldSection()) }
        defer { idleSections.removeLast() }
        return idleSections.last
    }

    /// Collects in `unnamed` the fields of a section of which only the names are not known, at most eight.
    /// - Returns: `false`, and none, where more than that is not known.
    mutating func collectUnnamed(of section: Int32) -> Bool {
        var isWhole = !sections[section].isOverLimit
        for index in 0..<sections[section].fields.count {
            let field = sections[section].fields[index]
            guard isWhole, !field.isKnown else { continue }
            isWhole = !field.marks.contains(.valueUnknown) && unnamed.count < 8
            unnamed.append(FieldLine(name: 0..<0, value: field.value.range))
        }
        if !isWhole { unnamed.removeAll() }
        return isWhole
    }

    /// Takes a section back.
    mutating func giveBack(_ section: Int32) {
        guard idleSections.count < Self.keptSections else { return sections.discard(at: section) }
        sections[section].removeAll()
        idleSections.append(section)
    }
}

/// One direction of an HTTP/2 connection: frames, and the field blocks in them.
///
/// Every block is decoded, in wire order, whether it is wanted or not: reset streams, push, trailers, blocks over a
/// limit (RFC 7541 §2.2).
struct HTTP2Direction: ~Copyable {
    var frames: FrameReader
    private(set) var table: PartialTable
    private var decoder = FieldBlockDecoder()
    /// Where the fields of the block in progress are, among those that all connections share; -1 without one.
    private(set) var section: Int32 = -1
    /// The block in progress.
    private(set) var block: Block?
    /// Octets missed since the last block that may have held blocks.
    private(set) var missedOctets = 0
    /// Whether a stream was open in this direction when they were missed, so that they may hold trailers.
    private(set) var missedWhileOpen = false
    /// The highest stream when octets were missed first.
    private(set) var highestBeforeHole: UInt32 = 0
    /// Whether octets that may have held a frame were missed at any time.
    private(set) var hasLosses: Bool
    /// Octets of a frame's payload that the receiver has announced to take.
    var announcedLimit = FrameReader.initialLengthLimit
    /// Octets looked through for a boundary since the last was lost.
    var searchedOctets = 0
    /// The table as it was where a boundary was found that no block has confirmed.
    private var unconfirmed: [PartialTable] = []
    /// When the first octet of the frame in progress was captured.
    var frameTime = PacketTime(nanoseconds: 0)
    /// Whether the sender broke the rules of HPACK, so that nothing more is read.
    private(set) var isMalformed = false

    struct Block {
        let stream: UInt32
        let endsStream: Bool
        let isPromise: Bool
        let time: PacketTime
        /// Whether octets of it were missed, so that the rest cannot be decoded.
        var isBroken = false
    }

    /// What became of a fragment.
    enum BlockResult {
        case continues
        /// The section holds the fields.
        case complete(Block)
        /// It was not read; the stream is known.
        case lost(Block)
        /// The direction cannot be read on from here.
        case failed(HPACKError)
    }

    init(_ kind: MessageKind, isJoinedMidstream: Bool) {
        frames = isJoinedMidstream ? .lost : FrameReader(expectsPreface: kind == .request)
        // A frame beyond the limit is for the receiver to refuse; an observer goes on behind it.
        frames.lengthLimit = FrameReader.assumedLengthLimit
        if isJoinedMidstream { announcedLimit = FrameReader.assumedLengthLimit }
        table = PartialTable(isWhole: !isJoinedMidstream)
        hasLosses = isJoinedMidstream
    }

    /// The receiver has announced how long frames may be.
    mutating func limitAnnounced(_ octets: Int) {
        announcedLimit = octets
        frames.lengthLimit = max(octets, FrameReader.assumedLengthLimit)
    }

    /// The receiver has announced how much header tables may take, or its SETTINGS may have been missed.
    mutating func tableLimitAnnounced(_ octets: Int = EntryRing.capacity) {
        table.allow(octets)
    }

    /// Octets of memory that are kept of the direction beside itself.
    func keptOctets(_ shared: borrowing SharedHTTP2) -> Int {
        var octets = table.keptOctets
        if section >= 0 { octets += shared.sections[section].keptOctets }
        for before in unconfirmed { octets += before.keptOctets }
        return octets
    }

    // MARK: - Blocks

    mutating func blockBegan(
        stream: UInt32,
        endsStream: Bool,
        isPromise: Bool,
        _ shared: inout SharedHTTP2
    ) {
        if missedOctets > 0 {
            if table.floatingCount > 0 { shared.abandonedTables += 1 }
            table.blocksMissed(octets: missedOctets)
        }
        forgetMissed()
        releaseSection(&shared)
        section = shared.takeSection()
        decoder.begin()
        block = Block(stream: stream, endsStream: endsStream, isPromise: isPromise, time: frameTime)
    }

    /// The octets that were missed held no block, as is proven otherwise.
    mutating func forgetMissed() {
        missedOctets = 0
        missedWhileOpen = false
    }

    /// Decodes a fragment of the block in progress.
    mutating func fragmentArrived(
        _ octets: Span<UInt8>,
        endsBlock: Bool,
        as kind: SectionKind,
        limit: Int,
        _ shared: inout SharedHTTP2
    ) -> BlockResult {
        guard let current = block else { return .continues }
        if current.isBroken {
            missedOctets += octets.count
            guard endsBlock else { return .continues }
            block = nil
            return .lost(current)
        }
        do throws(HPACKError) {
            try decoder.decode(octets, shared.tables, &table, into: &shared.sections[section], limit: limit)
            guard endsBlock else { return .continues }
            guard decoder.isAtBoundary else { throw HPACKError.truncated }
        } catch {
            block = nil
            return .failed(error)
        }
        let floated = table.floatingCount > 0
        table.resolve(&shared.sections[section], as: kind)
        if floated, table.floatingCount == 0 { shared.settledTables += 1 }
        block = nil
        if !unconfirmed.isEmpty { unconfirmed = [] }
        return .complete(current)
    }

    /// Gives the section of a block back that is over.
    mutating func releaseSection(_ shared: inout SharedHTTP2) {
        guard section >= 0 else { return }
        shared.giveBack(section)
        section = -1
    }

    // MARK: - Holes and boundaries

    /// Octets were not captured.
    /// - Parameters:
    ///   - count: How many.
    ///   - highestStream: The highest stream that the client has opened.
    ///   - isAnyOpen: Whether the sender has a message that is not over.
    ///   - shared: Where the section of the block in progress is.
    /// - Returns: What that did to the frames.
    mutating func octetsMissing(
        _ count: Int,
        highestStream: UInt32,
        isAnyOpen: Bool,
        _ shared: borrowing SharedHTTP2
    ) -> FrameHole {
        let hole = frames.missing(count)
        var insertionSize: Int?
        if hole.breaksBlock, block?.isBroken == false {
            block?.isBroken = true
            insertionSize = decoder.leastInsertion(shared.sections[section])
        }
        if hole.blockOctets > 0 || hole.breaksBlock {
            if missedOctets == 0 { highestBeforeHole = highestStream }
            missedOctets += hole.blockOctets
            if let insertionSize {
                table.insertionBroken(leastSize: insertionSize)
                // One of its octets came, and may be one of the two that an insertion takes.
                missedOctets += 1
            }
            missedWhileOpen = missedWhileOpen || isAnyOpen || hole.breaksBlock
            hasLosses = true
        }
        if hole.isLost { searchedOctets = 0 }
        return hole
    }

    /// Octets that nobody can read were passed over.
    mutating func octetsSkipped(_ count: Int) {
        missedOctets += count
        searchedOctets += count
    }

    /// A frame seems to begin with the next octet; until a block confirms it, the table is kept as it is.
    mutating func boundaryFound() {
        frames.boundaryFound()
        if !isMalformed { unconfirmed = [table] }
    }

    /// A block was broken off: gives back its stream.
    mutating func abandonBlock() -> Block? {
        defer { block = nil }
        return block
    }

    /// A block did not decode, or frames broke a rule: gives the direction up until a boundary is found.
    ///
    /// Answers whether the boundary was a guess, which is thereby refuted.
    mutating func readingFailed() -> Bool {
        block = nil
        frames.lose()
        searchedOctets = 0
        if let before = unconfirmed.first {
            table = before
            unconfirmed = []
            return true
        }
        isMalformed = !hasLosses
        table = PartialTable(isWhole: false)
        hasLosses = true
        return false
    }
}
