// Wingmirror · Apache-2.0

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

    /// The share of requests whose response has a class; `nil` without requests.
    public func share(of codeClass: ResponseCodeClass) -> Double? {
        requests > 0 ? Double(self.requests(codeClass)) / Double(requests) : nil
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
