// Wingmirror · Apache-2.0

/// A piece of a text: a line, or in markup a tag with the text behind it.
struct TextToken: Sendable {
    let octets: ArraySlice<UInt8>
    /// What pieces of this kind have in common, as the name of a place: `<input name=csrf>`, `price:`; empty for a line that says nothing of the kind.
    let form: String
}

/// Cuts texts into pieces that are compared apart, so that one that varies does not hide what others say.
///
/// A form names tags, their names, classes and identifiers, and words before a colon or an equals sign, if they look as if a
/// programmer chose them; nothing else of a text becomes the name of a place.
enum TextTokens {
    /// Pieces of one text; the rest of a longer one is the last piece.
    private static let most = 20_000
    /// How long a name within a form may be.
    private static let longestName = 32

    /// The pieces of a text; the last one of a text that was cut is left out, since it may be cut itself.
    static func tokens(_ content: [UInt8], isMarkup: Bool, isWhole: Bool) -> [TextToken] {
        var tokens: [TextToken] = []
        var start = 0
        for (index, octet) in content.enumerated() where tokens.count < most {
            if octet == 0x0A {
                append(content[start..<index], isMarkup, to: &tokens)
                start = index + 1
            } else if isMarkup, octet == UInt8(ascii: "<"), index > start {
                append(content[start..<index], isMarkup, to: &tokens)
                start = index
            }
        }
        if isWhole { append(content[start...], isMarkup, to: &tokens) }
        return tokens
    }

    private static func append(_ octets: ArraySlice<UInt8>, _ isMarkup: Bool, to tokens: inout [TextToken]) {
        let octets = isMarkup && octets.last == 0x0D ? octets.dropLast() : octets
        if isMarkup, octets.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        tokens.append(TextToken(octets: octets, form: isMarkup ? tagForm(octets) : lineForm(octets)))
    }

    // MARK: - Forms

    /// The form of a line: the word before its first colon or equals sign.
    private static func lineForm(_ line: ArraySlice<UInt8>) -> String {
        let word = line.drop { $0 == 0x20 || $0 == 0x09 }
        guard let end = word.prefix(longestName + 1).firstIndex(where: { $0 == 0x3A || $0 == 0x3D }),
            let name = name(word[..<end])
        else { return "" }
        return name + (word[end] == 0x3A ? ":" : "=")
    }

    /// The form of a tag: its name, and the class, name or identifier that it has.
    private static func tagForm(_ token: ArraySlice<UInt8>) -> String {
        guard token.first == UInt8(ascii: "<") else { return "text" }
        let inside = token.dropFirst().prefix { $0 != UInt8(ascii: ">") }
        let words = inside.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        guard let first = words.first, let tag = name(first.filter { $0 != UInt8(ascii: "/") }[...]) else {
            return "<…>"
        }
        var form = "<" + (first.first == UInt8(ascii: "/") ? "/" : "") + tag
        for word in words.dropFirst() {
            let parts = word.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard parts.count == 2, let attribute = name(parts[0]), ["class", "id", "name"].contains(attribute) else {
                continue
            }
            let value = parts[1].filter {
                $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "/")
            }
            // Digits make a name one of many: an identifier of data.
            if let value = name(value[...]), !value.utf8.contains(where: { 0x30...0x39 ~= $0 }) {
                form += " \(attribute)=\(value)"
            }
        }
        return form + ">"
    }

    /// A word that a programmer may have chosen.
    private static func name(_ octets: ArraySlice<UInt8>) -> String? {
        guard 1...longestName ~= octets.count else { return nil }
        let isPlain = octets.allSatisfy { octet in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "!"),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard isPlain, FormatClass(octets) == .text else { return nil }
        return String(decoding: octets, as: UTF8.self)
    }

    // MARK: - Alignment

    /// Pieces that belong together, and those that have no counterpart.
    struct Alignment {
        var pairs: [(TextToken, TextToken)] = []
        var missing: ArraySlice<TextToken> = []
        var extra: ArraySlice<TextToken> = []
    }

    /// Puts together what has the same form, from the beginning and from the end; what is left in between of one text only has
    /// no counterpart, and what is left of both is put together in order.
    static func alignment(_ first: [TextToken], _ second: [TextToken]) -> Alignment {
        guard first.count != second.count else { return Alignment(pairs: Array(zip(first, second))) }
        let shorter = min(first.count, second.count)
        let head = zip(first, second).prefix { $0.form == $1.form }.count
        let tail = min(shorter - head, zip(first.reversed(), second.reversed()).prefix { $0.form == $1.form }.count)
        var alignment = Alignment(pairs: Array(zip(first.prefix(head), second.prefix(head))))
        let ours = first[head..<first.count - tail]
        let theirs = second[head..<second.count - tail]
        alignment.pairs += zip(ours, theirs)
        alignment.pairs += zip(first.suffix(tail), second.suffix(tail))
        alignment.missing = ours.dropFirst(theirs.count)
        alignment.extra = theirs.dropFirst(ours.count)
        return alignment
    }
}
