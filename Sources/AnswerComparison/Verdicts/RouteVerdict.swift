// Wingmirror · Apache-2.0

public import TrafficModel

/// What the answers of one target on one route say so far, with the numbers behind it.
public struct RouteVerdict: Sendable, Hashable {
    /// The policy and the target.
    public var lane: MirrorLane
    /// The route.
    public var route: RouteName
    /// What the candidate's differences were held against.
    public var design: VerdictDesign
    /// The verdict, valid however often it is looked at.
    public var verdict: Verdict
    /// What it rests on.
    public var reason: VerdictReason

    /// When the votes begin, in nanoseconds since the Unix epoch; 0 before the first pair.
    public var since: Int64 = 0
    /// When the last pair was there.
    public var until: Int64 = 0
    /// What the target was found to do, and when; `nil` unless it fails or differs.
    public var lasting: LastingFinding?
    /// The votes of the last hours; `nil` before the first pair.
    public var recent: RecentVerdict?
    /// What there is to do, in a sentence; empty when there is nothing.
    public var remedy = ""
    /// About how many more pairs the verdict takes; `nil` when no number of them would do, or none is needed.
    public var pairsNeeded: UInt64?

    /// Requests that the policy sampled for the target on this route.
    public var sampled: UInt64 = 0
    /// Requests whose answers were compared.
    public var pairs: UInt64 = 0
    /// The share of the sampled requests that were compared; 1 when nothing was sampled.
    public var coverage = 1.0
    /// Comparisons by what was found; skipped ones too.
    public var comparisons: [ComparisonWord: UInt64] = [:]
    /// Why requests were not compared, and how many.
    public var missed: [MissedReason: UInt64] = [:]

    /// Votes that the verdict rests on: one for each key and window, the mean of what its requests say.
    public var votes = 0.0
    /// Their share in which the candidate alone differs, summed up.
    public var worse = 0.0
    /// The same of the reference.
    public var better = 0.0
    /// Pairs in which the candidate alone differs.
    public var worsePairs: UInt64 = 0
    /// Pairs in which the reference alone does.
    public var betterPairs: UInt64 = 0
    /// Errors by direction.
    public var errors = ErrorCount()
    /// The votes of each design, which are never added up.
    public var designs: [DesignCount] = []
    /// The share of votes by which worse exceeds better.
    public var excess = 0.0
    /// The lower end of the excess; wrong at any time at all with a chance of half the significance.
    public var excessLower = -1.0
    /// The upper end, likewise.
    public var excessUpper = 1.0
    /// The natural logarithm of the evidence that the candidate is worse.
    public var logEvidence = 0.0
    /// The largest excess that passes.
    public var margin = 0.0
    /// The largest excess of errors that passes.
    public var errorMargin = 0.0
    /// The chance of failing a target that is no worse.
    public var significance = 0.0

    /// Pairs of answers of one version, and those of them that differ.
    public var noisePairs: UInt64 = 0
    /// The share of them that differ; `nil` without any.
    public var noiseFloor: Double?
    /// Pairs in which the candidate differs from production, whatever the reference does.
    public var mismatches: UInt64 = 0
    /// Pairs that voted on that, which are not only those with a reference.
    public var mismatchPairs: UInt64 = 0

    /// The same numbers taken as one look at a finished sample.
    public var fixedLook = FixedLook()
    /// Places where answers differ, the clearest first.
    public var places: [PlaceVerdict] = []
    /// Places at which candidate and baseline both differ from production, so that they were compared with each other.
    public var shared: [AnswerPlace] = []
    /// Those of them at which the two mostly differ from each other too, so that no more than shapes could be compared.
    public var sharedShapes: [AnswerPlace] = []
    /// Pairs whose content could not be read, for a coding that is not understood or cut short.
    public var unread: UInt64 = 0
    /// Pairs whose content was longer than what is kept of it, and compared only so far.
    public var cut: UInt64 = 0
    /// Pairs that differ and whose request lost credentials on its way.
    public var ambiguous: UInt64 = 0
    /// Pairs whose values differ and that did not vote, or not at all places, because candidate and baseline were not asked at
    /// the same time.
    public var apart: UInt64 = 0
    /// Those of them that were asked at the same time and waited at the agent or at the targets.
    public var delayed: UInt64 = 0
    /// How often the breakers of the target and of its baseline have opened since the verdict began.
    public var breaker = BreakerCount()
    /// Differences of places that a route had no room for.
    public var overflowed: UInt64 = 0
    /// The candidate's latency against the baseline's; `nil` without a baseline.
    public var latency: LatencyVerdict?
    /// How often answers differ by how late they were asked for, the least lag first.
    public var lags: [LagShare] = []
    /// At most five of the clearest examples.
    public var examples: [AnswerExample] = []

