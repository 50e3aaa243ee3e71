// Wingmirror · Apache-2.0
// Paths and queries: RFC 3986 §3.3 and §3.4.

import OctetText

/// Writes request targets so that they can be part of a URL.
enum RequestTargetText {
    /// The target with every octet that a URL may not hold percent-encoded; one that is a URL's already stays as it is.
    ///
    /// Clients send `|`, `[` or a lone `%` in targets, and most servers take them to mean what the encoded form means. Encoding
    /// here, octet by octet, keeps what is encoded already: the URL parser would encode its percent signs a second time.
    static func encoded(_ target: String) -> String {
        let octets = Array(target.utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(octets.count)
        for (index, octet) in octets.enumerated() {
            if octet == UInt8(ascii: "%") ? isEscape(octets, at: index) : isAllowed(octet) {
                encoded.append(octet)
            } else {
                encoded.append(percentEncoded: octet)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isEscape(_ octets: [UInt8], at index: Int) -> Bool {
        index + 2 < octets.count && octets[index + 1...index + 2].allSatisfy { ASCII.hexadecimalValue($0) != nil }
    }

    private static func isAllowed(_ octet: UInt8) -> Bool {
        // The first question mark begins the query, and a query may hold more of them.
        ASCII.isDigit(octet) || ASCII.isLetter(octet) || "-._~!$&'()*+,;=:@/?".utf8.contains(octet)
    }
}
