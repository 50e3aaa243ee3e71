// Wingmirror · Apache-2.0

/// The conditions of a match entry in words, for people.
enum MatchText {
    /// At most 200 octets, cut on a character border.
    static func describe(_ match: HTTPMatch) -> String {
        var parts: [String] = []
        if let uri = match.uri {
            parts.append("uri \(describe(uri))\(match.ignoreUriCase ? " (any case)" : "")")
        }
        if let method = match.method { parts.append("method \(describe(method))") }
        if let scheme = match.scheme { parts.append("scheme \(describe(scheme))") }
        if let authority = match.authority { parts.append("authority \(describe(authority))") }
        parts += match.headers.map { "header \($0.name) \(describe($0.match ?? .present))" }
        parts += match.withoutHeaders.map { "without header \($0.name) \(describe($0.match ?? .present))" }
        parts += match.queryParams.map { "query \($0.name) \(describe($0.match ?? .present))" }
        return parts.isEmpty ? "any request" : cut(parts.joined(separator: ", "), to: 200)
    }

    static func describe(_ match: StringMatch) -> String {
        switch match {
        case .present: "present"
        case .exact(let text): "= \(text)"
        case .prefix(let text): "prefix \(text)"
        case .regex(let text): "regex \(text)"
        case .segmentPrefix(let text): "path prefix \(text)"
        }
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var result = ""
        for character in text {
            guard result.utf8.count + character.utf8.count <= limit - 3 else { break }
            result.append(character)
        }
        return result + "…"
    }
}
