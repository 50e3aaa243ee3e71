// Wingmirror · Apache-2.0
// The JavaScript Object Notation, RFC 8259.

import OctetText

/// What is wrong with a text, and where.
public struct DocumentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// What is wrong there.
    public let message: String

    /// Makes an error.
    public init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    /// `line 3: what is wrong`.
    public var description: String { "line \(line): \(message)" }
}

/// What a document may need before it is refused.
public struct DocumentLimits: Sendable, Hashable {
    /// How deep lists and objects may lie in each other; real manifests stay below 20.
    public var depth = 64
    /// How large a file may be, in octets: the API server takes 3 MiB for one object, a file may hold many, and reading one
    /// takes some 17 times its size.
    public var fileBytes = 64 << 20
    /// How many values a text may bring about through aliases, for each of its octets: twice as many as without any, since those
    /// that merge keys bring are not shared.
    public var valuesPerOctet = 1
    /// How many values a JSON text may hold, those in lists and objects counted too.
    public var values = Int.max
    /// Whether whole numbers that no `Int` holds keep their digits, instead of the nearest `Double`.
    public var keepsDigits = false
    /// Whether half of a surrogate pair may stand alone, as some serializers write it: it becomes U+FFFD and its number.
    public var allowsLoneSurrogates = false

    /// Makes the default limits.
    public init() {}
}

/// Reads JSON into neutral values: each key once, whole numbers kept whole, the line of every mistake known.
public struct JSONDocument {
    private let octets: [UInt8]
    private var index = 0
    private var values = 0
    private let limits: DocumentLimits

    /// Reads a text that holds exactly one value.
    public static func parse(
        _ octets: [UInt8],
        limits: DocumentLimits = DocumentLimits()
    ) throws(DocumentError) -> JSONValue {
        var document = JSONDocument(octets: octets, limits: limits)
        let value = try document.value(depth: 0)
        document.skipSpace()
        guard document.index == octets.count else { throw document.error("there is more text behind the value") }
        return value
    }

    /// Reads a text that holds values one behind the other, as JSON lines and what `kubectl get -o json` prints twice.
    ///
    /// - Returns: The values, at least one, and the line on which each begins.
    public static func parseStream(
        _ octets: [UInt8],
        limits: DocumentLimits = DocumentLimits()
    ) throws(DocumentError) -> [(value: JSONValue, line: Int)] {
        var document = JSONDocument(octets: octets, limits: limits)
        var result: [(value: JSONValue, line: Int)] = []
        var line = 1
        var counted = 0
        document.skipSpace()
        repeat {
            line += octets[counted..<document.index].count { $0 == 0x0A }
            counted = document.index
            result.append((try document.value(depth: 0), line))
            document.skipSpace()
        } while document.index < octets.count
        return result
    }

    private init(octets: [UInt8], limits: DocumentLimits) {
        self.octets = octets
        self.limits = limits
    }

