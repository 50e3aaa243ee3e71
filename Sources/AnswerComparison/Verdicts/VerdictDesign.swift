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
    /// Other than production by more than noise, which may be the version or staging's own data (designs without baseline).
    case different
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
    /// The candidate fails (5xx, resets, timeouts) where the other side does not, in more than the margin for errors.
    case errors
    /// The candidate's answers differ from each other more often than from production's.
    case lessSteady = "less_steady"
    /// A single place is worse by more than the margin, whatever others do.
    case place
    /// Answers take longer than the baseline's by more than the margin.
    case latency
    /// The slowest answers of the candidate are slower than the baseline's, or there are more of them.
    case latencyTail = "latency_tail"
    /// Too few of the sampled requests were compared.
    case coverage
    /// The breaker holds copies back, or held back too many.
    case breaker
    /// The breaker opens on the candidate again and again, and not on the baseline or while production answers.
    case breakerAlone = "breaker_alone"
    /// The target answered too many copies with 429.
    case throttled
    /// Production answered to conditional or range requests (304, 206), to which copies have no counterpart.
    case conditional
    /// Answers differ for requests whose credentials were taken out, so that nothing follows without a baseline.
    case credentials
    /// Values vary at the target, and nothing shows that production's vary too.
    case unconfirmed
    /// Answers differ from production too often for a verdict without a baseline.
    case noisy
    /// Values differ where candidate and baseline were asked at different times, one mostly later than the other.
    case apart
    /// What differs fell into too few blocks of time: it may be one bad moment.
    case episode
    /// What differs comes from too few keys: it may be one user's data.
    case fewKeys = "few_keys"
    /// The target turns requests away (401, 403, 404) that production answers, or redirects or refuses them as the baseline
    /// does: its sessions or data are not production's.
    case notComparable = "not_comparable"
    /// The baseline fails where production answers: what staging would answer otherwise is not known.
    case stagingFails = "staging_fails"
    /// Answers differ at more places than are told apart.
    case manyPlaces = "too_many_places"
    /// Target and baseline both differ from production at a place, and from each other, so that a change may hide there.
    case masked
    /// Contents could not be read in too many pairs, so that equal ones cannot be told.
    case unreadable
    /// Contents were longer than what is kept of them in too many pairs.
    case cut
    /// Answers differ, and nothing says whether that is a change, noise or other data (design D0).
    case unadjusted
}
