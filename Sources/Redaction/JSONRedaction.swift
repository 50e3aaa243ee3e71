// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259.

internal import JSONSyntax

/// A member of JSON content that a policy names: `user.email`, `items[].id`, `[].name`.
struct RedactedPath: Sendable, Hashable {
    /// One step into a value.
    enum Step: Sendable, Hashable {
        case member(String)
        /// Every entry of a list.
        case entries
    }

    let steps: [Step]

    /// Reads a path; brackets stand for the entries of a list.
    init(_ text: String) {
        var steps: [Step] = []
        for part in text.split(separator: ".") {
            var name = part
            var lists = 0
            while name.hasSuffix("[]") {
                name = name.dropLast(2)
                lists += 1
            }
            if !name.isEmpty { steps.append(.member(String(name))) }
            steps += [Step](repeating: .entries, count: lists)
        }
        self.steps = steps
    }

    private init(steps: [Step]) {
        self.steps = steps
    }

    /// The value itself, and all that lies in it.
    static let everything = RedactedPath(steps: [])

    /// What is left of the path inside a member.
    func inside(member name: String) -> RedactedPath? {
        steps.first == .member(name) ? RedactedPath(steps: Array(steps.dropFirst())) : nil
    }

    /// What is left of the path inside the entries of a list.
    ///
    /// A list where a path expects none is gone into, so that a member that is sometimes a list is not sent in the clear.
    var insideEntries: RedactedPath {
        steps.first == .entries ? RedactedPath(steps: Array(steps.dropFirst())) : self
    }
}

/// Replaces values in JSON text and leaves every other octet as it was.
///
/// Reading a text into values and writing these again would change numbers that no type of ours holds exactly, and with
/// them what the target sees. So `JSONDocument` says whether the text is JSON at all and what a string or key says, and
/// this walk, which may then trust the text, finds where the values lie.
struct JSONRedaction {
    private let octets: [UInt8]
    private let values: ValueRedaction
    /// What finds credentials in links, where members with such names are asked for.
    private let credentials: ParameterRedaction?
    private var index = 0
    private var result: [UInt8] = []
    /// Everything before this has been copied or replaced.
    private var copied = 0
    private var redactions = 0

    /// The text with the values at `paths` replaced, and those of members named as credentials are, where that is asked for,
    /// and links with credentials; `nil` if it is not JSON.
    static func redacted(
        _ octets: [UInt8],
        paths: [RedactedPath],
        credentials: ParameterRedaction? = nil,
        values: ValueRedaction,
        redactions: inout Int
    ) -> [UInt8]? {
        guard (try? JSONDocument.parse(octets)) != nil else { return nil }
        var walk = JSONRedaction(octets: octets, values: values, credentials: credentials)
        walk.value(paths)
        redactions += walk.redactions
        return walk.result + octets[walk.copied...]
    }

    private init(octets: [UInt8], values: ValueRedaction, credentials: ParameterRedaction?) {
        self.octets = octets
        self.credentials = credentials
        self.values = values
    }

    // MARK: - Walk

    /// Reads the value that begins here; a path without steps means this value, and everything in it.
    private mutating func value(_ paths: [RedactedPath]) {
        skipSpace()
        switch octets[index] {
        case UInt8(ascii: "{"): object(paths)
        case UInt8(ascii: "["): list(paths)
        default:
            let scalar = scalar()
            if paths.contains(where: \.steps.isEmpty) || isLinkWithCredentials(scalar) { replace(scalar) }
        }
    }

    private func isLinkWithCredentials(_ scalar: Range<Int>) -> Bool {
        // A string without such a mark, in the clear or escaped, is no link that holds any.
        guard let credentials,
            octets[scalar].contains(where: { LinkText.isMark($0) || $0 == UInt8(ascii: "\\") })
        else { return false }
        return credentials.holdsCredentials(Array(text(scalar).utf8))
    }

    private mutating func object(_ paths: [RedactedPath]) {
        index += 1
        skipSpace()
        while octets[index] != UInt8(ascii: "}") {
            let key = text(scalar())
            skipSpace()
            index += 1
            let isCredential = credentials != nil && CredentialNames.contains(key)
            let inside = paths.compactMap { $0.steps.isEmpty ? $0 : $0.inside(member: key) }
            value(isCredential ? inside + [.everything] : inside)
            skipComma()
        }
        index += 1
    }

    private mutating func list(_ paths: [RedactedPath]) {
        index += 1
        skipSpace()
        while octets[index] != UInt8(ascii: "]") {
            value(paths.map(\.insideEntries))
            skipComma()
        }
        index += 1
    }

    private mutating func skipComma() {
        skipSpace()
        if octets[index] == UInt8(ascii: ",") { index += 1 }
        skipSpace()
    }

    private mutating func skipSpace() {
        while index < octets.count, [0x20, 0x09, 0x0A, 0x0D].contains(octets[index]) { index += 1 }
    }

    /// Where the string, number or word that begins here lies.
    private mutating func scalar() -> Range<Int> {
        let start = index
        guard octets[index] == UInt8(ascii: "\"") else {
            while index < octets.count, !Self.delimiters.contains(octets[index]) { index += 1 }
            return start..<index
        }
        index += 1
        while octets[index] != UInt8(ascii: "\"") { index += octets[index] == UInt8(ascii: "\\") ? 2 : 1 }
        index += 1
        return start..<index
    }

    private static let delimiters: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D, 0x2C, 0x5D, 0x7D]

    // MARK: - Values

    /// What a string in the text says.
    private func text(_ range: Range<Int>) -> String {
        guard case .string(let text)? = try? JSONDocument.parse(Array(octets[range])) else { return "" }
        return text
    }

    /// Replaces a scalar: a string by a string, a number by a number, a truth value by `false`; a null stays.
    private mutating func replace(_ range: Range<Int>) {
        let replacement: String
        switch octets[range.lowerBound] {
        case UInt8(ascii: "\""): replacement = "\"\(values.replacement(for: Array(text(range).utf8)))\""
        case UInt8(ascii: "t"), UInt8(ascii: "f"): replacement = "false"
        case UInt8(ascii: "n"): return
        default: replacement = String(values.number(for: Array(octets[range])))
        }
        result += octets[copied..<range.lowerBound]
        result += replacement.utf8
        copied = range.upperBound
        redactions += 1
    }
}
