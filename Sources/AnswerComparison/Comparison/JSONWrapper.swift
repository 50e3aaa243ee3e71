// Wingmirror · Apache-2.0
// Byte order marks: RFC 8259 §8.1.

import OctetText

/// What servers write around JSON, which is not part of it.
enum JSONWrapper {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    /// Prefixes that keep a text from being included as a script, the longest of a kind first.
    private static let prefixes = [")]}',", ")]}'", ")]}", "while(1);", "for(;;);"].map { Array($0.utf8) }
    /// How long the name of a function may be.
    private static let longestName = 128

    /// Takes off what stands around JSON: a byte order mark, a prefix, or with `isScript` a function call.
    /// - Returns: The rest, and what was taken off.
    static func unwrapped(_ content: [UInt8], isScript: Bool) -> (text: [UInt8], wrapper: [UInt8]) {
        var text = content[...]
        var wrapper: [UInt8] = []
        if text.starts(with: byteOrderMark) {
            text = text.dropFirst(byteOrderMark.count)
            wrapper += byteOrderMark
        }
        if let prefix = prefixes.first(where: { text.starts(with: $0) }) {
            text = text.dropFirst(prefix.count)
            wrapper += prefix
        } else if isScript, let call = call(text) {
            return (Array(text[call]), wrapper + text[..<call.lowerBound] + text[call.upperBound...])
        }
        return wrapper.isEmpty ? (content, []) : (Array(text), wrapper)
    }

    /// What stands between the parentheses of `name({…});`, where nothing else does.
    private static func call(_ text: ArraySlice<UInt8>) -> Range<Int>? {
        var name = text.drop(while: isSpace)
        if name.starts(with: "/**/".utf8) { name = name.dropFirst(4).drop(while: isSpace) }
        guard let opening = name.prefix(longestName).firstIndex(of: UInt8(ascii: "(")), opening > name.startIndex,
            name[..<opening].allSatisfy(isOfName),
            let closing = text.lastIndex(of: UInt8(ascii: ")")), opening < closing,
            text[(closing + 1)...].allSatisfy({ isSpace($0) || $0 == UInt8(ascii: ";") })
        else { return nil }
        return opening + 1..<closing
    }

    private static func isSpace(_ octet: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(octet) }

    private static func isOfName(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"): true
        default: false
        }
    }
}
