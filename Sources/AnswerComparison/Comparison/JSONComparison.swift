// Wingmirror · Apache-2.0
// Structures of JSON: RFC 8259.

import JSONSyntax
import OctetText

/// Walks two contents side by side and tells where they differ.
///
/// The work is bounded: the parser bounds the depth, and every value that is compared or hashed counts against a limit.
struct JSONComparison {
    private let rules: PathRules
    private let tolerance: Double
    private let unordered: Set<String>
    private let hosts: LinkHosts
    private let sketch: ValueSketch
    private let limits: ComparisonLimits
    private let hashKey: KeyedHash
    private let moments: AnswerTime.Moments
    private var valuesLeft: Int
    private var path = ContentPath()
    private(set) var list: DifferenceList

    init(
        _ comparator: AnswerComparator,
        hosts: LinkHosts,
        unordered: Set<String>,
        moments: AnswerTime.Moments,
        list: DifferenceList
    ) {
        self.moments = moments
        rules = comparator.rules
        tolerance = comparator.settings.numericTolerance
        self.unordered = unordered
        self.hosts = hosts
        sketch = comparator.sketch
        limits = comparator.limits
        hashKey = comparator.hash
        valuesLeft = comparator.limits.values
        self.list = list
    }

    /// Compares two contents; `false` when the limit was met before the end.
    mutating func compareContents(_ production: JSONValue, _ candidate: JSONValue) -> Bool {
        compare(production, candidate, rules.root)
        return valuesLeft > 0
    }

    private mutating func spend(_ count: Int = 1) -> Bool {
        valuesLeft -= count
        return valuesLeft > 0
    }

    // MARK: - Values

    private mutating func compare(_ production: JSONValue, _ candidate: JSONValue, _ cursor: PathRules.Cursor) {
        guard spend(), !list.isFull, !rules.isIgnored(cursor) else { return }
        switch (production, candidate) {
        case (.object(let first), .object(let second)): compare(first, second, cursor)
        case (.array(let first), .array(let second)): compare(first, second, cursor)
        case (.null, .null): break
        case (.bool(let first), .bool(let second)):
            if first != second { differ(.value, production, candidate, cursor, hasEqualShape: true) }
        case (.integer(let first), .integer(let second)) where first == second: break
        case (.digits(let first), .digits(let second)) where first == second: break
        case (.integer, .integer), (.integer, .double), (.double, .integer), (.double, .double),
            (.digits, .integer), (.digits, .double), (.integer, .digits), (.double, .digits), (.digits, .digits):
            if !areClose(production, candidate) { compareNumbers(production, candidate, cursor) }
        case (.string(let first), .string(let second)):
            // By octets: texts that Unicode calls equivalent are two texts to a client that compares them.
            if !first.utf8.elementsEqual(second.utf8) {
                compare(Array(first.utf8), Array(second.utf8), production, candidate, cursor)
            }
        default: differ(.type, production, candidate, cursor)
        }
    }

    private mutating func compare(
        _ first: [UInt8],
        _ second: [UInt8],
        _ production: JSONValue,
        _ candidate: JSONValue,
        _ cursor: PathRules.Cursor
    ) {
        let (ours, theirs) = (hosts.relative(first), hosts.relative(second))
        guard ours != theirs else { return }
        let shape = ValueShape(first)
        let areTimes = AnswerTime.areTimes(first, second, of: moments)
        differ(
            .value,
            production,
            candidate,
            cursor,
            hasEqualShape: shape.isLike(ValueShape(second)),
            expectation: shape.format.isTransient ? .presumedVolatile : .stable,
            isOfEnvironment: areTimes || PodName.areNames(first, second),
            isShifted: areTimes && AnswerTime.areShifted(first, second, of: moments),
            words: shape.format == .text ? TextWords.difference(ours, theirs) : nil
        )
    }