    /// Makes a verdict of a lane and route with nothing compared.
    public init(
        lane: MirrorLane,
        route: RouteName,
        design: VerdictDesign = .unadjusted,
        verdict: Verdict = .inconclusive,
        reason: VerdictReason = .noPairs
    ) {
        self.lane = lane
        self.route = route
        self.design = design
        self.verdict = verdict
        self.reason = reason
    }
}

/// Failures of the candidate against those of the other side: the baseline, or production without one.
public struct ErrorCount: Sendable, Hashable {
    /// Pairs compared.
    public var pairs: UInt64 = 0
    /// Pairs in which only the candidate failed.
    public var worse: UInt64 = 0
    /// Pairs in which only the other side failed.
    public var better: UInt64 = 0
    /// Weighted votes, those of the pairs above.
    public var votes = 0.0
    /// The share by which worse exceeds better, by votes.
    public var excess = 0.0
    /// Its lower end, valid at any time.
    public var excessLower = -1.0
    /// Its upper end.
    public var excessUpper = 1.0
    /// The natural logarithm of the evidence that the candidate fails more often by more than the margin for errors.
    public var logEvidence = 0.0
}

/// The votes of one design.
public struct DesignCount: Sendable, Hashable {
    /// What differences were held against.
    public var design: VerdictDesign
    /// Pairs that could be.
    public var pairs: UInt64
    /// Weighted votes.
    public var votes: Double
    /// Pairs in which the candidate alone differs.
    public var worse: UInt64
    /// Pairs in which the reference alone does; in D1 the candidate's second answer.
    public var better: UInt64
}

/// Why a sampled request is not part of a verdict.
public enum MissedReason: String, Sendable, Hashable, CaseIterable {
    /// It was never sent: dropped on the way.
    case dropped
    /// Given up by the agent.
    case cancelled
    /// Production's answer was not seen whole.
    case production
    /// Left out by what does not depend on answers: the ramp, the back-off, a rate, a pause, a reload.
    case thinned
    /// Held back by the breaker, which opens on failures.
    case breaker
    /// The target answered 429, and production did not.
    case throttled
    /// The target gave no answer in time, and production took about as long.
    case slow
    /// No answer is recorded.
    case unanswered
    /// Production answered to a condition or a range (304, 206, 412, 416), which copies do not carry.
    case conditional
    /// Sent too long after production's answer.
    case lag
    /// The baseline gave no answer, and neither did the candidate; or no copy went to the baseline.
    case baseline

    /// Whether what is missing for this reason has nothing to do with what the target answers, so that the rest is a fair
    /// sample all the same.
    public var isIndependent: Bool {
        switch self {
        case .production, .thinned, .conditional: true
        case .dropped, .cancelled, .breaker, .throttled, .slow, .unanswered, .lag, .baseline: false
        }
    }

    /// Whether each request that is missing for this reason may be one that the target failed to answer, so that it counts
    /// against the target before a pass.
    var mayBeFailure: Bool {
        switch self {
        case .dropped, .slow, .unanswered, .lag: true
        case .cancelled, .production, .thinned, .breaker, .throttled, .conditional, .baseline: false
        }
    }
}

/// What the votes of the last hours say, beside those since the beginning.
public struct RecentVerdict: Sendable, Hashable {
    /// When these votes begin, in nanoseconds since the Unix epoch.
    public var since: Int64
    /// What is to be thought of the target by them.
    public var verdict: Verdict
    /// Why.
    public var reason: VerdictReason
    /// Requests compared.
    public var pairs: UInt64
    /// Those in which only the candidate fails.
    public var errorsWorse: UInt64
    /// Those in which only the candidate differs, or, where nothing is held against it, in which it differs.
    public var worse: UInt64
    /// Those in which only the reference differs.
    public var better: UInt64
}

