// Wingmirror · Apache-2.0

/// Checks regular expressions, each text once.
struct PatternChecks {
    /// The longest pattern that admission takes, in octets.
    static let limit = 1024
    /// How many instructions the programs of one object's patterns may have together, at about 30 octets each.
    ///
    /// A pattern of an everyday rule has a hundred, so this is room for ten thousand; without it, one object as large as the
    /// API server takes could need a gibibyte. Patterns that an earlier object has too cost nothing.
    static let programLimit = 1_000_000

    private let cache: RegularExpressionCache
    private var reasons: [String: String] = [:]
    private var programSize = 0

    /// Has checked nothing yet.
    ///
    /// - Parameter cache: Patterns that need not be compiled again.
    init(_ cache: RegularExpressionCache) { self.cache = cache }

    /// The patterns that follow are another object's.
    mutating func objectBegan() {
        programSize = 0
    }

    /// Why a text is no pattern; `nil` for one that is.
    mutating func reason(_ text: String) -> String? {
        if text.isEmpty { return "must not be empty" }
        guard text.utf8.count <= Self.limit else { return "is longer than \(Self.limit) octets" }
        if let known = reasons[text] { return known.isEmpty ? nil : known }
        guard programSize < Self.programLimit else {
            return "is one regular expression too many: those before it have \(programSize) instructions together"
        }
        var reason = ""
        do throws(RegularExpressionError) {
            // Not every pattern that is checked gets into a table, so those compiled here are not kept.
            let pattern: RegularExpression
            if let known = cache.known(text) { pattern = known } else { pattern = try RegularExpression(text) }
            programSize += pattern.programSize
        } catch {
            reason = "is not a valid RE2 pattern: \(error.message)"
        }
        reasons[text] = reason
        return reason.isEmpty ? nil : reason
    }
}
