// Wingmirror · Apache-2.0
// Rules that a field section must keep: RFC 9113 §8.3, RFC 9110 §5.5.

internal import TrafficModel

extension PartialTable {
    /// References into floating entries that a section may have and still be used as evidence.
    private static var evidenceLimit: Int { 256 }

    /// A block is over: refutes shifts by what it says, lets it vote, and fills in the fields that are certain then.
    ///
    /// A field whose entry floats gets its name and value only if all shifts that are left agree on them.
    mutating func resolve(_ section: inout FieldSection, as kind: SectionKind) {
        if !section.references.isEmpty {
            let isEvidence = !section.isOverLimit && section.references.count <= Self.evidenceLimit
            var isVoted = false
            if isEvidence, floatingCount > 0 {
                refute(by: section, as: kind)
                if shifts.count > 1 { isVoted = vote(by: section) }
            }
            if shifts.count == 0 { dropFloating() }
            for index in 0..<section.references.count {
                fillIn(&section, section.references[index], isInferred: isVoted || isFloatInferred)
            }
            if floatingCount > 0, shifts.count == 1, let shift = shifts.first {
                settle(shift, isInferred: isVoted || isFloatInferred)
            }
        }
        sequences.learn(section)
    }

    // MARK: - Filling in

    private func fillIn(
        _ section: inout FieldSection,
        _ reference: FieldSection.FloatingReference,
        isInferred: Bool
    ) {
        guard floatingCount > 0, let first = shifts.first, let entry = floatingEntry(reference.offset, shift: first)
        else { return }
        var agreesOnName = !entry.marks.contains(.nameUnknown)
        var agreesOnValue = !entry.marks.contains(.valueUnknown) && !reference.isNameOnly
        var isInferred = isInferred || entry.marks.contains(.inferred)
        var shift = first
        while agreesOnName || agreesOnValue, let next = shifts.next(from: shift + 1) {
            shift = next
            guard let other = floatingEntry(reference.offset, shift: next) else { return }
            isInferred = isInferred || other.marks.contains(.inferred)
            agreesOnName =
                agreesOnName && !other.marks.contains(.nameUnknown)
                && ring.areEqual(entry, other, comparesValues: false)
            agreesOnValue =
                agreesOnValue && agreesOnName && !other.marks.contains(.valueUnknown)
                && ring.areEqual(entry, other, comparesValues: true)
        }
        guard agreesOnName else {
            // A value is of no use without its name.
            return
        }
        var field = section.fields[reference.field]
        let start = section.octets.count
        ring.copyName(of: entry, into: &section.octets)
        field.name = OctetRange(start..<section.octets.count)
        field.code = entry.code
        field.nameHash = entry.nameHash
        field.marks.remove(.nameUnknown)
        if agreesOnValue {
            let middle = section.octets.count
            ring.copyValue(of: entry, into: &section.octets)
            field.value = OctetRange(middle..<section.octets.count)
            field.marks.remove(.valueUnknown)
        }
        if isInferred { field.marks.insert(.inferred) }
        section.fields[reference.field] = field
    }

    // MARK: - Refuting

    private mutating func refute(by section: borrowing FieldSection, as kind: SectionKind) {
        var codes = (0..<section.fields.count).map { section.fields[$0].code }
        let mayConnect = Self.mayConnect(section)
        var shift = shifts.first
        while let candidate = shift {
            shift = shifts.next(from: candidate + 1)
            var isBeyondTable = false
            for index in 0..<section.references.count {
                let reference = section.references[index]
                let entry = floatingEntry(reference.offset, shift: candidate)
                codes[reference.field] = entry?.code ?? .unknown
                if entry == nil, candidate != ShiftSet.everything, reference.offset >= candidate, isWhole {
                    isBeyondTable = true
                }
            }
            if isBeyondTable || !Self.isValid(codes, as: kind, mayConnect: mayConnect) { shifts.remove(candidate) }
        }
    }

    /// Whether the method may be CONNECT, which has no scheme and no path (RFC 9113 §8.5).
    private static func mayConnect(_ section: borrowing FieldSection) -> Bool {
        for index in 0..<section.fields.count {
            let field = section.fields[index]
            guard field.code == .method, !field.marks.contains(.valueUnknown) else { continue }
            return section.octets.span.extracting(field.value.range).spells("CONNECT")
        }
        return true
    }

