// Wingmirror · Apache-2.0
// What a word without quotes is by YAML 1.1: https://yaml.org/type/{null,bool,int,float}.html.

/// Tells the types of words without quotes.
package enum PlainWord {
    /// The tag of a word's type; that of text, where it is neither nothing, a truth value nor a number.
    package static func tag(of word: String) -> String {
        if isNothing(word) { return YAMLTag.null }
        if truth(of: word) != nil { return YAMLTag.bool }
        if isInteger(word) { return YAMLTag.int }
        return isNumber(word) ? YAMLTag.float : YAMLTag.string
    }

    /// Whether a word stands for nothing.
    package static func isNothing(_ word: String) -> Bool {
        switch word {
        case "", "~", "null", "Null", "NULL": true
        default: false
        }
    }

    /// The truth value that a word stands for; `nil` for none.
    package static func truth(of word: String) -> Bool? {
        switch word {
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": true
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": false
        default: nil
        }
    }

    /// A whole number in base 2, 8, 10 or 16, or of parts to base 60, such as `190:20:30`.
    private static func isInteger(_ word: String) -> Bool {
        let unsigned = withoutSign(word)
        if unsigned == "0" { return true }
        if unsigned.hasPrefix("0b") { return isOne(unsigned.dropFirst(2)) { (0x30...0x31).contains($0) } }
        if unsigned.hasPrefix("0x") { return isOne(unsigned.dropFirst(2), isHexDigit) }
        if unsigned.hasPrefix("0") {
            return isOne(unsigned.dropFirst(unsigned.hasPrefix("0o") ? 2 : 1)) { (0x30...0x37).contains($0) }
        }
        return isSexagesimal(unsigned)
    }

    private static func isNumber(_ word: String) -> Bool {
        if [".nan", ".NaN", ".NAN"].contains(word) { return true }
        let unsigned = withoutSign(word)
        if [".inf", ".Inf", ".INF"].contains(unsigned) { return true }
        let exponentStart = unsigned.firstIndex { $0 == "e" || $0 == "E" } ?? unsigned.endIndex
        let exponent = unsigned[exponentStart...].dropFirst()
        let hasExponent = exponentStart < unsigned.endIndex
        guard !hasExponent || isOne(withoutSign(exponent), allowsUnderscores: false, isDigit) else { return false }
        let mantissa = unsigned[..<exponentStart]
        guard let point = mantissa.firstIndex(of: ".") else {
            return startsWithDigit(mantissa) && isOne(mantissa, isDigit)
        }
        let (whole, fraction) = (mantissa[..<point], mantissa[point...].dropFirst())
        guard fraction.isEmpty || isOne(fraction, isDigit) else { return false }
        if whole.isEmpty {
            // Without a digit before the point there is no sign, and the exponent must have one.
            let isSigned = !hasExponent || withoutSign(exponent).count < exponent.count
            return !fraction.isEmpty && unsigned.count == word.count && isSigned
        }
        guard startsWithDigit(whole) else { return false }
        return isOne(whole, isDigit) || !hasExponent && isSexagesimal(whole)
    }

    /// Digits, and behind each colon a number below 60.
    private static func isSexagesimal(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let first = parts.first, startsWithDigit(first), isOne(first, isDigit) else { return false }
        return parts.dropFirst().allSatisfy { part in
            isOne(part, allowsUnderscores: false, isDigit)
                && (part.count == 1 || part.count == 2 && part.utf8.first.map { $0 < UInt8(ascii: "6") } == true)
        }
    }

    /// Whether a text is one number without a sign: at least one digit, between which underscores may stand.
    private static func isOne(
        _ text: Substring,
        allowsUnderscores: Bool = true,
        _ isDigit: (UInt8) -> Bool
    ) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isDigit($0) || allowsUnderscores && $0 == UInt8(ascii: "_") }
    }

    private static func startsWithDigit(_ text: Substring) -> Bool {
        text.utf8.first.map(isDigit) ?? false
    }

    private static func isDigit(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
    }

    private static func isHexDigit(_ octet: UInt8) -> Bool {
        isDigit(octet) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet | 0x20)
    }

    private static func withoutSign(_ text: some StringProtocol) -> Substring {
        let hasSign = text.hasPrefix("+") || text.hasPrefix("-")
        return Substring(hasSign ? text.dropFirst() : text[...])
    }
}
