// Wingmirror · Apache-2.0

/// What a registry has counted of the traffic so far, as far as it changed.
struct TrafficReading: Sendable {
    /// The routes that counted something since the reading before, or are new.
    var routes: [Route] = []
    /// The routes that the registry has no longer.
    var removed: [RouteLabels] = []
    /// Requests that no route accounts for, by reason; all of them.
    var unmatched = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)
    /// How they were answered; all of them.
    var answers = UnmatchedAnswers()

    /// A route and all that it has counted.
    struct Route: Sendable {
        var labels: RouteLabels
        var counts: RouteCounts
        /// When the latest request began.
        var lastRequestAt: Int64?
        /// Whether the counters are others than before, at zero when they began.
        var hasBegunAgain = false
    }
}
