// Wingmirror · Apache-2.0

/// Checks regular expressions, each text once.
struct PatternChecks {
    /// The longest pattern that admission takes, in octets.
    static let limit = 1024

    private var reasons: [String: String] = [:]

    /// Why a text is no pattern; `nil` for one that is.
    mutating func reason(_ text: String) -> String? {
        if text.isEmpty { return "must not be empty" }
        guard text.utf8.count <= Self.limit else { return "is longer than \(Self.limit) octets" }
        if let known = reasons[text] { return known.isEmpty ? nil : known }
        var reason = ""
        do throws(RegularExpressionError) {
            _ = try RegularExpression(text)
        } catch {
            reason = "is not a valid RE2 pattern: \(error.message)"
        }
        reasons[text] = reason
        return reason.isEmpty ? nil : reason
    }
}
