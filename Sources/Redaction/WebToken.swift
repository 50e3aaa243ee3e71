// Wingmirror · Apache-2.0
// JSON Web Tokens in compact form: RFC 7519 §3, RFC 7515 §7.1, RFC 7516 §7.1.

internal import OctetText

/// Finds tokens by their form, whatever the name is under which they travel.
///
/// A token is three parts of base64url with full stops between them, of which the first is a JSON object, so that it begins with
/// `eyJ`; the last is empty where nothing is signed. An encrypted one has five, of which the second is empty where the key is
/// known to both sides.
package enum WebToken {
    private static let start = Array("eyJ".utf8)
    /// Shorter first parts cannot name an algorithm: `{"alg":""}`.
    private static let leastHead = 14

    /// Where the first token in octets is.
    /// - Parameters:
    ///   - octets: A target, the value of a header, or another text.
    ///   - place: Where to begin.
    /// - Returns: `nil` where there is none.
    package static func range(in octets: [UInt8], from place: Int = 0) -> Range<Int>? {
        var index = place
        while index + leastHead < octets.count {
            guard octets[index] == start[0], octets[index...].starts(with: start) else {
                index += 1
                continue
            }
            let head = end(of: octets, from: index)
            guard head - index >= leastHead, index == 0 || !isPart(octets[index - 1]) else {
                index = head
                continue
            }
            guard head < octets.count, octets[head] == UInt8(ascii: ".") else {
                index = head
                continue
            }
            let claims = end(of: octets, from: head + 1)
            if let end = endOfEncrypted(octets, afterKey: claims) { return index..<end }
            guard claims > head + 1, claims < octets.count, octets[claims] == UInt8(ascii: ".") else {
                index = claims
                continue
            }
            return index..<end(of: octets, from: claims + 1)
        }
        return nil
    }

    /// Where a token ends behind whose second part three more stand, none of them empty; `nil` where they do not.
    private static func endOfEncrypted(_ octets: [UInt8], afterKey key: Int) -> Int? {
        var place = key
        for _ in 0..<3 {
            guard place < octets.count, octets[place] == UInt8(ascii: ".") else { return nil }
            let next = end(of: octets, from: place + 1)
            guard next > place + 1 else { return nil }
            place = next
        }
        return place
    }

    /// Whether a token may be in octets: whether they hold what each begins with.
    static func mayBegin(in octets: Span<UInt8>) -> Bool {
        var index = 0
        while index + 3 <= octets.count {
            if octets[index] == UInt8(ascii: "e"), octets[index + 1] == UInt8(ascii: "y"),
                octets[index + 2] == UInt8(ascii: "J")
            {
                return true
            }
            index += 1
        }
        return false
    }

    /// Octets with each token replaced.
    /// - Parameters:
    ///   - octets: A text.
    ///   - values: What makes the replacements.
    ///   - redactions: One more for each token.
    /// - Returns: The text, which is the same without tokens.
    package static func replaced(in octets: [UInt8], by values: ValueRedaction, redactions: inout Int) -> [UInt8] {
        guard var token = range(in: octets) else { return octets }
        var result: [UInt8] = []
        var place = 0
        while true {
            result += octets[place..<token.lowerBound]
            result += values.replacement(for: Array(octets[token])).utf8
            redactions += 1
            place = token.upperBound
            guard let next = range(in: octets, from: place) else { break }
            token = next
        }
        return result + octets[place...]
    }

    private static func end(of octets: [UInt8], from start: Int) -> Int {
        octets[start...].firstIndex { !isPart($0) } ?? octets.count
    }

    private static func isPart(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
