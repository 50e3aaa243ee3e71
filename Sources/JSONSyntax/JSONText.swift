// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259.

import OctetText

/// Writes JSON into octets, without Foundation and without building a tree first.
///
/// The caller opens and closes objects and lists in order; commas are put where they belong.
public struct JSONText: Sendable {
    /// What has been written.
    public private(set) var octets: [UInt8] = []
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

    private mutating func separate() {
        if needsComma { octets.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Writes the key of a member; its value must follow.
    public mutating func key(_ name: String) {
        string(name)
        octets.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    /// Writes a null.
    public mutating func null() { raw("null") }

    /// Writes a boolean.
    public mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    /// Writes a whole number.
    public mutating func integer(_ value: Int) { raw(String(value)) }

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
        separate()
        octets.append(UInt8(ascii: "\""))
        for octet in text.utf8 { escape(octet) }
        octets.append(UInt8(ascii: "\""))
    }

    /// Writes octets as a string; what is not UTF-8 becomes the replacement character.
    public mutating func string(_ text: Span<UInt8>) {
        var isASCII = true
        for index in text.indices where text[index] >= 0x80 {
            isASCII = false
            break
        }
        guard isASCII else {
            var copy: [UInt8] = []
            copy.reserveCapacity(text.count)
            for index in text.indices { copy.append(text[index]) }
            string(String(decoding: copy, as: UTF8.self))
            return
        }
        separate()
        octets.append(UInt8(ascii: "\""))
        for index in text.indices { escape(text[index]) }
        octets.append(UInt8(ascii: "\""))
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
        octets += text.utf8
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
