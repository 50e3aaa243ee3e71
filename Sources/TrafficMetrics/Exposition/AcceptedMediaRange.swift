// Wingmirror · Apache-2.0
// The Accept field, RFC 9110 §12.5.1.

/// One media range of an Accept field.
struct AcceptedMediaRange: Sendable, Hashable {
    /// Type and subtype in lower case, either of which may be `*`.
    let mediaType: String
    /// Parameters other than the quality, names in lower case.
    let parameters: [String: String]
    /// The quality in thousandths, from 0 to 1000.
    let quality: Int

    /// The ranges of a field value, without those that are malformed.
    static func ranges(of value: String) -> [AcceptedMediaRange] {
        split(value, at: ",").compactMap(AcceptedMediaRange.init)
    }

    private init?(_ text: String) {
        var parts = Self.split(text, at: ";")[...]
        guard let mediaType = parts.popFirst()?.lowercased(), mediaType.contains("/") else { return nil }
        var parameters: [String: String] = [:]
        var quality = 1000
        for part in parts where !part.isEmpty {
            guard let equals = part.firstIndex(of: "=") else { return nil }
            let name = Self.trimmed(part[..<equals]).lowercased()
            let value = Self.unquoted(Self.trimmed(part[part.index(after: equals)...]))
            if name == "q" {
                guard let parsed = Self.quality(value) else { return nil }
                quality = parsed
            } else {
                parameters[name] = value
            }
        }
        self.mediaType = mediaType
        self.parameters = parameters
        self.quality = quality
    }

    /// The parts of a text between separators that are not within quotes, trimmed.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var parts = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if character == separator, !isQuoted {
                parts.append("")
                continue
            }
            if isEscaped {
                isEscaped = false
            } else if character == "\\", isQuoted {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            }
            parts[parts.count - 1].append(character)
        }
        return parts.map { trimmed($0[...]) }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let rest = text.drop(while: isBlank)
        guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(rest[...last])
    }

    /// What a quoted string says; other text as it is.
    private static func unquoted(_ text: String) -> String {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else { return text }
        var content = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                isEscaped = false
                content.append(character)
            }
        }
        return content
    }

    /// A weight, RFC 9110 §12.4.2: from 0 to 1 with up to three decimals.
    private static func quality(_ text: String) -> Int? {
        let octets = Array(text.utf8)
        guard let first = octets.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
        guard octets.count == 1 || octets[1] == UInt8(ascii: "."), octets.count <= 5 else { return nil }
        var thousandths = first == UInt8(ascii: "1") ? 1000 : 0
        var place = 100
        for octet in octets.dropFirst(2) {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= octet else { return nil }
            thousandths += Int(octet - UInt8(ascii: "0")) * place
            place /= 10
        }
        return thousandths <= 1000 ? thousandths : nil
    }
}
