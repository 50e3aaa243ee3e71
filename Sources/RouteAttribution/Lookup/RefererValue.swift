// Wingmirror · Apache-2.0
// Which values of Referer Envoy leaves in a request: source/common/http/utility.cc isValidRefererValue.

/// Tells values of Referer that the proxy keeps from those it takes out before it routes.
enum RefererValue {
    /// Whether a request keeps the value: an absolute URL without fragment and user, or a relative reference.
    static func isKept(_ value: Span<UInt8>) -> Bool {
        for index in value.indices {
            switch value[index] {
            case UInt8(ascii: ":"): return isURL(value, colon: index)
            case UInt8(ascii: "/"): return isRelative(value)
            default: continue
            }
        }
        return isRelative(value)
    }

    // MARK: - Absolute URLs

    /// `scheme://host[:port]`, then path and query of any characters but those of a fragment.
    ///
    /// The parser is Node's, which asks for a host and takes an empty user and an empty fragment for none.
    private static func isURL(_ value: Span<UInt8>, colon: Int) -> Bool {
        guard isScheme(value.extracting(0..<colon)), colon + 3 < value.count, value[colon + 1] == UInt8(ascii: "/"),
            value[colon + 2] == UInt8(ascii: "/")
        else { return false }
        var start = colon + 3
        if value[start] == UInt8(ascii: "@") { start += 1 }
        var end = start
        while end < value.count, value[end] != UInt8(ascii: "/"), value[end] != UInt8(ascii: "?") { end += 1 }
        guard AbsoluteTarget.isHost(value, start..<end) else { return false }
        var isBehindMark = false
        for index in end..<value.count {
            let octet = value[index]
            guard octet > 0x20, octet < 0x7F, !isBehindMark || octet == UInt8(ascii: "#") else { return false }
            if octet == UInt8(ascii: "#") { isBehindMark = true }
        }
        return true
    }

    /// A letter, then letters, digits, `+`, `-` and `.` (RFC 3986 §3.1).
    private static func isScheme(_ text: Span<UInt8>) -> Bool {
        guard text.count > 0, isLetter(text[0]) else { return false }
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): continue
            case let octet: guard isLetter(octet) || isDigit(octet) else { return false }
            }
        }
        return true
    }

    // MARK: - Relative references

    /// Characters that RFC 3986 has in paths and queries; no colon comes before the first slash, which the caller has seen.
    private static func isRelative(_ value: Span<UInt8>) -> Bool {
        for index in value.indices where !isRelative(value[index]) { return false }
        return true
    }

    private static func isRelative(_ octet: UInt8) -> Bool {
        switch octet {
        // ! $ % & ' ( ) * + , - . / and digits : ; = ? @ _ ~
        case 0x21, 0x24...0x3B, 0x3D, 0x3F, 0x40, 0x5F, 0x7E: true
        default: isLetter(octet)
        }
    }

    // In both, what lies below the first of them wraps to more than the last.
    private static func isLetter(_ octet: UInt8) -> Bool { (octet | 0x20) &- 0x61 < 26 }

    private static func isDigit(_ octet: UInt8) -> Bool { octet &- 0x30 < 10 }
}
