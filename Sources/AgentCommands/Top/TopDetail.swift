// Wingmirror · Apache-2.0

/// One route's past, as `top` shows it.
struct TopDetail: Sendable, Equatable {
    /// One step of the past.
    struct Point: Sendable, Equatable {
        /// When it begins, in nanoseconds since the Unix epoch.
        var start: Int64
        /// When it ends.
        var end: Int64
        /// Requests in it by class: `1xx` to `5xx`, and those without a response.
        var classes: [Class] = []
        /// Quantiles of the durations.
        var latency = LatencyQuantiles()
        /// How many requests took a time, by its bounds in seconds.
        var buckets: [Bucket] = []

        /// Requests.
        var requests: UInt64 { classes.reduce(0) { $0 + $1.requests } }
    }

    /// Requests with one class of status.
    struct Class: Sendable, Equatable {
        /// The word of the metric label.
        var word: String
        /// How many.
        var requests: UInt64
    }

    /// Requests that took about as long.
    struct Bucket: Sendable, Equatable {
        /// The bound that they are above, in seconds.
        var lower: Double
        /// The bound that they are not above.
        var upper: Double
        /// How many.
        var requests: UInt64
    }

    /// The route.
    var id: String
    /// The steps that were covered, in order.
    var points: [Point] = []
    /// Why there are none.
    var problem: String?
}
