// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText

/// Shows values in examples: by shape and keyed hash, so that equal values look equal and none can be read.
struct ValueSketch: Sendable {
    private let hash: KeyedHash
    private let showsValues: Bool
    private let limit: Int

    init(hash: KeyedHash, showsValues: Bool, limit: Int) {
        self.hash = hash
        self.showsValues = showsValues
        self.limit = limit
    }

    /// A text; one that is secret is never shown, whatever the settings say.
    func text(_ octets: some RandomAccessCollection<UInt8>, isSecret: Bool = false) -> String {
        if octets.isEmpty { return "empty" }
        if showsValues && !isSecret { return Self.printable(octets, limit: limit) }
        let format = FormatClass(octets)
        let length = format == .text || format == .link ? " of \(octets.count)" : ""
        return "\(format.rawValue)\(length) \(mark(octets))"
    }

    /// A value of JSON.
    func value(_ value: JSONValue, isSecret: Bool = false) -> String {
        switch value {
        case .null: "null"
        case .bool(let truth): scalar("boolean", truth ? "true" : "false", isSecret: isSecret)
        case .integer(let number): scalar("number", String(number), isSecret: isSecret)
        case .digits(let digits): scalar("number", digits, isSecret: isSecret)
        case .double(let number): scalar("number", String(number), isSecret: isSecret)
        case .string(let string): "string " + text(Array(string.utf8), isSecret: isSecret)
        case .array(let entries): "list of \(entries.count)"
        case .object(let object): "object of \(object.members.count)"
        }
    }

    private func scalar(_ type: String, _ text: String, isSecret: Bool) -> String {
        showsValues && !isSecret ? text : "\(type) \(mark(text.utf8))"
    }

    /// A short keyed hash.
    func mark(_ octets: some Sequence<UInt8>) -> String {
        var hash = hash
        hash.combine(octets)
        let digits = String(hash.value >> 32, radix: 16)
        return "#" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Octets as text on one line, cut at a limit.
    static func printable(_ octets: some RandomAccessCollection<UInt8>, limit: Int) -> String {
        let kept = octets.prefix(limit).map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }
        return String(decoding: kept, as: UTF8.self) + (octets.count > limit ? "…" : "")
    }
}
