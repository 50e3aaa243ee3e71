// Wingmirror · Apache-2.0

import TrafficModel

@testable import HTTPReconstruction

/// One file of `Fixtures/hpack`.
struct HPACKStory: Decodable {
    let cases: [Case]

    struct Case: Decodable {
        let wire: HexOctets
        let headers: [[String]]
    }
}

/// Octets that a file holds in hexadecimal digits.
struct HexOctets: Decodable {
    let octets: [UInt8]

    init(from decoder: any Decoder) throws {
        octets = [UInt8](hex: try decoder.singleValueContainer().decode(String.self))
    }
}

extension [UInt8] {
    /// The octets that hexadecimal digits spell; everything else is passed over.
    init(hex: String) {
        let digits = hex.compactMap { $0.hexDigitValue }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// A field as a test sees it: what is not known is `nil`.
struct SeenField: Equatable, CustomStringConvertible {
    var name: String?
    var value: String?
    var isInferred = false
    var isNeverIndexed = false

    init(_ name: String?, _ value: String?) {
        self.name = name
        self.value = value
    }

    var description: String { "\(name ?? "?"): \(value ?? "?")\(isInferred ? " (inferred)" : "")" }
}

/// A decoder with its table, as a direction of a connection has them.
struct TestDecoder: ~Copyable {
    let tables = HPACKTables()
    var table: PartialTable
    var decoder = FieldBlockDecoder()
    var section = FieldSection()
    var limit = 64 << 10

    init(isWhole: Bool = true) {
        table = PartialTable(isWhole: isWhole)
        // What its peer announced is not asked for.
        table.allow()
    }

    /// Decodes a block that comes in fragments of `step` octets.
    mutating func decode(
        _ block: [UInt8],
        step: Int = .max,
        as kind: SectionKind = .requestOrTrailers
    ) throws(HPACKError) -> [SeenField] {
        decoder.begin()
        section.removeAll()
        var index = 0
        while index < block.count {
            let end = step < block.count - index ? index + step : block.count
            try decoder.decode(block.span.extracting(index..<end), tables, &table, into: &section, limit: limit)
            index = end
        }
        guard decoder.isAtBoundary else { throw .truncated }
        table.resolve(&section, as: kind)
        return fields
    }

    var fields: [SeenField] {
        (0..<section.fields.count).map { index in
            let field = section.fields[index]
            let octets = section.octets.array
            func text(_ range: Range<Int>) -> String { String(decoding: octets[range], as: UTF8.self) }
            var seen = SeenField(
                field.marks.contains(.nameUnknown) ? nil : text(field.name.range),
                field.marks.contains(.valueUnknown) || field.marks.contains(.nameUnknown)
                    ? nil : text(field.value.range)
            )
            seen.isInferred = field.marks.contains(.inferred)
            seen.isNeverIndexed = field.marks.contains(.neverIndexed)
            return seen
        }
    }
}

/// An encoder that inserts as it likes, without Huffman coding.
struct TestEncoder {
    private(set) var entries: [(name: String, value: String)] = []
    private var limit = 4096
    /// Whether names are taken from the static table where it has them, as most encoders do.
    var prefersStaticNames = false
    /// How many entries were inserted.
    private(set) var insertions = 0

    private static let tables = staticEntries

    /// Changes the limit, which the block that begins with these octets says.
    mutating func changeLimit(to newLimit: Int) -> [UInt8] {
        limit = newLimit
        evict(0)
        return Self.integer(newLimit, prefix: 5, first: 0x20)
    }

    /// Encodes one field; `inserts` says whether a new one goes into the table.
    mutating func encode(_ name: String, _ value: String, inserts: Bool, mayRefer: Bool = true) -> [UInt8] {
        if mayRefer, let index = index(name, value) { return Self.integer(index, prefix: 7, first: 0x80) }
        let nameIndex = mayRefer ? self.nameIndex(name) : 0
        var octets = Self.integer(nameIndex, prefix: inserts ? 6 : 4, first: inserts ? 0x40 : 0)
        if nameIndex == 0 { octets += Self.string(name) }
        octets += Self.string(value)
        if inserts {
            insertions += 1
            let size = name.utf8.count + value.utf8.count + 32
            evict(size)
            if size <= limit { entries.insert((name, value), at: 0) }
        }
        return octets
    }

    private var size: Int { entries.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 } }

    private mutating func evict(_ size: Int) {
        while !entries.isEmpty, self.size + size > limit { entries.removeLast() }
    }

    private func index(_ name: String, _ value: String) -> Int? {
        if let index = Self.tables.firstIndex(where: { $0 == (name, value) }) { return index + 1 }
        return entries.firstIndex { $0 == (name, value) }.map { $0 + 62 }
    }

    private func nameIndex(_ name: String) -> Int {
        let dynamic = entries.firstIndex { $0.name == name }.map { $0 + 62 }
        if let dynamic, !prefersStaticNames { return dynamic }
        return Self.tables.firstIndex { $0.name == name }.map { $0 + 1 } ?? dynamic ?? 0
    }

    static func string(_ text: String) -> [UInt8] {
        integer(text.utf8.count, prefix: 7, first: 0) + text.utf8
    }

    static func integer(_ value: Int, prefix: Int, first: UInt8) -> [UInt8] {
        let most = 1 << prefix - 1
        guard value >= most else { return [first | UInt8(value)] }
        var octets = [first | UInt8(most)]
        var rest = value - most
        while rest >= 128 {
            octets.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return octets + [UInt8(rest)]
    }

    /// The static table, asked of the decoder entry by entry.
    private static var staticEntries: [(name: String, value: String)] {
        let tables = HPACKTables()
        return (1...HPACKTables.lastIndex).map { index in
            var section = FieldSection()
            let middle = tables.copy(index, withValue: true, into: &section).nameLength
            let octets = section.octets.array
            return (
                String(decoding: octets[..<middle], as: UTF8.self), String(decoding: octets[middle...], as: UTF8.self)
            )
        }
    }
}

extension PlainList where Element == UInt8 {
    /// The octets in an array of their own.
    var array: [UInt8] { span.indices.map { span[$0] } }
}
