// Wingmirror · Apache-2.0
// Scalar resolution of YAML 1.1 as the Go libraries of Kubernetes do it.

internal import JSONSyntax
import YAMLSyntax

/// What a plain word of a YAML text means.
enum YAMLScalar {
    static func value(_ scalar: YAMLNode.Scalar) -> JSONValue {
        // A tag such as `!!str` has been written; then the word is what it says.
        scalar.isPlain && scalar.tag != YAMLTag.string ? resolve(scalar.text) : .string(scalar.text)
    }

    static func resolve(_ text: String) -> JSONValue {
        if PlainWord.isNothing(text) { return .null }
        if let truth = PlainWord.truth(of: text) { return .bool(truth) }
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || [0x2B, 0x2D, 0x2E].contains(first) else {
            return .string(text)
        }
        return integer(text).map(JSONValue.integer) ?? double(text).map(JSONValue.double) ?? .string(text)
    }

    private static func integer(_ text: String) -> Int? {
        let isNegative = text.hasPrefix("-")
        var digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        digits.removeAll { $0 == "_" }
        let magnitude: Int?
        if digits.hasPrefix("0x") {
            magnitude = Int(digits.dropFirst(2), radix: 16)
        } else if digits.hasPrefix("0b") {
            magnitude = Int(digits.dropFirst(2), radix: 2)
        } else if digits.hasPrefix("0o") {
            magnitude = Int(digits.dropFirst(2), radix: 8)
        } else if digits.hasPrefix("0"), digits.utf8.count > 1 {
            magnitude = Int(digits, radix: 8)
        } else {
            magnitude = digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
        }
        return magnitude.map { isNegative ? -$0 : $0 }
    }

    private static func double(_ text: String) -> Double? {
        // Only digits, one dot, an exponent and signs; `Double` itself would also take words and hexadecimal.
        let allowed = Set("0123456789.eE+-".utf8)
        guard text.utf8.allSatisfy(allowed.contains), text.utf8.contains(where: { (0x30...0x39).contains($0) }) else {
            return nil
        }
        let number = Double(text)
        return number?.isFinite == true ? number : nil
    }
}
