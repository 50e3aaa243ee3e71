// Wingmirror · Apache-2.0

/// How a text is compared, with the words of Istio's `StringMatch`.
enum StringMatch: Sendable, Hashable {
    /// The text is there, whatever it is: Istio's empty match.
    case present
    case exact(String)
    case prefix(String)
    /// RE2 syntax; the whole text must match.
    case regex(String)
    /// The text itself or the text and a slash and more: the path prefix of Gateway API and Ingress.
    case segmentPrefix(String)

    init(_ reader: FieldReader) throws(ResourceError) {
        let exact = try reader.string("exact")
        let prefix = try reader.string("prefix")
        let regex = try reader.string("regex")
        switch (exact, prefix, regex) {
        case (nil, nil, nil): self = .present
        case (let exact?, nil, nil): self = .exact(exact)
        case (nil, let prefix?, nil): self = .prefix(prefix)
        case (nil, nil, let regex?): self = .regex(regex)
        default: throw ResourceError(reader.path, "must have one of exact, prefix and regex, not several")
        }
    }

    /// The text compared with; `nil` for a presence test.
    var text: String? {
        switch self {
        case .present: nil
        case .exact(let text), .prefix(let text), .regex(let text), .segmentPrefix(let text): text
        }
    }
}

/// A condition on one header or query parameter.
struct NamedMatch: Sendable, Hashable {
    /// The name as written.
    var name: String
    /// The comparison; `nil` where the manifest says null.
    var match: StringMatch?
}