    /// Whether names may stand in this order; an unknown one may be any.
    static func isValid(_ codes: [FieldName], as kind: SectionKind, mayConnect: Bool) -> Bool {
        var seen: UInt32 = 0
        var wildcards = 0
        var isBehindPseudo = false
        for code in codes {
            switch code {
            case .unknown:
                if !isBehindPseudo { wildcards += 1 }
            case .other, .invalid, .connectionSpecific, .te, .cookie, .contentEncoding, .contentLength, .grpcStatus,
                .trace, .shadow:
                isBehindPseudo = true
            default:
                if code.isPseudo { if isBehindPseudo { return false } } else { isBehindPseudo = true }
                let bit: UInt32 = 1 << UInt32(code.rawValue)
                if seen & bit != 0 { return false }
                seen |= bit
            }
        }
        func has(_ names: FieldName...) -> Int { names.count(where: { seen & (1 << UInt32($0.rawValue)) != 0 }) }
        let requestFields = has(.method, .scheme, .authority, .path, .protocol)
        if kind.mayBeTrailers, requestFields + has(.status, .otherPseudo) == 0 { return true }
        if kind.isRequest {
            let missing = 1 - has(.method) + (mayConnect ? 0 : 2 - has(.scheme, .path))
            return has(.status) == 0 && missing <= wildcards
        }
        return requestFields == 0 && 1 - has(.status) <= wildcards
    }

    // MARK: - Voting

    /// Lets a section vote for the one shift that makes it a sequence of names seen before, and answers whether that
    /// settles the question.
    private mutating func vote(by section: borrowing FieldSection) -> Bool {
        guard section.references.count >= Ballot.leastNames else { return false }
        var ballot = Ballot(section)
        let surviving = survivingCount
        var fitting: (shift: Int, weight: UInt8, isRooted: Bool)?
        var orderly: [(shift: Int, isEvidence: Bool)] = []
        var hasRival = false
        var shift = shifts.first
        while let candidate = shift {
            shift = shifts.next(from: candidate + 1)
            ballot.begin()
            for index in 0..<section.references.count {
                let reference = section.references[index]
                ballot.note(
                    floatingEntry(reference.offset, shift: candidate),
                    in: reference.field,
                    survives: reference.offset - candidate < surviving
                )
            }
            guard let weight = weight(of: ballot) else {
                if ballot.mayBeOrderly(of: section.references.count), sequences.agree(with: ballot) {
                    orderly.append((candidate, ballot.isOrderEvidence(isOnly: isOnlyFloatingEntry)))
                }
                // What fits but for entries that the hole inserted may be the true one.
                if ballot.mayRival, sequences.containsMatch(of: ballot.names) { hasRival = true }
                continue
            }
            // A table that is periodic lets several fit: that says nothing.
            if fitting != nil { return false }
            fitting = (candidate, weight, ballot.isRooted)
        }
        if fitting == nil, orderly.count == 1, orderly[0].isEvidence {
            fitting = (orderly[0].shift, Ballot.weightOfOrder, true)
        }
        guard let fitting, fitting.isRooted, !hasRival, votes.cast(for: fitting.shift, weight: fitting.weight) else {
            return false
        }
        shifts = ShiftSet(only: fitting.shift)
        return true
    }

    /// What the vote for a shift counts, if the names that it gives were seen before: all of them, or those that the block
    /// begins with.
    private func weight(of ballot: Ballot) -> UInt8? {
        if ballot.hasEvidence, sequences.containsMatch(of: ballot.names) {
            return ballot.weight(isOnly: isOnlyFloatingEntry)
        }
        let beginning = sequences.longestBeginning(of: ballot.names)
        return ballot.isEvidence(beginning, isOnly: isOnlyFloatingEntry) ? Ballot.weightOfBeginning : nil
    }

    /// Whether a floating entry is the only one with its name.
    ///
    /// A name with several is one whose value changes: another may have been inserted in the hole.
    private func isOnlyFloatingEntry(nameHash: UInt32) -> Bool {
        var count = 0
        for position in exactCount..<ring.count where ring[position].nameHash == nameHash { count += 1 }
        return count == 1
    }
}

/// The names that a section would have, were a shift the true one.
struct Ballot {
    /// By field, up to the last whose name is in a table; 0 of those that are not known.
    private(set) var names: [UInt16]
    private let before: [UInt16]
    /// The floating entries that names come from, with their fields in growing order.
    private var entries: [(field: Int, nameHash: UInt32, code: FieldName, survives: Bool)] = []
    /// The different names that floating entries gave.
    private var found: [UInt16] = []
    /// Whether one of them is that of a pseudo-header field, which stands in one place only.
    private var hasPseudo = false

    /// Different names of floating entries that a section must have to be evidence: one may be there by chance.
    static var leastNames: Int { 2 }
    /// So many settle the question by themselves, if three of them are lasting.
    private static var strongNames: Int { 4 }
    private static var lastingNames: Int { 3 }

