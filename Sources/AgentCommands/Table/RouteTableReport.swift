// Wingmirror · Apache-2.0

/// What a run saw, route by route, ready to be printed.
struct RouteTableReport: Sendable {
    /// One rule of one object, and the requests it took.
    struct Row: Sendable {
        /// The object, as `namespace/name`.
        var object: String
        /// The route's name, or its number such as `#2`.
        var route: String
        /// What the rule matches, in short.
        var match: String
        /// Requests that the rule took.
        var requests: UInt64 = 0
        /// Those that failed: a status of 500 or more, or no answer although nothing of it was lost in capture.
        var errors: UInt64 = 0
        /// Others that were answered with 4xx.
        var refusals: UInt64 = 0
        /// Those whose answers were not seen, which are in no share.
        var unseen: UInt64 = 0
        /// Those of which it is known how they were answered.
        var known: UInt64 { requests - min(unseen, requests) }
        /// Whether nearly all answers were not seen: the few that are known are no sample of them, and shares and times no figures.
        var isHardlySeen: Bool { requests > 0 && Double(known) <= 0.1 * Double(requests) }
        /// Quantiles of the time from the first octet of the request to the last of the response.
        var latency = LatencyQuantiles()
        /// Octets of request content.
        var requestOctets: UInt64 = 0
        /// Octets of response content.
        var responseOctets: UInt64 = 0
    }

    /// Requests that no rule took, for one reason.
    struct Unmatched: Sendable {
        /// The reason, in the word of the metric label.
        var reason: String
        /// How many.
        var requests: UInt64
        /// Whether they arrived at the gateway, rather than pass by to a port on which no Gateway listens.
        var isArrival = true
        /// Classes of status, with how many got an answer of each.
        var answers: [(codeClass: String, requests: UInt64)] = []
    }

    /// One figure with its name.
    struct Figure: Sendable {
        /// What is counted.
        var name: String
        /// The figure, with its unit.
        var value: String
        /// Whether the figure is bad news.
        var isConcern = false
    }

    /// Figures about one subject.
    struct FigureGroup: Sendable {
        /// The subject.
        var title: String
        /// The figures.
        var figures: [Figure]
    }

    /// The rules, in the order of the table.
    var rows: [Row] = []
    /// What the figures leave out, a sentence each, for above the table.
    var warnings: [String] = []
    /// What keeps requests out of the table, in a sentence.
    var note: String?
    /// Why there are no rules, where there are none.
    var absence: String?
    /// Requests without a rule, by reason.
    var unmatched: [Unmatched] = []
    /// Seconds from the first packet to the last.
    var seconds = 0.0
    /// Figures of capture, connections and integrity.
    var groups: [FigureGroup] = []
}

/// How long requests took.
struct LatencyQuantiles: Sendable, Equatable {
    /// The median, in seconds.
    var p50: Double?
    /// The 95th percentile, in seconds.
    var p95: Double?
    /// The 99th percentile, in seconds.
    var p99: Double?
}
