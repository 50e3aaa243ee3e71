// Wingmirror · Apache-2.0

import JSONSyntax

extension PreparedAnswer {
    /// Whether the answer has something at a place at which answers to other requests differ.
    ///
    /// A cookie or a part of a field is there with its field. True where it is not known.
    mutating func holds(_ place: AnswerPlace) -> Bool {
        switch place {
        case .field(let name): return fields[String(name.prefix { $0 != " " })] != nil
        case .content(let path):
            guard !content.isEmpty else { return false }
            if let value = json() { return value.holds(path[...]) }
            guard !path.isEmpty, isText else { return true }
            return TextTokens.tokens(content, isMarkup: isMarkup, isWhole: isWhole).contains { $0.form == path }
        case .outcome, .status, .other, .latency: return true
        }
    }
}

extension JSONValue {
    /// Whether there is something at a path as `ContentPath` writes it: an entry of a list, or a member of any name for `*`.
    fileprivate func holds(_ path: Substring) -> Bool {
        if path.isEmpty { return true }
        switch self {
        case .array(let entries):
            guard path.hasPrefix("[]") else { return false }
            let below = path.dropFirst(2)
            return below.isEmpty || entries.contains { $0.holds(below) }
        case .object(let object):
            let rest = path.first == "." ? path.dropFirst() : path
            let name = rest.prefix { $0 != "." && $0 != "[" }
            let below = rest.dropFirst(name.count)
            // Deeper members have no names of their own.
            if name == "…" { return true }
            if name == "*" { return object.members.contains { $0.value.holds(below) } }
            return object[String(name)]?.holds(below) ?? false
        case .null, .bool, .integer, .double, .digits, .string: return false
        }
    }
}
