// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259.

import OctetText

/// Writes JSON into octets, without Foundation and without building a tree first.
///
/// The caller opens and closes objects and lists in order; commas are put where they belong. It is not copied but passed
/// `inout`, so that its memory has one owner, whom no addition has to make sure of.
public struct JSONText: ~Copyable, Sendable {
    @usableFromInline var written = WrittenOctets()
    @usableFromInline var needsComma = false
    /// The second of the latest time, as text: most times follow one another within a second.
    var latestSecond = SecondText()

    /// Makes an empty text.
    public init() {}

    /// What has been written.
    public var octets: [UInt8] { written.copy }

    /// Shows `body` what has been written, for the call only.
    public func withOctets(_ body: (Span<UInt8>) -> Void) { written.withOctets(body) }

    /// How many octets have been written.
    public var count: Int { written.count }

    /// Forgets what has been written and keeps the room.
    public mutating func removeAll() {
        written.removeAll()
        needsComma = false
    }

    // MARK: Structure

    /// Opens an object.
    @inlinable
    public mutating func beginObject() { open(UInt8(ascii: "{")) }

    /// Closes the object opened last.
    @inlinable
    public mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Opens a list.
    @inlinable
    public mutating func beginList() { open(UInt8(ascii: "[")) }

    /// Closes the list opened last.
    @inlinable
    public mutating func endList() { close(UInt8(ascii: "]")) }

    @inlinable
    mutating func open(_ bracket: UInt8) {
        written.append(bracket, hasComma: needsComma)
        needsComma = false
    }

    @inlinable
    mutating func close(_ bracket: UInt8) {
        written.append(bracket, hasComma: false)
        needsComma = true
    }

    /// Whether a comma stands before the value that comes now.
    @inline(__always)
    mutating func takesComma() -> Bool {
        defer { needsComma = true }
        return needsComma
    }

    /// Writes the key of a member; its value must follow.
    ///
    /// - Parameter name: ASCII without quotes, backslashes and control characters, as a name that stands in the code is; for
    ///   any other there is `key(named:)`.
    @inlinable
    @inline(__always)
    public mutating func key(_ name: StaticString) {
        written.append(key: name, hasComma: needsComma)
        needsComma = false
    }

    /// Writes the key of a member, any text; its value must follow.
    public mutating func key(named name: String) {
        quote(name.utf8.span)
        written.append(UInt8(ascii: ":"), hasComma: false)
        needsComma = false
    }

    // MARK: Values

    /// Writes a null.
    @inlinable
    public mutating func null() { word("null") }

    /// Writes a boolean.
    @inlinable
    public mutating func bool(_ value: Bool) {
        if value { word("true") } else { word("false") }
    }

    /// Writes a literal that is a value, or members, as it is.
    @inlinable
    @inline(__always)
    public mutating func word(_ text: StaticString) {
        written.append(text, hasComma: needsComma)
        needsComma = true
    }

    /// Writes a piece of JSON that stands in the code, as it is: all commas, quotes and brackets are its own.
    ///
    /// Where what follows is written as a value or a member of its own, a comma is put before it, unless the piece ends where none can stand.
    @inlinable
    @inline(__always)
    public mutating func piece(_ text: StaticString) {
        written.append(text, hasComma: false)
        needsComma = !text.endsBeforeValue
    }

    /// Writes a piece of JSON that stands in the code and ends with a colon, and a whole number behind it.
    @inlinable
    @inline(__always)
    public mutating func piece(_ text: StaticString, _ value: Int) {
        written.append(text, number: value)
        needsComma = true
    }

    /// Writes a whole number.
    public mutating func integer(_ value: Int) {
        written.append(number: value, hasComma: takesComma())
    }

    /// Writes a number of millionths as a decimal number without superfluous digits.
    public mutating func millionths(_ value: Int) {
        decimal(value.magnitude, isNegative: value < 0, places: 6)
    }

