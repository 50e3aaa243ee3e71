// Wingmirror · Apache-2.0
// HPACK field block decoding, RFC 7541 §3.2, §5 and §6.

internal import TrafficModel

/// Decodes a field block as its fragments come; only a string in progress is held.
///
/// Every representation has its effect on the table when its last octet is there, whether the field is wanted or not:
/// over a limit fields are decoded for state and not written (`FieldSection.isOverLimit`), so that no block can make
/// a reader hold much, and no limit spoils the table. Where representations end never depends on the table.
struct FieldBlockDecoder {
    private var phase = Phase.representation
    private var form = Form.indexed
    private var isHuffman = false
    /// Whether the block has a field, after which the table's limit must not change.
    private var hasField = false
    /// Whether a string of the field in progress is too long to be held.
    private var isCut = false
    private var integer: UInt32 = 0
    private var integerShift: UInt8 = 0
    /// Octets of the string in progress that are to come.
    private var remaining = 0
    private var huffman = HuffmanState()

    // The field in progress: what is known of its name, and where its text lies in the section.
    private var name = FieldName.other
    private var nameHash: UInt32 = 0
    private var marks: SectionField.Marks = []
    /// The floating entry whose name it has, or -1.
    private var floatingName = -1
    /// Whether the name comes from a table, or the field goes into one.
    private var isTabled = false
    private var start = 0
    private var valueStart = 0

    private enum Phase: UInt8 {
        /// The first octet of a representation is next.
        case representation
        /// Inside an index or size.
        case index
        /// The first octet of a name's length is next, then the rest of it, then the name.
        case nameLengthStart, nameLength, name
        /// The same of the value.
        case valueLengthStart, valueLength, value
    }

    private enum Form: UInt8 {
        case indexed
        case incremental
        case withoutIndexing
        case neverIndexed
        case sizeUpdate
    }

    /// Octets of one string that are held; no entry of a table has more.
    private static var stringLimit: Int { EntryRing.capacity }
    /// Octets that one field may cost in the count that limits a section, beside its text.
    private static var fieldCost: Int { 16 }

    /// Whether the octets so far end where a representation ends.
    var isAtBoundary: Bool { phase == .representation }

    /// What the entry costs at the least that the literal in progress inserts at its end.
    ///
    /// The literal says how long it is before the octets come: of plain text that is the length, and Huffman codes have at
    /// most 30 bits (RFC 7541 §5.2 and appendix B) and seven of padding. A name that is not known costs nothing here.
    /// - Parameter section: What the fragments of the block were decoded into.
    /// - Returns: Octets as RFC 7541 §4.1 counts them; `nil` if no such literal is in progress.
    func leastInsertion(_ section: borrowing FieldSection) -> Int? {
        guard form == .incremental, phase != .representation else { return nil }
        if isCut { return EntryRing.capacity + 1 }
        let toCome = isHuffman ? max(0, remaining * 8 - 7) / 30 : remaining
        switch phase {
        case .representation, .index, .nameLengthStart, .nameLength: return 32
        case .name: return 32 + section.octets.count - start + toCome
        case .valueLengthStart, .valueLength: return 32 + valueStart - start
        case .value: return 32 + section.octets.count - start + toCome
        }
    }

    /// Begins the next block.
    mutating func begin() {
        self = FieldBlockDecoder()
    }

