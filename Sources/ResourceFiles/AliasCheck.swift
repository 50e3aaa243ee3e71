// Wingmirror · Apache-2.0

internal import JSONSyntax

/// Keeps aliases out of keys.
///
/// The YAML parser hashes keys to find those that occur twice. A key that is an alias, or a list of aliases, can stand for
/// more than any machine can hash, and is found only there; so a text that has both anchors and aliases may not also have
/// keys that are not plain words. Texts without aliases, which is nearly all, are never concerned.
enum AliasCheck {
    static func refuseAliasesInKeys(_ text: String) throws(DocumentError) {
        let octets = Array(text.utf8)
        guard hasIndicator(octets, UInt8(ascii: "&")), hasIndicator(octets, UInt8(ascii: "*")) else { return }
        var line = 1
        for (index, octet) in octets.enumerated() {
            if octet == 0x0A { line += 1 }
            guard endsComplexKey(octets, index) else { continue }
            throw DocumentError(line: line, message: "a text with aliases must not have keys that are not plain words")
        }
    }

    /// Whether the octet occurs where an anchor or alias may begin, with a name behind it.
    private static func hasIndicator(_ octets: [UInt8], _ indicator: UInt8) -> Bool {
        octets.indices.contains { begins(octets, $0, indicator) }
    }

    private static func begins(_ octets: [UInt8], _ index: Int, _ indicator: UInt8) -> Bool {
        guard octets[index] == indicator, index + 1 < octets.count, isNameOctet(octets[index + 1]) else { return false }
        return index == 0 || " \t\n\r[{,".utf8.contains(octets[index - 1])
    }

    /// Whether a key that is an alias, a collection or written behind `?` may be found at `index`.
    private static func endsComplexKey(_ octets: [UInt8], _ index: Int) -> Bool {
        let octet = octets[index]
        var next = index + 1
        if octet == UInt8(ascii: "?") {
            let before = index == 0 ? 0x0A : octets[index - 1]
            return next < octets.count && " \t\n\r".utf8.contains(octets[next]) && " \t\n\r[{,".utf8.contains(before)
        }
        if begins(octets, index, UInt8(ascii: "*")) {
            while next < octets.count, isNameOctet(octets[next]) { next += 1 }
        } else if octet != UInt8(ascii: "]"), octet != UInt8(ascii: "}") {
            return false
        }
        while next < octets.count, octets[next] == 0x20 || octets[next] == 0x09 { next += 1 }
        return next < octets.count && octets[next] == UInt8(ascii: ":")
    }

    private static func isNameOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
