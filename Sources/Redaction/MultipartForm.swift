// Wingmirror · Apache-2.0
// Returning Values from Forms: multipart/form-data, RFC 7578; its grammar, RFC 2046 §5.1.

/// A form whose parts lie between boundaries.
struct MultipartForm {
    /// One part: its names, and where its content lies.
    struct Part {
        /// What the part is called: readers differ on which of several names counts, so all do.
        let names: [String]
        let content: Range<Int>
        /// What a part says that is no file, nor longer than a link.
        let text: [UInt8]?
    }

    /// The longest content of a part that is looked at.
    private static let textLimit = 16_384

    /// The parts, in order.
    let parts: [Part]

    /// Finds the parts of a form; `nil` where it is not whole, or a part has no name.
    ///
    /// - Parameters:
    ///   - octets: The content.
    ///   - boundary: What the Content-Type says.
    init?(_ octets: [UInt8], boundary: String) {
        let delimiter = Array("--\(boundary)".utf8)
        guard (1...70).contains(boundary.utf8.count), octets.starts(with: delimiter) else { return nil }
        var parts: [Part] = []
        var index = delimiter.count
        while true {
            // Behind a boundary come two hyphens, which end the form, or the end of the line.
            if octets[index...].starts(with: "--".utf8) {
                // What follows the end of a form is of no part, and could not be looked into.
                guard octets[(index + 2)...].allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return nil }
                break
            }
            guard octets[index...].starts(with: "\r\n".utf8),
                let headEnd = octets.firstRange(of: "\r\n\r\n", from: index),
                let end = octets.firstRange(of: "\r\n--\(boundary)", from: headEnd - 2),
                let disposition = Self.disposition(octets[index..<headEnd])
            else { return nil }
            let content = min(headEnd + 4, end)..<end
            let isText = !disposition.isFile && content.count <= Self.textLimit
            parts.append(
                Part(names: disposition.names, content: content, text: isText ? Array(octets[content]) : nil)
            )
            index = end + 2 + delimiter.count
        }
        self.parts = parts
    }

    /// What the Content-Disposition of a part says (RFC 7578 §4.2); `nil` where there is no name.
    private static func disposition(_ head: ArraySlice<UInt8>) -> (names: [String], isFile: Bool)? {
        var names: [String] = []
        var isFile = false
        for line in String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].trimmed.lowercased() == "content-disposition"
            else { continue }
            for parameter in MediaTypeParameters.read(line[line.index(after: colon)...]) {
                switch parameter.name {
                case "name": names += [parameter.value, unescaped(parameter.value)]
                // RFC 5987, which forms must not use and some read: character set, language, value.
                case "name*": names.append(unescaped(parameter.value.split(separator: "'").last.map(String.init) ?? ""))
                case "filename", "filename*": isFile = true
                default: break
                }
            }
        }
        return names.isEmpty ? nil : (names, isFile)
    }

    private static func unescaped(_ text: String) -> String {
        String(decoding: LinkText.decoded(Array(text.utf8)[...], isForm: false), as: UTF8.self)
    }

    /// The boundary that a Content-Type names.
    static func boundary(of contentType: String) -> String? {
        MediaTypeParameters.read(contentType[...]).first { $0.name == "boundary" }?.value
    }
}

/// The parameters behind a value such as a media type (RFC 9110 §5.6.6).
enum MediaTypeParameters {
    /// One parameter, its name in lower case and its value without quotes.
    struct Parameter {
        let name: String
        let value: String
    }

    /// Reads the parameters behind the first semicolon; within quotes one divides nothing.
    static func read(_ text: Substring) -> [Parameter] {
        divided(text).dropFirst().compactMap { piece in
            guard let equals = piece.firstIndex(of: "=") else { return nil }
            let value = piece[piece.index(after: equals)...].trimmed
            return Parameter(name: piece[..<equals].trimmed.lowercased(), value: unquoted(value))
        }
    }

    private static func divided(_ text: Substring) -> [Substring] {
        var pieces: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                pieces.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        return pieces + [text[start...]]
    }

    /// What stands between quotes, with the backslashes of quoted pairs gone.
    private static func unquoted(_ value: Substring) -> String {
        guard value.first == "\"" else { return String(value) }
        var result = ""
        var isEscaped = false
        for character in value.dropFirst() {
            if isEscaped {
                result.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                break
            } else {
                result.append(character)
            }
        }
        return result
    }
}

extension [UInt8] {
    /// Where `text` begins, at `start` or behind it.
    fileprivate func firstRange(of text: String, from start: Int) -> Int? {
        let pattern = [UInt8](text.utf8)
        guard let first = pattern.first else { return nil }
        var index = start
        while let found = self[index...].firstIndex(of: first), found + pattern.count <= count {
            if self[found...].starts(with: pattern) { return found }
            index = found + 1
        }
        return nil
    }
}