    /// Decodes the next fragment.
    /// - Parameters:
    ///   - octets: The fragment; borrowed for the call only.
    ///   - tables: What is the same for all decoders.
    ///   - table: The dynamic table of the direction.
    ///   - section: Takes the fields.
    ///   - limit: Octets of fields that are written.
    /// - Throws: Why the block cannot be decoded.
    mutating func decode(
        _ octets: Span<UInt8>,
        _ tables: borrowing HPACKTables,
        _ table: inout PartialTable,
        into section: inout FieldSection,
        limit: Int
    ) throws(HPACKError) {
        var index = 0
        while index < octets.count {
            switch phase {
            case .representation:
                let octet = octets[index]
                index &+= 1
                if octet > 0x80, octet < 0xFF {
                    // Most fields are an index of one octet, which needs no state (RFC 7541 §6.1).
                    (form, isCut, start) = (.indexed, false, section.octets.count)
                    try fieldBegins(Int(octet & 0x7F), tables, &table, &section, limit)
                } else {
                    begin(octet, &section)
                    if phase == .representation { try indexRead(tables, &table, &section, limit) }
                }
            case .index:
                if try integerContinues(octets[index]) { try indexRead(tables, &table, &section, limit) }
                index += 1
            case .nameLengthStart:
                if stringBegins(octets[index]) { nameLengthRead(&section) } else { phase = .nameLength }
                index += 1
            case .nameLength:
                if try integerContinues(octets[index]) { nameLengthRead(&section) }
                index += 1
            case .name:
                index += try stringContinues(octets.extracting(index...), tables, from: start, &section)
                if remaining == 0 { try nameRead(tables, &section) }
            case .valueLengthStart:
                if stringBegins(octets[index]) {
                    try valueLengthRead(tables, &table, &section, limit)
                } else {
                    phase = .valueLength
                }
                index += 1
            case .valueLength:
                if try integerContinues(octets[index]) { try valueLengthRead(tables, &table, &section, limit) }
                index += 1
            case .value:
                index += try stringContinues(octets.extracting(index...), tables, from: valueStart, &section)
                if remaining == 0 { try valueRead(tables, &table, &section, limit) }
            }
        }
    }

    /// Whether the block that begins at `start` provably begins with a pseudo-header field, by a name of the static table
    /// (RFC 7541 §6, Appendix A), as heads do and trailers do not (RFC 9113 §8.1).
    static func beginsWithPseudoField(_ octets: Span<UInt8>, at start: Int) -> Bool {
        guard start < octets.count else { return false }
        let octet = octets[start]
        let index =
            switch octet.leadingZeroBitCount {
            case 0: octet & 0x7F
            case 1: octet & 0x3F
            case 2: 0 as UInt8
            default: octet & 0x0F
            }
        return 1...14 ~= index
    }

    // MARK: - Representations

    /// Reads the first octet of a representation; the phase stays if the index is complete (RFC 7541 §6).
    private mutating func begin(_ octet: UInt8, _ section: inout FieldSection) {
        let prefix: UInt8
        switch octet.leadingZeroBitCount {
        case 0:
            form = .indexed
            prefix = 0x7F
        case 1:
            form = .incremental
            prefix = 0x3F
        case 2:
            form = .sizeUpdate
            prefix = 0x1F
        case 3:
            form = .neverIndexed
            prefix = 0x0F
        default:
            form = .withoutIndexing
            prefix = 0x0F
        }
        isCut = false
        start = section.octets.count
        integer = UInt32(octet & prefix)
        integerShift = 0
        if octet & prefix == prefix { phase = .index }
    }

    /// Reads a further octet of an integer, and answers whether it was the last (RFC 7541 §5.1).
    private mutating func integerContinues(_ octet: UInt8) throws(HPACKError) -> Bool {
        let part = UInt64(octet & 0x7F)
        // Leading zeros are allowed, and bounded: 2³¹ has no more than five octets.
        guard integerShift <= 28 else { throw .integerOverflow }
        let sum = UInt64(integer) + part << UInt64(integerShift)
        guard sum <= 1 << 31 else { throw .integerOverflow }
        integer = UInt32(sum)
        integerShift += 7
        return octet & 0x80 == 0
    }

    private mutating func indexRead(
        _ tables: borrowing HPACKTables,
        _ table: inout PartialTable,
        _ section: inout FieldSection,
        _ limit: Int
    ) throws(HPACKError) {
        phase = .representation
        let index = Int(integer)
        if form == .sizeUpdate {
            guard !hasField else { throw .misplacedSizeUpdate }
            table.limitChanged(to: index)
            return
        }
        try fieldBegins(index, tables, &table, &section, limit)
    }