    /// Numbers that are both times near each other say when an answer was made, as texts of times do.
    private mutating func compareNumbers(
        _ production: JSONValue,
        _ candidate: JSONValue,
        _ cursor: PathRules.Cursor
    ) {
        let areTimes = AnswerTime.areTimes(production, candidate, of: moments)
        differ(
            .value,
            production,
            candidate,
            cursor,
            hasEqualShape: true,
            expectation: areTimes ? .presumedVolatile : .stable,
            isOfEnvironment: areTimes,
            isShifted: areTimes && AnswerTime.areShifted(production, candidate, of: moments),
            isOfZero: production.number == 0 || candidate.number == 0,
            direction: areTimes ? 0 : Self.direction(production, candidate)
        )
    }

    /// Which of two numbers is the larger, 1 the second and −1 the first, where they are far apart.
    ///
    /// That is by half as much again at least, or of another sign. Clocks and counters, which whoever is asked later has more
    /// of, are not.
    private static func direction(_ first: JSONValue, _ second: JSONValue) -> Int64 {
        guard let first = first.number, let second = second.number, first != second else { return 0 }
        let (least, most) = (min(first.magnitude, second.magnitude), max(first.magnitude, second.magnitude))
        guard first.sign != second.sign || most >= 1.5 * least else { return 0 }
        return first < second ? 1 : -1
    }

    private func areClose(_ production: JSONValue, _ candidate: JSONValue) -> Bool {
        guard let first = production.number, let second = candidate.number else { return false }
        return first == second && !(production.isWhole && candidate.isWhole)
            || tolerance > 0 && (first - second).magnitude <= tolerance * max(first.magnitude, second.magnitude)
    }

    private mutating func differ(
        _ kind: DifferenceKind,
        _ production: JSONValue?,
        _ candidate: JSONValue?,
        _ cursor: PathRules.Cursor,
        hasEqualShape: Bool = false,
        expectation: AnswerDifference.Expectation = .stable,
        isOfEnvironment: Bool = false,
        isShifted: Bool = false,
        isOfZero: Bool = false,
        direction: Int64 = 0,
        words: TextWords.Difference? = nil
    ) {
        let isSecret = rules.isSecret(cursor)
        var difference = AnswerDifference(
            place: .content(path.text(members: limits.pathMembers)),
            kind: kind,
            production: production.map { sketch.value($0, isSecret: isSecret) } ?? "absent",
            candidate: candidate.map { sketch.value($0, isSecret: isSecret) } ?? "absent"
        )
        difference.hasEqualShape = hasEqualShape
        difference.expectation = expectation
        difference.isOfEnvironment = isOfEnvironment
        difference.direction = direction
        difference.isOfZero = isOfZero
        // Times differ anyway; that they are off differs beside that.
        difference.occurrences = (words?.count ?? 1) + (isShifted ? 1 : 0)
        difference.isCoarse = words?.isAligned == false
        list.append(difference)
    }

    // MARK: - Objects

    private mutating func compare(_ production: JSONObject, _ candidate: JSONObject, _ cursor: PathRules.Cursor) {
        let areKeys = Self.isMap(production) || Self.isMap(candidate)
        let isParallel =
            production.members.count == candidate.members.count
            && zip(production.members, candidate.members).allSatisfy { $0.key.utf8.elementsEqual($1.key.utf8) }
        if isParallel {
            for (first, second) in zip(production.members, candidate.members) {
                compareMember(first.key, first.value, second.value, cursor, isKey: areKeys)
            }
            return
        }
        guard spend(production.members.count + candidate.members.count) else { return }
        var others = Dictionary(candidate.members.map { (Array($0.key.utf8), $0.value) }) { $1 }
        for member in production.members {
            let other = others.removeValue(forKey: Array(member.key.utf8))
            compareMember(member.key, member.value, other, cursor, isKey: areKeys)
        }
        for member in candidate.members where others[Array(member.key.utf8)] != nil {
            compareMember(member.key, nil, member.value, cursor, isKey: areKeys)
        }
    }

    /// From how many members on an object of objects is taken for a map, whose names are keys of data; smaller ones have room
    /// among the 63 places of a route, each member its own.
    private static let leastEntries = 64

