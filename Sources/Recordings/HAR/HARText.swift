// Wingmirror · Apache-2.0
// Content as HTTP Archive 1.2 has it, `postData` and `content`; charset: RFC 9110 §8.3.2.

import OctetText

/// Content that an archive holds as text.
///
/// The text is Unicode, whatever the bytes were. So which bytes were sent is known only as far as the text, its charset and the
/// lengths of the archive agree.
struct HARText {
    /// What turned the bytes into text, by the media type.
    enum Charset: Hashable {
        /// UTF-8, which is also what is meant where none is named.
        case utf8
        /// ISO-8859-1, or Windows-1252, which has the same printable characters and more.
        case latin1
        /// One that is not written here.
        case other

        /// The charset of the first media type that names one.
        init(ofMediaTypes types: [String]) {
            let names = types.lazy.compactMap(Self.name(in:))
            switch names.first {
            case nil, "utf-8", "utf8": self = .utf8
            case "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252": self = .latin1
            default: self = .other
            }
        }

        private static func name(in type: String) -> String? {
            for parameter in type.lowercased().split(separator: ";").dropFirst() {
                let parts = parameter.split(separator: "=", maxSplits: 1).map { $0.trimmed(of: " \t\"'") }
                if parts.count == 2, parts[0] == "charset" { return parts[1] }
            }
            return nil
        }
    }

    private let text: String
    private let charset: Charset
    private let octets: [UInt8]

    /// Takes a text and the charset of its media type.
    init(_ text: String, _ charset: Charset) {
        self.text = text
        self.charset = charset
        octets = Array(text.utf8)
    }

    /// The bytes of a request's content.
    ///
    /// - Parameters:
    ///   - length: What Content-Length says; `nil` without one, and where a content coding has been taken off.
    ///   - size: The size that the archive gives; `nil` where it is not known. Old browsers count characters, so one that is too small
    ///     proves nothing.
    /// - Returns: The bytes; `nil` where the archive does not have them, or not all of them.
    func sent(length: Int?, size: Int?) -> [UInt8]? {
        let known = [length, size].compactMap(\.self)
        if !known.isEmpty, known.allSatisfy({ $0 == octets.count }) { return octets }
        if charset == .latin1, let latin1, known.allSatisfy({ $0 == latin1.count }) { return latin1 }
        guard !hasReplacement, isASCII || charset == .utf8 else { return nil }
        guard length ?? octets.count == octets.count, size ?? 0 <= octets.count else { return nil }
        return octets
    }

    /// The bytes of a response's content, and whether they are all that there were; `size` is `nil` where it is not known.
    func received(size: Int?) -> (octets: [UInt8], isWhole: Bool) {
        if size == octets.count { return (octets, true) }
        if charset == .latin1, let latin1, size == nil || size == latin1.count { return (latin1, true) }
        guard let size else { return (octets, isASCII || charset == .utf8) }
        return (octets, size < octets.count && !hasReplacement && (isASCII || charset == .utf8))
    }

    private var isASCII: Bool { octets.span.isASCII }

    /// Whether bytes that were no text may have been replaced.
    private var hasReplacement: Bool { text.unicodeScalars.contains("\u{FFFD}") }

    /// The text in ISO-8859-1; `nil` where it does not fit.
    ///
    /// The controls from U+0080 on are other characters in Windows-1252.
    private var latin1: [UInt8]? {
        var written: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let octet = UInt8(exactly: scalar.value), !(0x80..<0xA0).contains(octet) else { return nil }
            written.append(octet)
        }
        return written
    }
}

extension Substring {
    /// The text without characters of a set at its ends.
    fileprivate func trimmed(of characters: String) -> String {
        var text = drop(while: characters.contains)
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}
