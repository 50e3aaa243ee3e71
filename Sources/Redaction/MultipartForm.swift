// Wingmirror · Apache-2.0
// Returning Values from Forms: multipart/form-data, RFC 7578; its grammar, RFC 2046 §5.1.

/// A form whose parts lie between boundaries.
struct MultipartForm {
    /// One part: its name, and where its content lies.
    struct Part {
        let name: String
        let content: Range<Int>
    }

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
            if octets[index...].starts(with: "--".utf8) { break }
            guard octets[index...].starts(with: "\r\n".utf8),
                let headEnd = octets.firstRange(of: "\r\n\r\n", from: index),
                let end = octets.firstRange(of: "\r\n--\(boundary)", from: headEnd - 2),
                let name = Self.name(octets[index..<headEnd])
            else { return nil }
            parts.append(Part(name: name, content: min(headEnd + 4, end)..<end))
            index = end + 2 + delimiter.count
        }
        self.parts = parts
    }

    /// The name that a part's Content-Disposition gives it (RFC 7578 §4.2).
    private static func name(_ head: ArraySlice<UInt8>) -> String? {
        for line in String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "content-disposition" else {
                continue
            }
            for parameter in line[line.index(after: colon)...].split(separator: ";").dropFirst() {
                let text = parameter.drop { $0 == " " || $0 == "\t" }
                guard text.lowercased().hasPrefix("name=") else { continue }
                let value = text.dropFirst(5)
                return value.hasPrefix("\"") ? String(value.dropFirst().prefix { $0 != "\"" }) : String(value)
            }
        }
        return nil
    }

    /// The boundary that a Content-Type names.
    static func boundary(of contentType: String) -> String? {
        for parameter in contentType.split(separator: ";").dropFirst() {
            let text = parameter.drop { $0 == " " || $0 == "\t" }
            guard text.lowercased().hasPrefix("boundary=") else { continue }
            let value = text.dropFirst(9)
            return value.hasPrefix("\"") ? String(value.dropFirst().prefix { $0 != "\"" }) : String(value)
        }
        return nil
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