/// What a target has been found to do; it stays so until the target is judged anew.
public struct LastingFinding: Sendable, Hashable {
    /// When it was first said, in nanoseconds since the Unix epoch.
    public var time: Int64
    /// When a pair last showed it.
    public var lastSeen: Int64?
}

/// What one place of a route's answers says.
public struct PlaceVerdict: Sendable, Hashable {
    /// The place.
    public var place: AnswerPlace
    /// How answers differ there, the most frequent first.
    public var kinds: [DifferenceKind]
    /// Pairs in which the candidate alone differs there.
    public var worse: UInt64
    /// Pairs in which the reference alone differs there.
    public var better: UInt64
    /// Pairs in which the candidate differs from production there.
    public var mismatches: UInt64
    /// Pairs among the worse ones in which only the candidate says again what it said before, where values should be new.
    public var repeats: UInt64
    /// The natural logarithm of the evidence that the candidate is worse there.
    public var logEvidence: Double
    /// The one-sided mid-p of McNemar's test, for a fixed look.
    public var midP: Double
    /// Whether values there vary among answers of one version, so that in pairs as wholes only their shape counts.
    public var isVolatile: Bool
    /// Whether the place fails, with the false discoveries among all places bounded.
    public var fails: Bool
    /// Whether it fails in a fixed look, by the procedure of Benjamini and Hochberg.
    public var failsFixedLook: Bool
}

/// The result of looking once at a sample that is finished.
public struct FixedLook: Sendable, Hashable {
    /// The one-sided mid-p of McNemar's test on worse and better votes.
    public var midP = 1.0
    /// Whether that is below the significance, and the excess above the margin.
    public var fails = false
}

/// How a candidate's latency compares with the baseline's.
public struct LatencyVerdict: Sendable, Hashable {
    /// What can be said.
    public enum Classification: String, Sendable, Hashable, CaseIterable {
        /// Too few pairs, the agent was too busy to measure the difference, or the candidate has not been slower for long enough.
        case unknown
        /// Neither is clearly slower.
        case similar
        /// The candidate is slower.
        case higher
        /// The candidate is faster.
        case lower
    }

    /// What can be said.
    public var classification: Classification
    /// Pairs of latencies seen.
    public var pairs: UInt64
    /// Pairs in which the candidate took longer.
    public var slower: UInt64
    /// Whether the candidate has taken longer so far by more than the margin, in more than half of the pairs.
    public var isSlowSoFar: Bool
    /// How many times as long the candidate takes: the Hodges–Lehmann estimate.
    public var ratio: Double
    /// The lower end of its interval, by Wilcoxon's signed ranks.
    public var ratioLower: Double
    /// The upper end.
    public var ratioUpper: Double
    /// The natural logarithm of the evidence that the candidate is slower.
    public var logEvidence: Double
    /// How long copies waited for their turn on average, in seconds.
    public var waitSeconds: Double
    /// The slowest answers.
    public var tail: Tail

    /// How many answers take longer than all but a twentieth of the baseline's.
    public struct Tail: Sendable, Hashable {
        /// Where the tail begins, in seconds; `nil` while too few latencies are known.
        public var boundSeconds: Double?
        /// The share of the candidate's answers beyond that.
        public var candidateShare: Double
        /// The share of the baseline's.
        public var baselineShare: Double
        /// The natural logarithm of the evidence that the candidate's share is larger by more than the margin.
        public var logEvidence: Double
        /// Whether that is certain.
        public var isHigher: Bool
    }
}

/// How often answers differ among those asked for with a certain lag.
public struct LagShare: Sendable, Hashable {
    /// The largest lag, in seconds; `nil` for all larger ones.
    public var upperSeconds: Double?
    /// Pairs with such a lag.
    public var pairs: UInt64
    /// Those of them that differ from production.
    public var mismatches: UInt64
}

/// A request whose answers differ, as somebody may try it again.
public struct AnswerExample: Sendable, Hashable {
    /// When the answers were there, in nanoseconds since the Unix epoch.
    public var time: Int64
    /// The method.
    public var method: String
    /// Production's status.
    public var productionStatus: Int
    /// The candidate's status, or the word for its failure.
    public var candidateOutcome: String
    /// The differences, at most eight.
    public var differences: [AnswerDifference]
    /// A curl line that repeats the request, redacted by whoever made it.
    public var curl: String
}