    /// Begins the field whose representation has this index; it is complete if it is nothing else.
    @inline(__always)
    private mutating func fieldBegins(
        _ index: Int,
        _ tables: borrowing HPACKTables,
        _ table: inout PartialTable,
        _ section: inout FieldSection,
        _ limit: Int
    ) throws(HPACKError) {
        hasField = true
        marks = form == .neverIndexed ? .neverIndexed : []
        floatingName = -1
        isTabled = index > 0 || form == .incremental
        if form == .indexed {
            try referenceRead(index, tables, &table, &section, isWhole: true)
            finish(&section, limit)
        } else if index == 0 {
            phase = .nameLengthStart
        } else {
            try referenceRead(index, tables, &table, &section, isWhole: false)
            valueStart = section.octets.count
            phase = .valueLengthStart
        }
    }

    /// Takes the name, and with `isWhole` the value, of an entry.
    @inline(__always)
    private mutating func referenceRead(
        _ index: Int,
        _ tables: borrowing HPACKTables,
        _ table: inout PartialTable,
        _ section: inout FieldSection,
        isWhole: Bool
    ) throws(HPACKError) {
        guard index > 0 else { throw .invalidIndex }
        if index <= HPACKTables.lastIndex {
            let entry = tables.copy(index, withValue: isWhole, into: &section)
            (name, nameHash, valueStart) = (entry.code, entry.hash, start + entry.nameLength)
            return
        }
        switch table.lookUp(index - HPACKTables.lastIndex - 1) {
        case .entry(let entry):
            (name, nameHash, valueStart) = (entry.code, entry.nameHash, start + entry.nameLength)
            if isWhole {
                // Of a section that has enough, nothing is written that is taken out again.
                if !section.isOverLimit { table.ring.copyField(of: entry, into: &section.octets) }
            } else {
                table.ring.copyName(of: entry, into: &section.octets)
            }
            guard !entry.marks.isEmpty else { return }
            if entry.marks.contains(.nameUnknown) { marks.insert(.nameUnknown) }
            if isWhole, entry.marks.contains(.valueUnknown) { marks.insert(.valueUnknown) }
            if entry.marks.contains(.inferred) { marks.insert(.inferred) }
            if isWhole, entry.marks.contains(.valueInvalid) { marks.insert(.valueInvalid) }
            if entry.marks.contains(.nameFloats) {
                floatingName = Int(entry.nameField)
                if isWhole { noteFloating(&section, isNameOnly: true) }
            }
        case .floating(let offset):
            (name, nameHash) = (.unknown, 0)
            marks.formUnion(isWhole ? [.nameUnknown, .valueUnknown] : .nameUnknown)
            floatingName = offset
            valueStart = section.octets.count
            if isWhole { noteFloating(&section, isNameOnly: false) }
        case .unknown:
            (name, nameHash) = (.unknown, 0)
            marks.formUnion(isWhole ? [.nameUnknown, .valueUnknown] : .nameUnknown)
            valueStart = section.octets.count
        case .invalid:
            throw .invalidIndex
        }
    }

    private func noteFloating(_ section: inout FieldSection, isNameOnly: Bool) {
        section.references.append(
            FieldSection.FloatingReference(
                field: section.fields.count,
                offset: floatingName,
                isNameOnly: isNameOnly
            )
        )
    }

    // MARK: - Strings

    /// Reads the first octet of a string, and answers whether it holds the whole length (RFC 7541 §5.2).
    private mutating func stringBegins(_ octet: UInt8) -> Bool {
        isHuffman = octet & 0x80 != 0
        integer = UInt32(octet & 0x7F)
        integerShift = 0
        huffman = HuffmanState()
        return integer != 0x7F
    }

    private mutating func nameLengthRead(_ section: inout FieldSection) {
        remaining = Int(integer)
        // An empty name is no valid one, and has its place in the table all the same.
        phase = .name
        if remaining == 0 { emptyNameRead(&section) }
    }