    /// Whether an object is a list of entries by key: many objects with the same members, for example products by their number.
    private static func isMap(_ object: JSONObject) -> Bool {
        guard object.members.count >= leastEntries, case .object(let first)? = object.members.first?.value else {
            return false
        }
        let names = Set(first.members.map(\.key))
        return object.members.allSatisfy { member in
            guard case .object(let entry) = member.value else { return false }
            let shared = entry.members.count { names.contains($0.key) }
            return 2 * shared >= max(names.count, entry.members.count)
        }
    }

    private mutating func compareMember(
        _ name: String,
        _ production: JSONValue?,
        _ candidate: JSONValue?,
        _ cursor: PathRules.Cursor,
        isKey: Bool
    ) {
        path.push(member: isKey ? "" : name)
        defer { path.pop() }
        let below = cursor.isEmpty ? cursor : rules.member(name, of: cursor)
        switch (production, candidate) {
        case (let first?, let second?): compare(first, second, below)
        case (let first, let second):
            guard !rules.isIgnored(below) else { return }
            differ(first == nil ? .extra : .missing, first, second, below)
        }
    }

    // MARK: - Lists

    private mutating func compare(_ production: [JSONValue], _ candidate: [JSONValue], _ cursor: PathRules.Cursor) {
        path.pushEntry()
        defer { path.pop() }
        let below = rules.entry(of: cursor)
        guard !rules.isIgnored(below) else { return }
        if let key = rules.key(cursor), let first = keyed(production, key), let second = keyed(candidate, key) {
            return compareKeyed(first, second, below)
        }
        if rules.isUnordered(cursor) { return compareUnordered(production, candidate, below, sayingOrder: false) }
        // That order varies says how noisy it is; it is a difference all the same.
        if unordered.contains(path.text(members: limits.pathMembers)) {
            return compareUnordered(production, candidate, below, sayingOrder: true)
        }
        guard production.count == candidate.count else {
            differ(
                .size,
                .array(production),
                .array(candidate),
                below,
                hasEqualShape: !production.isEmpty && !candidate.isEmpty
                    && ValueShape.areClose(production.count, candidate.count)
            )
            // A length that varies hides nothing of what the entries say.
            return compareUnordered(production, candidate, below, sayingOrder: false, sayingSize: false)
        }
        let before = list
        for (first, second) in zip(production, candidate) { compare(first, second, below) }
        guard list.additions > before.additions, production.count > 1,
            let firstHashes = hashes(production, below), let secondHashes = hashes(candidate, below),
            firstHashes.sorted() == secondHashes.sorted()
        else { return }
        // The same entries in another order are one difference, and not as many as there are members.
        list = before
        differ(.order, .array(production), .array(candidate), below, hasEqualShape: true)
    }

    /// Entries by the text of a member; `nil` when one has no such member, or two have the same.
    private mutating func keyed(_ entries: [JSONValue], _ key: String) -> [(key: String, entry: JSONValue)]? {
        guard spend(entries.count) else { return nil }
        var seen = Set<String>()
        var result: [(key: String, entry: JSONValue)] = []
        for entry in entries {
            let text: String
            switch entry[key] {
            case .string(let string): text = string
            case .integer(let number): text = String(number)
            default: return nil
            }
            guard seen.insert(text).inserted else { return nil }
            result.append((text, entry))
        }
        return result
    }

    private mutating func compareKeyed(
        _ production: [(key: String, entry: JSONValue)],
        _ candidate: [(key: String, entry: JSONValue)],
        _ cursor: PathRules.Cursor
    ) {
        var others = Dictionary(uniqueKeysWithValues: candidate.map { ($0.key, $0.entry) })
        for (key, entry) in production {
            if let other = others.removeValue(forKey: key) {
                compare(entry, other, cursor)
            } else {
                differ(.missing, entry, nil, cursor)
            }
        }
        for extra in candidate where others[extra.key] != nil { differ(.extra, nil, extra.entry, cursor) }
    }

