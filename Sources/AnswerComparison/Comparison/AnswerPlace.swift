// Wingmirror · Apache-2.0

/// Where in an answer a difference lies: what is counted, learned and judged apart for each route.
///
/// Places come from a small set: entries of lists share one place, and members of objects whose names look like keys of
/// data (identifiers, addresses, long names) are all `*`. So a place says nothing of any one answer's data.
public enum AnswerPlace: Sendable, Hashable, Comparable {
    /// Whether there is an answer at all.
    case outcome
    /// The status code.
    case status
    /// A field, its name in lower case.
    case field(String)
    /// The content, or a part of it as a path such as `items[].price`; the empty path is all of it.
    case content(String)
    /// All places that a route has no room for.
    case other
    /// The time the answer took; judged apart from what it says.
    case latency

    /// The place in words: `status`, `field content-type`, `content items[].price`.
    public var text: String {
        switch self {
        case .outcome: "outcome"
        case .status: "status"
        case .field(let name): "field \(name)"
        case .content(""): "content"
        case .content(let path): "content \(path)"
        case .other: "other"
        case .latency: "latency"
        }
    }
}

/// In what way two answers differ at a place.
public enum DifferenceKind: String, Sendable, Hashable, CaseIterable {
    /// One of them is no answer, or both fail in different ways.
    case outcome
    /// The status codes are of different classes.
    case statusClass = "status_class"
    /// The status codes differ within a class.
    case status
    /// The values differ.
    case value
    /// The values are of different types.
    case type
    /// Production has it, the other answer does not.
    case missing
    /// The other answer has it, production does not.
    case extra
    /// The same entries in another order.
    case order
    /// Another number of entries, lines or octets.
    case size
}
