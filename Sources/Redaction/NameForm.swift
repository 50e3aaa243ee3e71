// Wingmirror · Apache-2.0

import OctetText

/// A name in lower case with single hyphens between its parts and none around it, without a leading `x-` and without the
/// `-bin` with which gRPC ends the names of metadata in binary.
///
/// It lies on the stack: names are looked up for every field and parameter of every message.
struct NameForm {
    /// No name that means anything is longer.
    static let longestName = 256

    /// The octets, of which `count` are in use: a name whose parts are single octets doubles.
    private(set) var octets = InlineArray<512, UInt8>(repeating: 0)
    private(set) var count = 0

    private init() {}

    /// Brings a name of `longestName` octets at most into that form; `splitsCase` also divides it before capitals.
    init(_ name: Span<UInt8>, splitsCase: Bool) {
        for index in 0..<name.count {
            let octet = name[index]
            let isHyphen = Self.isSeparator(octet)
            let begins =
                splitsCase && index > 0 && Self.isUpper(octet)
                && (!Self.isUpper(name[index - 1]) || index + 1 < name.count && Self.isLower(name[index + 1]))
            if isHyphen || begins, count > 0, octets[count - 1] != Self.hyphen { append(Self.hyphen) }
            if !isHyphen { append(ASCII.lowered(octet)) }
        }
        if count > 0, octets[count - 1] == Self.hyphen { count -= 1 }
        dropBeginning()
        dropEnd()
    }

    private mutating func append(_ octet: UInt8) {
        octets[count] = octet
        count += 1
    }

    private mutating func dropBeginning() {
        guard count >= 2, octets[0] == UInt8(ascii: "x"), octets[1] == Self.hyphen else { return }
        for index in 2..<count { octets[index - 2] = octets[index] }
        count -= 2
    }

    private mutating func dropEnd() {
        guard count > 4, octets[count - 4] == Self.hyphen, octets[count - 3] == UInt8(ascii: "b"),
            octets[count - 2] == UInt8(ascii: "i"), octets[count - 1] == UInt8(ascii: "n")
        else { return }
        count -= 4
    }

    /// The name as it is of one thing, without numbers and versions: `pwd2`, `api-key-2`, `api-key-v2` and `session-cookies`
    /// become `pwd`, `api-key`, `api-key` and `session-cookie`.
    ///
    /// - Parameter plurals: Parts that mean the same of several.
    /// - Returns: The shorter name, or the same.
    func withoutCounts(plurals: OctetWords) -> NameForm {
        var result = NameForm()
        var start = 0
        while start < count {
            var end = start
            while end < count, octets[end] != Self.hyphen { end += 1 }
            let next = end + 1
            while end - start > 1, ASCII.isDigit(octets[end - 1]) { end -= 1 }
            // A name of that word alone is of a list of anything.
            let isWhole = start == 0 && next > count
            if !isWhole, plurals.contains(octets.span.extracting(start..<end)) { end -= 1 }
            if result.count > 0 { result.append(Self.hyphen) }
            for index in start..<end { result.append(octets[index]) }
            start = next
        }
        result.dropVersions()
        return result
    }

    private mutating func dropVersions() {
        while count > 2, octets[count - 2] == Self.hyphen,
            ASCII.isDigit(octets[count - 1]) || octets[count - 1] == UInt8(ascii: "v")
        {
            count -= 2
        }
    }

    private static let hyphen = UInt8(ascii: "-")

    /// What stands between the parts of names, in forms, JSON and headers: all that is neither letter nor digit, controls too,
    /// since readers drop them or end a name there.
    private static func isSeparator(_ octet: UInt8) -> Bool {
        octet < 0x80 && !ASCII.isLetter(octet) && !ASCII.isDigit(octet)
    }

    // In both, what lies below the first letter wraps to more than 25.
    private static func isUpper(_ octet: UInt8) -> Bool { octet &- UInt8(ascii: "A") < 26 }

    private static func isLower(_ octet: UInt8) -> Bool { octet &- UInt8(ascii: "a") < 26 }
}