    /// Whether enough names come from floating entries to doubt another shift.
    var mayRival: Bool { found.count >= Self.lastingNames }

    init(_ section: borrowing FieldSection) {
        before = (0..<section.tabledCount).map {
            let field = section.fields[$0]
            return field.marks.contains(.nameUnknown) ? 0 : NameSequences.code(of: field.nameHash)
        }
        names = before
    }

    mutating func begin() {
        names = before
        hasPseudo = false
        found.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }

    /// Takes the name of an entry, if there is one, for a field; whether the entry was certainly there behind the hole.
    mutating func note(_ entry: TableEntry?, in field: Int, survives: Bool) {
        guard let entry, !entry.marks.contains(.nameUnknown), field < names.count else { return }
        let name = NameSequences.code(of: entry.nameHash)
        names[field] = name
        entries.append((field, entry.nameHash, entry.code, survives))
        if entry.code.isPseudo { hasPseudo = true }
        if !found.contains(name) { found.append(name) }
    }

    /// Whether enough names come from floating entries; where others are not known, one must be that of a pseudo-header
    /// field, since parts of sequences are alike.
    var hasEvidence: Bool { found.count >= Self.leastNames && (isComplete || hasPseudo) }

    /// Whether the first fields are evidence for a shift: at least three names that only one entry has, that of a
    /// pseudo-header field among them.
    ///
    /// Clients whose requests differ in their last fields begin them alike.
    func isEvidence(_ count: Int, isOnly: (UInt32) -> Bool) -> Bool {
        var hashes: [UInt32] = []
        var hasPseudo = false
        for entry in entries where entry.field < count && !hashes.contains(entry.nameHash) && isOnly(entry.nameHash) {
            hashes.append(entry.nameHash)
            if entry.code.isPseudo { hasPseudo = true }
        }
        return hasPseudo && hashes.count >= Self.leastNamesOfBeginning
    }

    private static var leastNamesOfBeginning: Int { 3 }
    /// What such a vote counts: two are needed.
    static var weightOfBeginning: UInt8 { ShiftVotes.threshold / 2 }

    /// Whether names are from floating entries that there are, and the hole would have inserted few that others of the
    /// references mean.
    func mayBeOrderly(of references: Int) -> Bool {
        found.count >= Self.leastNames && entries.count >= 2 * (references - entries.count)
    }

    /// Whether names that stand in the order of those seen before are evidence: two of entries that have theirs alone and
    /// were certainly there behind the hole, `:authority` among them, which changes least of all pseudo-header fields.
    func isOrderEvidence(isOnly: (UInt32) -> Bool) -> Bool {
        count(where: { $0.survives && $0.code == .authority && isOnly($0.nameHash) }, for: 1)
            && count(where: { $0.survives && isOnly($0.nameHash) }, for: Self.leastNames)
    }

    /// What such a vote counts: two are needed.
    static var weightOfOrder: UInt8 { ShiftVotes.threshold / 2 }

    /// Whether the name of a field comes from a floating entry.
    func floats(_ field: Int) -> Bool { entries.contains { $0.field == field } }

    /// What the vote counts: all where the names are so many that no other place of the entries can give them, half where
    /// all names are known or two of them lasting, and a third else.
    ///
    /// Names whose values change are no sign for a single vote: the hole may have held a whole set of other values in the same order.
    func weight(isOnly: (UInt32) -> Bool) -> UInt8 {
        if found.count >= Self.strongNames, hasPseudo,
            count(where: { $0.survives && isOnly($0.nameHash) }, for: Self.lastingNames)
        {
            return ShiftVotes.threshold
        }
        let isStrong =
            isComplete || hasPseudo && count(where: { $0.survives && isOnly($0.nameHash) }, for: Self.leastNames)
        return isStrong ? ShiftVotes.threshold / 2 : ShiftVotes.threshold / 3
    }

    /// Whether enough names come from entries that were certainly there behind the hole.
    var isRooted: Bool { count(where: { $0.survives }, for: Self.leastNames) }

    /// Whether at least so many different names have an entry of a kind.
    private func count(
        where isCounted: ((field: Int, nameHash: UInt32, code: FieldName, survives: Bool)) -> Bool,
        for least: Int
    ) -> Bool {
        var hashes: [UInt32] = []
        for entry in entries where !hashes.contains(entry.nameHash) && isCounted(entry) {
            hashes.append(entry.nameHash)
        }
        return hashes.count >= least
    }

    private var isComplete: Bool { !names.contains(0) }
}

/// Votes for a number of missed insertions: enough for one, and none for another, settle it.
struct ShiftVotes {
    private var shift: UInt8 = 0
    private var weight: UInt8 = 0
    private var isSplit = false

