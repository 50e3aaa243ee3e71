// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259.

extension JSONText {
    /// Writes a number; JSON has none for infinities and NaN, which become null.
    public mutating func double(_ value: Double) {
        if value.isFinite { rendered(Array("\(value)".utf8)) } else { null() }
    }

    /// Writes a value with everything in it.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .double(let value): double(value)
        case .digits(let value): rendered(Array(value.utf8))
        case .string(let value): string(value)
        case .array(let values):
            beginList()
            for value in values { self.value(value) }
            endList()
        case .object(let object):
            beginObject()
            for member in object.members {
                key(named: member.key)
                self.value(member.value)
            }
            endObject()
        }
    }
}

extension JSONValue {
    /// The value as text on one line.
    public func encoded() -> [UInt8] {
        var text = JSONText()
        text.value(self)
        return text.octets
    }

    /// The value as text for people: a member or entry a line, indented by two, with a line end behind the last.
    public func indented() -> [UInt8] {
        var lines: [UInt8] = []
        appendIndented(to: &lines, depth: 0)
        lines.append(UInt8(ascii: "\n"))
        return lines
    }

    private func appendIndented(to lines: inout [UInt8], depth: Int) {
        switch self {
        case .array(let values) where !values.isEmpty:
            Self.appendBlock(values, "[", "]", to: &lines, depth: depth) { value, lines in
                value.appendIndented(to: &lines, depth: depth + 1)
            }
        case .object(let object) where !object.members.isEmpty:
            Self.appendBlock(object.members, "{", "}", to: &lines, depth: depth) { member, lines in
                lines += JSONValue.string(member.key).encoded() + Array(": ".utf8)
                member.value.appendIndented(to: &lines, depth: depth + 1)
            }
        default: lines += encoded()
        }
    }

    private static func appendBlock<Entry>(
        _ entries: [Entry],
        _ opening: String,
        _ closing: String,
        to lines: inout [UInt8],
        depth: Int,
        _ append: (Entry, inout [UInt8]) -> Void
    ) {
        let indent = [UInt8](repeating: 0x20, count: 2 * depth + 2)
        lines += opening.utf8
        for (index, entry) in entries.enumerated() {
            lines += Array((index == 0 ? "\n" : ",\n").utf8) + indent
            append(entry, &lines)
        }
        lines += Array("\n".utf8) + indent.dropLast(2) + closing.utf8
    }
}