    /// Compares lists as sets, and the order of the entries that both have, and those that one has more, only if it is to be said.
    private mutating func compareUnordered(
        _ production: [JSONValue],
        _ candidate: [JSONValue],
        _ cursor: PathRules.Cursor,
        sayingOrder: Bool,
        sayingSize: Bool = true
    ) {
        guard let firstHashes = hashes(production, cursor), let secondHashes = hashes(candidate, cursor) else { return }
        var counts: [UInt64: Int] = [:]
        for hash in secondHashes { counts[hash, default: 0] += 1 }
        let missing = production.indices.filter { index in
            counts[firstHashes[index], default: 0] -= 1
            return counts[firstHashes[index], default: 0] < 0
        }
        let extra = candidate.indices.filter { index in
            guard let count = counts[secondHashes[index]], count > 0 else { return false }
            counts[secondHashes[index]] = count - 1
            return true
        }
        // As many missing as extra ones are taken for entries that changed, in their order.
        for (first, second) in zip(missing, extra) {
            compare(production[first], candidate[second], cursor)
        }
        if sayingSize {
            for first in missing.dropFirst(extra.count) { differ(.missing, production[first], nil, cursor) }
            for second in extra.dropFirst(missing.count) { differ(.extra, nil, candidate[second], cursor) }
        }
        guard sayingOrder else { return }
        func shared(_ hashes: [UInt64], without positions: [Int]) -> [UInt64] {
            let others = Set(positions)
            return hashes.indices.filter { !others.contains($0) }.map { hashes[$0] }
        }
        if shared(firstHashes, without: missing) != shared(secondHashes, without: extra) {
            differ(.order, .array(production), .array(candidate), cursor, hasEqualShape: true)
        }
    }

    // MARK: - Hashes

    private mutating func hashes(_ entries: [JSONValue], _ cursor: PathRules.Cursor) -> [UInt64]? {
        var result: [UInt64] = []
        result.reserveCapacity(entries.count)
        for entry in entries {
            guard let hash = hash(entry, cursor) else { return nil }
            result.append(hash)
        }
        return result
    }

    /// A keyed hash of a value without what is ignored; the order of members is none.
    ///
    /// - Returns: `nil` when the limit is met.
    private mutating func hash(_ value: JSONValue, _ cursor: PathRules.Cursor) -> UInt64? {
        guard spend() else { return nil }
        guard !rules.isIgnored(cursor) else { return 0 }
        var hash = hashKey
        switch value {
        case .null: hash.combine(0 as UInt8)
        case .bool(let truth): hash.combine((truth ? 2 : 1) as UInt8)
        case .integer(let number):
            hash.combine(3 as UInt8)
            hash.combine(word: UInt64(bitPattern: Int64(number)))
        case .digits(let digits):
            hash.combine(8 as UInt8)
            hash.combine(digits.utf8)
        case .double(let number):
            if let whole = Int(exactly: number) { return self.hash(.integer(whole), cursor) }
            hash.combine(4 as UInt8)
            hash.combine(word: number.bitPattern)
        case .string(let string):
            hash.combine(5 as UInt8)
            hash.combine(hosts.relative(Array(string.utf8)))
        case .array(let entries):
            hash.combine(6 as UInt8)
            guard let hashes = hashes(entries, rules.entry(of: cursor)) else { return nil }
            for entry in hashes { hash.combine(word: entry) }
        case .object(let object):
            hash.combine(7 as UInt8)
            var sum: UInt64 = 0
            for member in object.members {
                let below = cursor.isEmpty ? cursor : rules.member(member.key, of: cursor)
                guard !rules.isIgnored(below) else { continue }
                guard let value = self.hash(member.value, below) else { return nil }
                var pair = hashKey
                pair.combine(member.key.utf8)
                pair.combine(word: value)
                // A sum modulo 2⁶⁴ does not depend on the order of its terms.
                sum &+= pair.value
            }
            hash.combine(word: sum)
        }
        return hash.value
    }
}

extension JSONValue {
    /// The value of a number; `nil` for anything else.
    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        case .digits(let digits): Double(digits)
        default: nil
        }
    }

    fileprivate var isWhole: Bool {
        switch self {
        case .integer, .digits: true
        default: false
        }
    }
}
