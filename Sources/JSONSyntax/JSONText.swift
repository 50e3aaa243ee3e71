// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259.

import OctetText

/// Writes JSON into octets, without Foundation and without building a tree first.
///
/// The caller opens and closes objects and lists in order; commas are put where they belong.
public struct JSONText: Sendable {
    /// What has been written.
    public internal(set) var octets: [UInt8] = []
    private var needsComma = false

    /// Makes an empty text.
    public init() {}

    /// Forgets what has been written and keeps the room.
    public mutating func removeAll() {
        octets.removeAll(keepingCapacity: true)
        needsComma = false
    }

    // MARK: Structure

    /// Opens an object.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }

    /// Closes the object opened last.
    public mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Opens a list.
    public mutating func beginList() { open(UInt8(ascii: "[")) }

    /// Closes the list opened last.
    public mutating func endList() { close(UInt8(ascii: "]")) }

    private mutating func open(_ bracket: UInt8) {
        separate()
        octets.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        octets.append(bracket)
        needsComma = true
    }

    mutating func separate() {
        if needsComma { octets.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Writes the key of a member; its value must follow.
    ///
    /// - Parameter name: ASCII without quotes, backslashes and control characters, as a name that stands in the code is; for
    ///   any other there is `key(named:)`.
    public mutating func key(_ name: StaticString) {
        let hasComma = needsComma
        needsComma = false
        octets.append(addingCapacity: name.utf8CodeUnitCount + 4) { output in
            if hasComma { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "\""))
            output.append(copying: name)
            output.append(UInt8(ascii: "\""))
            output.append(UInt8(ascii: ":"))
        }
    }

    /// Writes the key of a member, any text; its value must follow.
    public mutating func key(named name: String) {
        quote(name.utf8.span)
        octets.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    /// Writes a null.
    public mutating func null() { raw("null") }

    /// Writes a boolean.
    public mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    /// Writes a whole number.
    public mutating func integer(_ value: Int) {
        separate()
        octets.append(number: value)
    }

    /// Writes a number of millionths as a decimal number without superfluous digits.
    public mutating func millionths(_ value: Int) {
        let magnitude = value.magnitude
        var text = value < 0 ? "-\(magnitude / 1_000_000)" : "\(magnitude / 1_000_000)"
        let fraction = magnitude % 1_000_000
        if fraction > 0 {
            var digits = String(1_000_000 + fraction).dropFirst()
            while digits.last == "0" { digits.removeLast() }
            text += "." + digits
        }
        raw(text)
    }

    /// Writes a string.
    public mutating func string(_ text: String) {
        quote(text.utf8.span)
    }

    /// Writes octets as a string; what is not UTF-8 becomes the replacement character.
    public mutating func string(_ text: Span<UInt8>) {
        guard text.isASCII else {
            var copy: [UInt8] = []
            copy.append(addingCapacity: text.count) { $0.append(copying: text) }
            string(String(decoding: copy, as: UTF8.self))
            return
        }
        quote(text)
    }

    /// Writes a string of ASCII without quotes, backslashes and control characters that `write` adds.
    ///
    /// - Parameters:
    ///   - length: The most octets that it adds.
    ///   - write: Adds the octets.
    public mutating func plainString(upTo length: Int, _ write: (inout OutputSpan<UInt8>) -> Void) {
        separate()
        octets.append(addingCapacity: length + 2) { output in
            output.append(UInt8(ascii: "\""))
            write(&output)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Writes UTF-8 in quotes.
    private mutating func quote(_ text: Span<UInt8>) {
        guard !text.needsEscapes else {
            separate()
            octets.append(UInt8(ascii: "\""))
            var index = 0
            while index < text.count {
                if let control = text.control(at: index) {
                    escape(control)
                    index += control.octets
                } else {
                    escape(text[index])
                    index += 1
                }
            }
            octets.append(UInt8(ascii: "\""))
            return
        }
        // Nearly all strings.
        let hasComma = needsComma
        needsComma = true
        octets.append(addingCapacity: text.count + 3) { output in
            if hasComma { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "\""))
            output.append(copying: text)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Writes members or a value that has been rendered before.
    public mutating func rendered(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        separate()
        octets += text
    }

    /// Ends a line; what follows is a value of its own.
    public mutating func endLine() {
        octets.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func raw(_ text: String) {
        separate()
        let text = text.utf8.span
        octets.append(addingCapacity: text.count) { $0.append(copying: text) }
    }

    private mutating func escape(_ control: DisplayControl) {
        octets += "\\u".utf8
        for shift in [12, 8, 4, 0] { octets.append(ASCII.hexadecimalDigit(UInt8(control.scalar >> shift & 15))) }
    }

    private mutating func escape(_ octet: UInt8) {
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            octets.append(UInt8(ascii: "\\"))
            octets.append(octet)
        case 0x0A: octets += "\\n".utf8
        case 0x0D: octets += "\\r".utf8
        case 0x09: octets += "\\t".utf8
        case 0..<0x20, 0x7F:
            octets += "\\u00".utf8
            octets.append(ASCII.hexadecimalDigit(octet >> 4))
            octets.append(ASCII.hexadecimalDigit(octet & 15))
        default: octets.append(octet)
        }
    }
}

/// A character that moves what a terminal or a page shows, and how many octets of UTF-8 it takes.
private struct DisplayControl {
    let scalar: UInt16
    let octets: Int
}

extension Span<UInt8> {
    /// A control character of the second set (U+0080 to U+009F) or one that turns the direction of writing (U+202A to U+202E,
    /// U+2066 to U+2069), where one begins in UTF-8.
    fileprivate func control(at index: Int) -> DisplayControl? {
        guard index + 1 < count else { return nil }
        let second = self[index + 1]
        if self[index] == 0xC2, 0x80...0x9F ~= second { return DisplayControl(scalar: UInt16(second), octets: 2) }
        guard self[index] == 0xE2, index + 2 < count else { return nil }
        let third = self[index + 2]
        guard second == 0x80 && 0xAA...0xAE ~= third || second == 0x81 && 0xA6...0xA9 ~= third else { return nil }
        return DisplayControl(scalar: 0x2000 | UInt16(second & 0x3F) << 6 | UInt16(third & 0x3F), octets: 3)
    }

    /// Whether the text must be looked at octet by octet: it has a quote, a backslash or a control character (RFC 8259 §7; DEL is
    /// escaped for the terminals that show the text), or is not ASCII, where more control characters are.
    fileprivate var needsEscapes: Bool {
        var index = 0
        while index <= count - 8 {
            guard !Self.hasEscaped(word(at: index)) else { return true }
            index += 8
        }
        guard index < count else { return false }
        // The last octets as a whole word, filled up with zeros in digits' place, or again with some before them.
        guard count < 8 else { return Self.hasEscaped(word(at: count - 8)) }
        var rest: UInt64 = 0x3030_3030_3030_3030
        while index < count {
            rest = rest << 8 | UInt64(self[index])
            index += 1
        }
        return Self.hasEscaped(rest)
    }

    /// Whether one of eight octets is below a space, a quote, a backslash, DEL or none of ASCII.
    ///
    /// Subtracting one from each octet borrows into its highest bit where it was zero; that is exact for whether there is
    /// such an octet, though not for which.
    private static func hasEscaped(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let deletes = word ^ (ones &* 0x7F)
        let control = (word &- ones &* 0x20) & ~word
        let quote = (quotes &- ones) & ~quotes
        let backslash = (backslashes &- ones) & ~backslashes
        let delete = (deletes &- ones) & ~deletes
        return (control | quote | backslash | delete | word) & (ones &* 0x80) != 0
    }
}