    private func error(_ message: String) -> DocumentError {
        DocumentError(line: 1 + octets[..<min(index, octets.count)].count { $0 == 0x0A }, message: message)
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(DocumentError) -> JSONValue {
        guard depth < limits.depth else { throw error("nested more than \(limits.depth) deep") }
        values += 1
        guard values <= limits.values else { throw error("more than \(limits.values) values") }
        skipSpace()
        guard index < octets.count else { throw error("the text ends where a value should be") }
        switch octets[index] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try list(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("no value begins with this character")
        }
    }

    private mutating func object(depth: Int) throws(DocumentError) -> JSONValue {
        var members: [JSONObject.Member] = []
        index += 1
        if takes(UInt8(ascii: "}")) { return try mapping(members) }
        repeat {
            skipSpace()
            guard index < octets.count, octets[index] == UInt8(ascii: "\"") else {
                throw error("a key must be a string")
            }
            let key = try string()
            guard takes(UInt8(ascii: ":")) else { throw error("a colon must follow the key \(key)") }
            members.append(JSONObject.Member(key: key, value: try value(depth: depth + 1)))
        } while takes(UInt8(ascii: ","))
        guard takes(UInt8(ascii: "}")) else { throw error("an object must end with }") }
        return try mapping(members)
    }

    private func mapping(_ members: [JSONObject.Member]) throws(DocumentError) -> JSONValue {
        do throws(DuplicateKey) {
            return .object(try JSONObject(members))
        } catch {
            throw self.error("the key \(error.key) occurs twice in one object")
        }
    }

    private mutating func list(depth: Int) throws(DocumentError) -> JSONValue {
        var entries: [JSONValue] = []
        index += 1
        if takes(UInt8(ascii: "]")) { return .array(entries) }
        repeat {
            entries.append(try value(depth: depth + 1))
        } while takes(UInt8(ascii: ","))
        guard takes(UInt8(ascii: "]")) else { throw error("a list must end with ]") }
        return .array(entries)
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(DocumentError) -> JSONValue {
        guard octets[index...].starts(with: text.utf8) else { throw error("no value begins with this character") }
        index += text.utf8.count
        return value
    }

    /// Reads a number, by the grammar of RFC 8259 §6 and no wider: what `Double` would take beyond that is refused.
    private mutating func number() throws(DocumentError) -> JSONValue {
        let start = index
        if octets[index] == UInt8(ascii: "-") { index += 1 }
        let wholeDigits = skipDigits()
        // A zero stands alone, as a number with leading zeros may be octal to somebody.
        let leadsWithZero = wholeDigits > 1 && octets[index - wholeDigits] == UInt8(ascii: "0")
        var isNumber = wholeDigits > 0 && !leadsWithZero
        var isWhole = true
        if index < octets.count, octets[index] == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            isNumber = skipDigits() > 0 && isNumber
        }
        if index < octets.count, octets[index] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            index += 1
            if index < octets.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(octets[index]) { index += 1 }
            isNumber = skipDigits() > 0 && isNumber
        }
        let text = String(decoding: octets[start..<index], as: UTF8.self)
        guard isNumber else { throw error("\(text) is no number") }
        if isWhole, let whole = Int(text) { return .integer(whole) }
        guard let double = Double(text), double.isFinite else { throw error("\(text) is no number") }
        if isWhole, limits.keepsDigits, text != "-0" { return .digits(text) }
        return .double(double)
    }

    /// Goes behind the digits that stand here; returns how many there were.
    private mutating func skipDigits() -> Int {
        let start = index
        while index < octets.count, ASCII.isDigit(octets[index]) { index += 1 }
        return index - start
    }

    // MARK: - Strings

    private mutating func string() throws(DocumentError) -> String {
        index += 1
        var text: [UInt8] = []
        while index < octets.count {
            let octet = octets[index]
            index += 1
            switch octet {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw error("a string is not UTF-8") }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw error("a control character in a string must be escaped")
            default: text.append(octet)
            }
        }
        throw error("the text ends inside a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(DocumentError) {
        guard index < octets.count else { throw error("the text ends inside a string") }
        let octet = octets[index]
        index += 1
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(octet)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if (0xD800..<0xDC00).contains(code) {
                let start = index
                if let low = try lowSurrogate() {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    index = start
                }
            }
            if let scalar = Unicode.Scalar(code) {
                text += String(Character(scalar)).utf8
            } else if limits.allowsLoneSurrogates {
                text += "\u{FFFD}\(String(code, radix: 16))".utf8
            } else {
                throw error("half of a surrogate pair stands alone")
            }
        default: throw error("\\ must be followed by one of \"\\/bfnrtu")
        }
    }

    /// The second half of a surrogate pair, when it is what follows.
    private mutating func lowSurrogate() throws(DocumentError) -> UInt32? {
        guard index + 1 < octets.count, octets[index] == UInt8(ascii: "\\"), octets[index + 1] == UInt8(ascii: "u")
        else { return nil }
        index += 2
        let low = try codeUnit()
        return (0xDC00..<0xE000).contains(low) ? low : nil
    }

    private mutating func codeUnit() throws(DocumentError) -> UInt32 {
        guard index + 4 <= octets.count else { throw error("\\u needs four hexadecimal digits") }
        var code: UInt32 = 0
        for octet in octets[index..<index + 4] {
            guard let digit = ASCII.hexadecimalValue(octet) else {
                throw error("\\u needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
        }
        index += 4
        return code
    }

    // MARK: - Between values

    private mutating func skipSpace() {
        while index < octets.count, [0x20, 0x09, 0x0A, 0x0D].contains(octets[index]) { index += 1 }
    }

    private mutating func takes(_ octet: UInt8) -> Bool {
        skipSpace()
        guard index < octets.count, octets[index] == octet else { return false }
        index += 1
        return true
    }
}
