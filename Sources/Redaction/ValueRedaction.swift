// Wingmirror · Apache-2.0

import OctetText

/// Replaces values by keyed hashes of them.
///
/// Equal values get equal hashes, wherever they stand: in a field, in the query, in content. Where a target might check the
/// form of a value, the form stays: a mail address, a UUID and a long number become others of their kind. Everything else
/// becomes `wm-` and sixteen hexadecimal digits.
package struct ValueRedaction: Sendable {
    let key: RedactionKey

    /// Makes a redaction under a key.
    package init(key: RedactionKey) {
        self.key = key
    }

    /// What stands in for a value.
    package func replacement(for value: [UInt8]) -> String {
        if value.isEmpty { return "" }
        switch Shape(value) {
        case .mailAddress: return word(value) + "@redacted.invalid"
        case .uuid: return uuid(value)
        case .digits(let count, let hasPlus): return (hasPlus ? "+" : "") + digits(value, count: count)
        case .text: return word(value)
        }
    }

    /// What stands in for a number, given as it was written; below 2⁵³, so that every reader keeps it exact.
    func number(for literal: [UInt8]) -> Int {
        Int(hash(literal, part: 0) & 0x1F_FFFF_FFFF_FFFF)
    }

    // MARK: - Forms

    private func hash(_ value: [UInt8], part: UInt8) -> UInt64 {
        var hash = key.hash(1)
        hash.combine(part)
        hash.combine(value.span)
        return hash.value
    }

    private func word(_ value: [UInt8]) -> String {
        "wm-" + HexadecimalText.digits(of: hash(value, part: 0))
    }

    /// A random UUID by its version and variant (RFC 9562 §5.4).
    private func uuid(_ value: [UInt8]) -> String {
        let lowered = value.map(ASCII.lowered)
        let high = hash(lowered, part: 1) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = hash(lowered, part: 2) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var text = Array((HexadecimalText.digits(of: high) + HexadecimalText.digits(of: low)).utf8)
        for place in [8, 13, 18, 23] { text.insert(UInt8(ascii: "-"), at: place) }
        return String(decoding: text, as: UTF8.self)
    }

    private func digits(_ value: [UInt8], count: Int) -> String {
        var text = ""
        for place in 0..<count {
            // One hash gives sixteen digits; the first digit is none that a reader could drop.
            let number = hash(value, part: UInt8(3 + place / 16)) >> UInt64(4 * (place % 16)) & 15
            text += String(place == 0 ? 1 + number % 9 : number % 10)
        }
        return text
    }

    /// What a value looks like.
    enum Shape: Equatable {
        case mailAddress
        case uuid
        case digits(count: Int, hasPlus: Bool)
        case text

        /// Fewer digits could be guessed, and be hit by chance.
        private static let leastDigits = 8
        private static let mostDigits = 64

        init(_ value: [UInt8]) {
            let hasPlus = value.first == UInt8(ascii: "+")
            let digits = value.dropFirst(hasPlus ? 1 : 0)
            if Self.leastDigits...Self.mostDigits ~= digits.count,
                digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
            {
                self = .digits(count: digits.count, hasPlus: hasPlus)
            } else if Self.isUUID(value) {
                self = .uuid
            } else if Self.isMailAddress(value) {
                self = .mailAddress
            } else {
                self = .text
            }
        }

        private static func isUUID(_ value: [UInt8]) -> Bool {
            guard value.count == 36 else { return false }
            for (place, octet) in value.enumerated() {
                let isHyphen = octet == UInt8(ascii: "-")
                guard [8, 13, 18, 23].contains(place) ? isHyphen : ASCII.hexadecimalValue(octet) != nil else {
                    return false
                }
            }
            return true
        }

        private static func isMailAddress(_ value: [UInt8]) -> Bool {
            let parts = value.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
            return parts.count == 2 && !parts[0].isEmpty && parts[1].contains(UInt8(ascii: "."))
                && value.allSatisfy(ASCII.isTargetOctet)
        }
    }
}