    private mutating func emptyNameRead(_ section: inout FieldSection) {
        (name, nameHash) = (.invalid, section.octets.span.extracting(start...).nameHash)
        valueStart = section.octets.count
        phase = .valueLengthStart
    }

    private mutating func nameRead(_ tables: borrowing HPACKTables, _ section: inout FieldSection) throws(HPACKError) {
        try stringEnds(tables, &section)
        let text = section.octets.span.extracting(start...)
        (name, nameHash) = (isCut ? .other : FieldName(text), text.nameHash)
        valueStart = section.octets.count
        phase = .valueLengthStart
    }

    private mutating func valueLengthRead(
        _ tables: borrowing HPACKTables,
        _ table: inout PartialTable,
        _ section: inout FieldSection,
        _ limit: Int
    ) throws(HPACKError) {
        remaining = Int(integer)
        phase = .value
        if remaining == 0 { try valueRead(tables, &table, &section, limit) }
    }

    /// Takes as much of the string as there is, and answers how many octets that are.
    private mutating func stringContinues(
        _ octets: Span<UInt8>,
        _ tables: borrowing HPACKTables,
        from stringStart: Int,
        _ section: inout FieldSection
    ) throws(HPACKError) -> Int {
        let count = min(remaining, octets.count)
        remaining -= count
        if section.octets.count - stringStart + count > Self.stringLimit {
            isCut = true
            section.octets.truncate(to: stringStart)
        }
        if isCut { return count }
        if isHuffman {
            try huffman.decode(octets.extracting(first: count), tables.huffman, into: &section.octets)
        } else {
            section.octets.append(octets.extracting(first: count))
        }
        return count
    }

    private mutating func stringEnds(
        _ tables: borrowing HPACKTables,
        _ section: inout FieldSection
    ) throws(HPACKError) {
        if isHuffman, !isCut { try huffman.finish(tables.huffman, into: &section.octets) }
    }

    private mutating func valueRead(
        _ tables: borrowing HPACKTables,
        _ table: inout PartialTable,
        _ section: inout FieldSection,
        _ limit: Int
    ) throws(HPACKError) {
        try stringEnds(tables, &section)
        phase = .representation
        if section.octets.span.indexOfControl(from: valueStart) < section.octets.count { marks.insert(.valueInvalid) }
        if floatingName >= 0 { noteFloating(&section, isNameOnly: true) }
        if form == .incremental { insert(into: &table, &section) }
        finish(&section, limit)
    }

    // MARK: - The field

    private func insert(into table: inout PartialTable, _ section: inout FieldSection) {
        guard !isCut else {
            table.insertOversized()
            return
        }
        var entry = TableEntry(code: name, nameHash: nameHash)
        if marks.contains(.nameUnknown) { entry.marks.insert(.nameUnknown) }
        if marks.contains(.inferred) { entry.marks.insert(.inferred) }
        if marks.contains(.valueInvalid) { entry.marks.insert(.valueInvalid) }
        if floatingName >= 0 {
            entry.marks.insert(.nameFloats)
            entry.nameField = UInt16(truncatingIfNeeded: floatingName)
        }
        table.insert(
            entry,
            octetsFrom: section.octets.span,
            at: start,
            nameLength: valueStart - start,
            valueLength: section.octets.count - valueStart
        )
    }

    /// Adds the field that is complete, unless the section has enough.
    @inline(__always)
    private func finish(_ section: inout FieldSection, _ limit: Int) {
        section.lineCount += 1
        if isCut || section.octets.count + section.fields.count * Self.fieldCost > limit { section.isOverLimit = true }
        guard !section.isOverLimit else {
            section.octets.truncate(to: start)
            while !section.references.isEmpty, section.references.last.field >= section.fields.count {
                section.references.removeLast()
            }
            return
        }
        section.fields.append(
            SectionField(
                name: OctetRange(start..<valueStart),
                value: OctetRange(valueStart..<section.octets.count),
                code: marks.contains(.nameUnknown) ? .unknown : name,
                marks: marks,
                nameHash: nameHash
            )
        )
        if isTabled { section.tabledCount = section.fields.count }
    }
}