    /// What votes must weigh together.
    static var threshold: UInt8 { 6 }

    /// Counts a vote, and answers whether it settles the question.
    mutating func cast(for candidate: Int, weight: UInt8) -> Bool {
        if self.weight > 0, Int(shift) != candidate { isSplit = true }
        shift = UInt8(truncatingIfNeeded: candidate)
        self.weight = min(self.weight + weight, Self.threshold)
        return self.weight == Self.threshold && !isSplit
    }
}

/// Name sequences that blocks of a direction had; the latest 16 that differ.
struct NameSequences {
    private var sequences: [Sequence] = []
    /// A hash of each of them, by which one that is known is told.
    private var hashes: [UInt64] = []
    private var next = 0

    private struct Sequence {
        let names: [UInt16]
        /// Those up to the last that is in a table.
        let tabledCount: Int
    }

    private static var limit: Int { 16 }
    /// Longer ones are cut: a block of so many fields is told apart by its first.
    private static var lengthLimit: Int { 32 }

    /// Octets of memory that the sequences take, each with the head of its array.
    var keptOctets: Int { sequences.count * (Self.lengthLimit * MemoryLayout<UInt16>.stride + 64) }

    /// Stands for a name; never 0.
    static func code(of nameHash: UInt32) -> UInt16 {
        UInt16(truncatingIfNeeded: nameHash ^ nameHash >> 16) | 1
    }

    /// Whether there is a sequence of these names up to the last that is in a table, where 0 stands for any.
    func containsMatch(of names: [UInt16]) -> Bool {
        let count = min(names.count, Self.lengthLimit)
        return sequences.contains { sequence in
            guard sequence.tabledCount == count else { return false }
            for index in 0..<count where names[index] != 0 && names[index] != sequence.names[index] { return false }
            return true
        }
    }

    /// How many of the first names, all of them known, begin a sequence in the same way.
    func longestBeginning(of names: [UInt16]) -> Int {
        sequences.reduce(0) { longest, sequence in
            let most = min(names.count, sequence.tabledCount)
            let count = (0..<most).first { names[$0] == 0 || names[$0] != sequence.names[$0] } ?? most
            return max(longest, count)
        }
    }

    /// Whether no sequence has the names that a ballot gives in another order, and one has all that come from floating
    /// entries.
    ///
    /// Most clients leave fields out, or add some, and keep the order of the others. Of a block with more names than sequences have
    /// nothing is said: its sender could make the comparison as long as its block.
    func agree(with ballot: borrowing Ballot) -> Bool {
        guard ballot.names.count <= Self.lengthLimit else { return false }
        var hasAll = false
        for sequence in sequences {
            var place = 0
            var before: UInt16 = 0
            var lacksNone = true
            for (field, name) in ballot.names.enumerated() where name != 0 {
                // A field may be split, as cookies are.
                if name == before, !ballot.floats(field) { continue }
                before = name
                if let found = sequence.names[place...].firstIndex(of: name) {
                    place = found + 1
                } else if sequence.names.contains(name) {
                    return false
                } else if ballot.floats(field) {
                    lacksNone = false
                }
            }
            hasAll = hasAll || lacksNone
        }
        return hasAll
    }

    /// Learns the names of a block, if all of them are known up to the last that is in a table.
    mutating func learn(_ section: borrowing FieldSection) {
        let tabledCount = min(section.tabledCount, Self.lengthLimit)
        guard !section.isOverLimit, tabledCount > 0 else { return }
        // Those behind it are in the block itself.
        let count = min(section.fields.count, Self.lengthLimit)
        let fields = section.fields.span.extracting(first: count)
        // Blocks repeat their names, so that nearly all are known. Two sequences of one hash would cost a vote and no more.
        var hash = UInt64(tabledCount)
        for index in 0..<count {
            if fields[index].marks.contains(.nameUnknown) { return }
            hash = (hash ^ UInt64(Self.code(of: fields[index].nameHash))) &* 0x9E37_79B9_7F4A_7C15
        }
        if isKnown(hash) { return }
        let learned = Sequence(
            names: (0..<count).map { Self.code(of: section.fields[$0].nameHash) },
            tabledCount: tabledCount
        )
        if sequences.count < Self.limit {
            sequences.append(learned)
            hashes.append(hash)
        } else {
            sequences[next] = learned
            hashes[next] = hash
            next = (next + 1) % Self.limit
        }
    }

    private func isKnown(_ hash: UInt64) -> Bool {
        let known = hashes.span
        for index in 0..<known.count where known[index] == hash { return true }
        return false
    }
}
