// Wingmirror · Apache-2.0

/// What was counted of requests within a window of time.
public struct TrafficActivity: Sendable {
    /// How much of the window was covered by samples, in seconds; rates are taken over that.
    public let seconds: Double
    /// Requests.
    public let requests: UInt64
    /// Requests that failed: a status of 5xx, or no response for a reason on the wire.
    public let failures: UInt64
    /// Requests whose answer was not seen, which is the observer's fault: they are in no share.
    public let unseen: UInt64
    /// Requests by class of status, in the order of `ResponseCodeClass.allCases`; those not seen are of class `none` here.
    private let requestsByClass: [UInt64]
    /// How long requests took.
    public let latency: LatencyDistribution

    /// Requests per second; `nil` when nothing of the window was covered.
    public var requestsPerSecond: Double? {
        seconds > 0 ? Double(requests) / seconds : nil
    }

    /// Requests of which it is known how they came out.
    var knownRequests: UInt64 { requests - min(unseen, requests) }

    /// The share of requests that failed, of those of which that is known; `nil` without any.
    public var errorShare: Double? {
        knownRequests > 0 ? Double(failures) / Double(knownRequests) : nil
    }

    /// Requests whose response has a class; of class `none` are those that had no response.
    public func requests(_ codeClass: ResponseCodeClass) -> UInt64 {
        let count = requestsByClass[Int(codeClass.rawValue)]
        return codeClass == .none ? count - min(unseen, count) : count
    }

    /// The share of requests whose response has a class, of those of which that is known; `nil` without any.
    public func share(of codeClass: ResponseCodeClass) -> Double? {
        knownRequests > 0 ? Double(self.requests(codeClass)) / Double(knownRequests) : nil
    }

    /// Requests by how they were answered: the class of status, `none` without a response, and `unknown` where that was not seen.
    public var requestsByAnswer: [(word: String, requests: UInt64)] {
        ResponseCodeClass.allCases.map { ($0.text, requests($0)) } + [("unknown", unseen)]
    }

    init(_ counts: borrowing DenseCounts, seconds: Double, layout: HistogramLayout) {
        self.seconds = seconds
        requests = counts.requests
        failures = counts[.failures]
        unseen = counts[.unseen]
        requestsByClass = counts.requestsByClass
        latency = counts.latency(layout: layout)
    }
}
