// Wingmirror · Apache-2.0
// Uniform Resource Identifiers, RFC 3986.

/// Values that are links: URLs, or paths with a query, as parameters and fields hold them.
enum LinkText {
    /// Whether a value, decoded, may be a link in which credentials lie: in its query, behind semicolons or before its host.
    static func mayHoldCredentials(_ value: [UInt8]) -> Bool {
        guard value.contains(where: { "?;@#".utf8.contains($0) }) else { return false }
        return value.first == UInt8(ascii: "/") || hasScheme(value)
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
