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
            for reference in section.references {
                fillIn(&section, reference, isInferred: isVoted || isFloatInferred)
            }
            if floatingCount > 0, shifts.count == 1, let shift = shifts.first {
                settle(shift, isInferred: isVoted || isFloatInferred)
            }
        }
        if !section.isOverLimit, let sequence = NameSequences.hash(of: section.fields) { sequences.insert(sequence) }
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

    private mutating func refute(by section: FieldSection, as kind: SectionKind) {
        var codes = section.fields.map(\.code)
        let mayConnect = Self.mayConnect(section)
        var shift = shifts.first
        while let candidate = shift {
            shift = shifts.next(from: candidate + 1)
            var isBeyondTable = false
            for reference in section.references {
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
    private static func mayConnect(_ section: FieldSection) -> Bool {
        for index in section.fields.indices {
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
            case .other, .cookie, .contentEncoding, .contentLength, .grpcStatus, .trace, .shadow:
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
    private mutating func vote(by section: FieldSection) -> Bool {
        var fitting: Int?
        var fields = section.fields
        var shift = shifts.first
        while let candidate = shift {
            shift = shifts.next(from: candidate + 1)
            guard fits(candidate, section, &fields) else { continue }
            // A table that is periodic lets several fit: that says nothing.
            if fitting != nil { return false }
            fitting = candidate
        }
        guard let fitting, votes.cast(for: fitting) else { return false }
        shifts = ShiftSet(only: fitting)
        return true
    }

    private func fits(_ shift: Int, _ section: FieldSection, _ fields: inout [SectionField]) -> Bool {
        guard section.references.count >= 2 else { return false }
        for reference in section.references {
            guard let entry = floatingEntry(reference.offset, shift: shift), !entry.marks.contains(.nameUnknown)
            else { return false }
            fields[reference.field].nameHash = entry.nameHash
            fields[reference.field].marks.remove(.nameUnknown)
        }
        return NameSequences.hash(of: fields).map(sequences.contains) ?? false
    }
}

/// Votes for a number of missed insertions: two for one, and none for another, settle it.
struct ShiftVotes {
    private var shift: UInt8 = 0
    private var count: UInt8 = 0
    private var isSplit = false

    /// Counts a vote, and answers whether it settles the question.
    mutating func cast(for candidate: Int) -> Bool {
        if count > 0, Int(shift) != candidate { isSplit = true }
        shift = UInt8(truncatingIfNeeded: candidate)
        count = min(count + 1, 2)
        return count == 2 && !isSplit
    }
}

/// Hashes of name sequences that whole blocks of a direction had; the latest 32 that differ.
struct NameSequences {
    private var hashes: [UInt64] = []
    private var next = 0

    private static var limit: Int { 32 }

    /// The hash of a sequence of names; `nil` where one of them is not known.
    static func hash(of fields: [SectionField]) -> UInt64? {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for field in fields {
            if field.marks.contains(.nameUnknown) { return nil }
            hash = (hash ^ UInt64(field.nameHash)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        return hash
    }

    func contains(_ hash: UInt64) -> Bool { hashes.contains(hash) }

    mutating func insert(_ hash: UInt64) {
        if contains(hash) { return }
        if hashes.count < Self.limit {
            hashes.append(hash)
        } else {
            hashes[next] = hash
            next = (next + 1) % Self.limit
        }
    }
}
