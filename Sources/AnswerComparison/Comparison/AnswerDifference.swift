// Wingmirror · Apache-2.0

/// One difference between production's answer and another.
public struct AnswerDifference: Sendable, Hashable {
    /// Where it lies.
    public var place: AnswerPlace
    /// In what way the answers differ there.
    public var kind: DifferenceKind
    /// Whether the values have the same shape, so that the difference is none at a place whose values are volatile.
    public var hasEqualShape = false
    /// Whether the values say when or where an answer was made, as times, validators and names of pods do, or what a place is set to:
    /// two places that run the same version need not agree on them.
    public var isOfEnvironment = false
    /// Whether contents, or texts whose words could not be put together, were compared as wholes, so that one part that varies
    /// hides what others say.
    public var isCoarse = false
    /// How many values differ there in this way: entries of a list, pieces of a page and words of a text share a place.
    public var occurrences = 1
    /// Which value is the larger, where both are numbers that are far apart: above 0 the other one, below 0 production's; several
    /// at one place added up.
    public var direction: Int64 = 0
    /// Whether one of two numbers is 0, as where a value was never set.
    public var isOfZero = false
    /// What is known of the place before anything is learned.
    public var expectation = Expectation.stable
    /// Production's value, as its shape and a keyed hash unless values are to be shown.
    public var production: String
    /// The other answer's value, likewise.
    public var candidate: String

    /// How the values of a place behave, as far as the place and their format tell.
    public enum Expectation: Sendable, Hashable {
        /// Equal for equal requests, until the route shows otherwise.
        case stable
        /// Another one each time, as an identifier or a time is, until the route shows otherwise.
        case presumedVolatile
        /// Another one each time by definition.
        case volatile
        /// Added on the way by what stands before the server, which production and staging need not share.
        case infrastructure
    }

    /// Makes a difference.
    public init(place: AnswerPlace, kind: DifferenceKind, production: String, candidate: String) {
        self.place = place
        self.kind = kind
        self.production = production
        self.candidate = candidate
    }
}

/// What a comparison of two answers says in one word; the label `result` of `mirror_comparisons_total`.
public enum ComparisonWord: String, Sendable, Hashable, CaseIterable {
    /// No difference at all.
    case same
    /// Another status, or no answer.
    case statusDiffers = "status_differs"
    /// Another field, and the same status and content.
    case headersDiffer = "headers_differ"
    /// Other content, and the same status.
    case bodyDiffers = "body_differs"
    /// Only differences that are none at volatile places.
    case noise
    /// No difference that counts, but content is coded in a way that is not read.
    case unread
    /// No difference that counts, as far as content was kept.
    case cut
    /// Not comparable: no answer of production's, or one to a condition or a range, sent too late, or given up by the agent.
    case skipped
}