    /// Writes a number of units of which ten to the power of `places` make one, exactly and without superfluous digits.
    mutating func decimal(_ magnitude: UInt, isNegative: Bool, places: Int) {
        let unit: UInt = places == 9 ? 1_000_000_000 : 1_000_000
        let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: unit)
        let hasComma = takesComma()
        if isNegative { written.append(UInt8(ascii: "-"), hasComma: hasComma) }
        written.append(number: Int(whole), hasComma: hasComma && !isNegative)
        if fraction > 0 { written.appendPoint(fraction: UInt64(fraction), places: places) }
    }

    /// Writes a string.
    public mutating func string(_ text: String) {
        quote(text.utf8.span)
    }

    /// Writes octets as a string; what is not UTF-8 becomes the replacement character.
    public mutating func string(_ text: Span<UInt8>) {
        guard !written.append(plain: text, hasComma: needsComma) else {
            needsComma = true
            return
        }
        decode(text)
    }

    /// Writes octets as a string that may be no UTF-8, or has what is to be escaped.
    @inline(never)
    private mutating func decode(_ text: Span<UInt8>) {
        guard !text.isASCII else { return quote(text) }
        var copy: [UInt8] = []
        copy.append(addingCapacity: text.count) { $0.append(copying: text) }
        string(String(decoding: copy, as: UTF8.self))
    }

    /// Writes a string of ASCII without quotes, backslashes and control characters that `write` adds.
    ///
    /// - Parameters:
    ///   - length: The most octets that it adds.
    ///   - write: Adds the octets.
    @inlinable
    @inline(__always)
    public mutating func plainString(upTo length: Int, _ write: (inout OutputSpan<UInt8>) -> Void) {
        written.append(UInt8(ascii: "\""), hasComma: needsComma)
        needsComma = true
        written.append(atMost: length, write)
        written.append(UInt8(ascii: "\""), hasComma: false)
    }

    /// Writes an IPv4 address and a port as a string: `192.0.2.1:80`.
    ///
    /// - Parameters:
    ///   - address: The four octets of the address, the first in the highest place.
    ///   - port: The port, in host byte order.
    public mutating func string(address: UInt32, port: UInt16) {
        written.append(address: address, port: port, hasComma: takesComma())
    }

    /// Writes UTF-8 in quotes.
    private mutating func quote(_ text: Span<UInt8>) {
        // Nearly all strings.
        if !written.append(plain: text, hasComma: needsComma) { escape(text) }
        needsComma = true
    }

    /// Writes UTF-8 in quotes of which something must be escaped, or that is not ASCII.
    @inline(never)
    private mutating func escape(_ text: Span<UInt8>) {
        written.append(UInt8(ascii: "\""), hasComma: needsComma)
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
        written.append(UInt8(ascii: "\""), hasComma: false)
    }

    /// Writes members or a value that has been rendered before.
    public mutating func rendered(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        separate()
        written.append(text)
    }

    /// Ends a line; what follows is a value of its own.
    public mutating func endLine() {
        written.append(0x0A, hasComma: false)
        needsComma = false
    }

    private mutating func separate() {
        if takesComma() { written.append(UInt8(ascii: ","), hasComma: false) }
    }

    private mutating func escape(_ control: DisplayControl) {
        written.append("\\u", hasComma: false)
        for shift in [12, 8, 4, 0] { put(ASCII.hexadecimalDigit(UInt8(control.scalar >> shift & 15))) }
    }

    private mutating func escape(_ octet: UInt8) {
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            put(UInt8(ascii: "\\"))
            put(octet)
        case 0x0A: written.append("\\n", hasComma: false)
        case 0x0D: written.append("\\r", hasComma: false)
        case 0x09: written.append("\\t", hasComma: false)
        case 0..<0x20, 0x7F:
            written.append("\\u00", hasComma: false)
            put(ASCII.hexadecimalDigit(octet >> 4))
            put(ASCII.hexadecimalDigit(octet & 15))
        default: put(octet)
        }
    }

    private mutating func put(_ octet: UInt8) { written.append(octet, hasComma: false) }

    /// Whether one of eight octets is below a space, a quote, a backslash, DEL or none of ASCII: what must be looked at octet
    /// by octet (RFC 8259 §7; DEL is escaped for the terminals that show the text, and beyond ASCII are more controls).
    ///
    /// Subtracting one from each octet borrows into its highest bit where it was zero; that is exact for whether there is
    /// such an octet, though not for which.
    @inline(__always)
    static func hasEscaped(_ word: UInt64) -> Bool {
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
}
