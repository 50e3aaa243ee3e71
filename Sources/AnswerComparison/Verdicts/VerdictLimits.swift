// Wingmirror · Apache-2.0

/// How much a verdict book may hold, and from how many observations it says something.
public struct VerdictLimits: Sendable, Hashable {
    /// Routes judged, each target and policy apart.
    ///
    /// An agent has some hundreds of routes; pairs of further ones are skipped.
    public var routes = 1024
    /// Places told apart on a route, at most 64; further ones are one place.
    ///
    /// A few dozen members differ in practice.
    public var places = 64
    /// Keys whose vote is remembered, over all routes; a key forgotten early may vote again.
    public var votes = 1 << 16
    /// Keys of which it is remembered what has prevailed for them, over all routes; half of them at least.
    public var keys = 1 << 16
    /// Answers of production's remembered for natural repeats, over all routes.
    public var repeats = 1024
    /// Their octets of content, over all routes.
    public var repeatOctets = 8 << 20
    /// How long after one answer of production's another counts as its repeat.
    public var repeatWindow: Duration = .seconds(10)
    /// Examples kept for a place; the page shows five for a route.
    public var examplesPerPlace = 5
    /// Examples kept over all routes.
    public var examples = 2048
    /// Octets of the request line and of the curl line of an example, each; longer ones are cut.
    public var exampleOctets = 2048
    /// Pairs of latencies kept for a route, a random choice of all.
    public var latencies = 1024
    /// Pairs of latencies below which nothing is said: a quantile of fewer means little.
    public var latencyPairs = 300
    /// Pairs of answers of one version from which a place is said to be volatile or stable: none that differ among 300
    /// still allow one in a hundred.
    public var learningPairs = 300
    /// The largest share of such pairs that may differ, by its upper Wilson bound, at a place that is called stable.
    public var volatileShare = 0.02
    /// Share of votes that may differ from production, 0 to 1, above which equal patterns of answers prove nothing without a
    /// baseline.
    public var steadyShare = 0.25
    /// Share of all votes, 0 to 1, that natural repeats must be before a target passes by them.
    public var naturalShare = 0.05
    /// Pairs set aside for the moments of asking below which these are not named as what stands in the way.
    public var apartPairs = 10
    /// Answers in a row with another version after which a target is judged anew; while two versions answer in turn, none is.
    public var versionAnswers = 20
    /// Openings of a breaker closer to each other than this are one event, however short its rest is.
    public var breakerRest: Duration = .seconds(30)
    /// Share of pairs in which staging turns away or fails what production answers, above which a target is not comparable.
    public var refusedShare = 0.2
    /// Pairs below which that share is not looked at.
    public var refusedPairs = 20
    /// Whether all that there is has been compared, as of a recording: then no more comes by waiting, and no percent is raised.
    public var isComplete = false

    /// Makes the defaults.
    public init() {}
}
