// Wingmirror · Apache-2.0
// Attributes have no order: XML 1.0 §3.1; HTML, §13.1.2.3.

import OctetText

/// A tag of HTML or XML, as far as it matters in which order its attributes stand: not at all.
enum MarkupTag {
    /// A piece of markup with the attributes of the tag that it begins with in order.
    ///
    /// The same where that is not certain to say the same: without an end of the tag, with spaces around equals signs, or
    /// with an attribute twice, of which only the first counts.
    static func inOrder(_ token: [UInt8]) -> [UInt8] {
        guard token.count > 2, token[0] == UInt8(ascii: "<"), ASCII.isLetter(token[1]),
            let (pieces, end) = pieces(of: token), pieces.count > 2
        else { return token }
        let attributes = pieces.dropFirst().map { Array(token[$0]) }
        let names = attributes.map { $0.prefix { $0 != UInt8(ascii: "=") } }
        guard Set(names).count == names.count, !names.contains(where: \.isEmpty),
            !attributes.contains(where: { $0.last == UInt8(ascii: "=") })
        else { return token }
        let inOrder = attributes.sorted { $0.lexicographicallyPrecedes($1) }
        return token[..<pieces[0].upperBound] + [0x20] + Array(inOrder.joined(separator: [0x20])) + token[end...]
    }

    /// What stands between spaces outside of quotation marks, the name of the tag first, and where the tag ends; `nil` where it
    /// does not.
    private static func pieces(of token: [UInt8]) -> (pieces: [Range<Int>], end: Int)? {
        var pieces: [Range<Int>] = []
        var start: Int?
        var quote: UInt8?
        for index in 1..<token.count {
            let octet = token[index]
            if let open = quote {
                if octet == open { quote = nil }
                continue
            }
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                quote = octet
                start = start ?? index
            case UInt8(ascii: ">"):
                let end = token[index - 1] == UInt8(ascii: "/") ? index - 1 : index
                if let start, start < end { pieces.append(start..<end) }
                return pieces.isEmpty ? nil : (pieces, end)
            case 0x20, 0x09:
                if let start { pieces.append(start..<index) }
                start = nil
            default: start = start ?? index
            }
        }
        return nil
    }
}
