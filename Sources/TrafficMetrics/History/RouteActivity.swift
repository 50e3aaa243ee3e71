// Wingmirror · Apache-2.0

/// What a route did within a window of time, as a row of a table shows it.
public struct RouteActivity: Sendable {
    /// The route and its destination; `RouteLabels.overflow` for what has lost its name to the series limit.
    public let labels: RouteLabels
    /// What it did in the window.
    public let activity: TrafficActivity
    /// Requests since the agent began to count them.
    public let totalRequests: UInt64
    /// When the latest request began, in nanoseconds since the Unix epoch; `nil` before the first.
    public let lastRequestAt: Int64?
    /// Whether the route is no longer in the table.
    public let isRemoved: Bool
    /// Requests per second in each step of the trend that was asked for, the oldest first; `nil` where nobody looked.
    public let trend: [Double?]
}

/// What was counted of requests within a window of time.
public struct TrafficActivity: Sendable {
    /// How much of the window was covered by samples, in seconds; rates are taken over that.
    public let seconds: Double
    /// Requests.
    public let requests: UInt64
    /// Requests that failed: a status of 5xx, or no response for a reason on the wire.
    public let failures: UInt64
    /// Requests by class of status, in the order of `ResponseCodeClass.allCases`.
    public let requestsByClass: [UInt64]
    /// Octets of request content.
    public let requestBodyBytes: UInt64
    /// Octets of response content.
    public let responseBodyBytes: UInt64
    /// How long requests took.
    public let latency: LatencyDistribution

    /// Requests per second; `nil` when nothing of the window was covered.
    public var requestsPerSecond: Double? {
        seconds > 0 ? Double(requests) / seconds : nil
    }

    /// The share of requests that failed; `nil` without requests.
    public var errorShare: Double? {
        requests > 0 ? Double(failures) / Double(requests) : nil
    }

    /// Requests whose response has a class.
    public func requests(_ codeClass: ResponseCodeClass) -> UInt64 {
        requestsByClass[Int(codeClass.rawValue)]
    }

    init(_ counts: borrowing DenseCounts, seconds: Double, layout: HistogramLayout) {
        self.seconds = seconds
        requests = counts.requests
        failures = counts[.failures]
        requestsByClass = counts.requestsByClass
        requestBodyBytes = counts[.requestBody]
        responseBodyBytes = counts[.responseBody]
        latency = counts.latency(layout: layout)
    }
}

/// What all routes, and requests without one, did within a window of time.
public struct TrafficTotals: Sendable {
    /// What all routes did together.
    public let routes: TrafficActivity
    /// Requests that no route accounts for, by reason; without those that did not occur.
    public let unmatched: [UnmatchedReason: UInt64]
    /// What was captured.
    public let capture: CaptureReading

    /// Packets per second; `nil` when nothing of the window was covered.
    public var packetsPerSecond: Double? {
        routes.seconds > 0 ? Double(capture.packets) / routes.seconds : nil
    }

    /// All requests, with a route and without.
    public var requests: UInt64 {
        unmatched.values.reduce(routes.requests, +)
    }

    /// All requests per second; `nil` when nothing of the window was covered.
    public var requestsPerSecond: Double? {
        routes.seconds > 0 ? Double(requests) / routes.seconds : nil
    }
}

/// The steps of a trend, such as a sparkline.
public struct TrendShape: Sendable, Hashable {
    /// How many steps there are.
    public var steps: Int
    /// How long each is.
    public var step: Duration

    /// Makes a shape of its parts.
    public init(steps: Int, step: Duration) {
        self.steps = steps
        self.step = step
    }

    /// No trend.
    public static let none = TrendShape(steps: 0, step: .seconds(1))
}

/// What traffic did in one step of a timeline.
public struct TimelinePoint: Sendable {
    /// When the step begins, in nanoseconds since the Unix epoch.
    public let start: Int64
    /// When it ends; where the next step begins later, nobody looked in between.
    public let end: Int64
    /// What was done in it; `latency.buckets(perDoubling:)` is its column of a heatmap.
    public let activity: TrafficActivity
    /// Requests that no route accounts for, by reason; empty in the timeline of a route.
    public let unmatched: [UnmatchedReason: UInt64]
    /// What was captured, whatever the route.
    public let capture: CaptureReading
}
