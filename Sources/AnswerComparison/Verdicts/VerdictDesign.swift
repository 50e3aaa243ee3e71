// Wingmirror · Apache-2.0

/// What the candidate's differences are held against; each design can tell more than the one before.
public enum VerdictDesign: String, Sendable, Hashable, CaseIterable {
    /// Nothing: the candidate's differences from production, unadjusted. May pass, never fails a target.
    case unadjusted = "D0"
    /// Production's own differences between like requests that it answered shortly after each other.
    case naturalRepeats = "D4"
    /// The candidate's own differences between two copies of a request.
    case repeats = "D1"
    /// The differences of a target that runs production's version.
    case baseline = "D2"
}

/// What is to be thought of a target on a route, so far.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
    /// Neither can be said yet, or at all; the reason says which.
    case inconclusive
    /// Not worse by more than the margin.
    case pass
    /// Worse by more than the margin.
    case fail

    /// The value of the gauge `mirror_verdict`.
    public var number: Int {
        switch self {
        case .inconclusive: 0
        case .pass: 1
        case .fail: 2
        }
    }
}

/// What a verdict rests on.
public enum VerdictReason: String, Sendable, Hashable, CaseIterable {
    /// Nothing has been compared.
    case noPairs = "no_pairs"
    /// The interval of the excess holds the margin: more pairs are needed.
    case moreNeeded = "more_pairs_needed"
    /// The interval of the excess lies below the margin.
    case withinMargin = "within_margin"
    /// The candidate differs from production in less than the margin of all votes, whatever the cause.
    case likeProduction = "like_production"
    /// The interval of the excess lies above the margin.
    case beyondMargin = "beyond_margin"
    /// A single place is worse by more than the margin, whatever others do.
    case place
    /// Answers take longer than the baseline's by more than the margin.
    case latency
    /// Too few of the sampled requests were compared.
    case coverage
    /// The target turns requests away (401, 403, 404) that production answers: its sessions or data are not production's.
    case notComparable = "not_comparable"
    /// Contents could not be read in too many pairs, so that equal ones cannot be told.
    case unreadable
    /// Answers differ, and nothing says whether that is a change, noise or other data (design D0).
    case unadjusted
}
