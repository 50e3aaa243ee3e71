// Wingmirror · Apache-2.0
// Uniform Resource Identifiers, RFC 3986.

/// Values that are links: URLs, or paths with a query, as parameters and fields hold them.
enum LinkText {
    /// Whether a value, decoded, may be a link in which credentials lie: in its query, behind semicolons or before its host.
    ///
    /// Without a scheme and a slash, as in `home?token=…`, it is one where a parameter with a value follows.
    static func mayHoldCredentials(_ value: [UInt8]) -> Bool {
        guard let mark = value.firstIndex(where: { "?;@#".utf8.contains($0) }) else { return false }
        if value.first == UInt8(ascii: "/") || hasScheme(value) { return true }
        let parameters = value[mark...].drop { $0 == UInt8(ascii: "@") }
        return parameters.contains { "?;#".utf8.contains($0) } && parameters.contains(UInt8(ascii: "="))
    }

    /// What names a user in the authority of a link, with the at sign behind it (RFC 3986 §3.2.1); `nil` where nothing does.
    ///
    /// The authority lies behind a scheme, or behind two slashes that the link begins with.
    static func user(in link: [UInt8]) -> Range<Int>? {
        let start: Int
        if link.starts(with: "//".utf8) {
            start = 2
        } else if let colon = link.firstIndex(of: UInt8(ascii: ":")), link[colon...].starts(with: "://".utf8) {
            start = colon + 3
        } else {
            return nil
        }
        let end = link[start...].firstIndex { "/?#".utf8.contains($0) } ?? link.endIndex
        return link[start..<end].lastIndex(of: UInt8(ascii: "@")).map { start..<$0 + 1 }
    }

    /// A scheme and two slashes (RFC 3986 §3).
    private static func hasScheme(_ value: [UInt8]) -> Bool {
        guard let colon = value.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon + 2 < value.count else {
            return false
        }
        let isScheme = value[..<colon].allSatisfy { octet in
            let isLetter = UInt8(ascii: "a")...UInt8(ascii: "z") ~= octet | 0x20
            return isLetter || UInt8(ascii: "0")...UInt8(ascii: "9") ~= octet || "+-.".utf8.contains(octet)
        }
        return isScheme && value[colon + 1] == UInt8(ascii: "/") && value[colon + 2] == UInt8(ascii: "/")
    }

    /// A link as the value of a parameter: everything but unreserved octets is percent-encoded.
    static func encoded(_ link: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return link.flatMap { octet -> [UInt8] in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                return [octet]
            default:
                return [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
    }
}
