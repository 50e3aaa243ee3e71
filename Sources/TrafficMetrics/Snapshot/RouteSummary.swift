// Wingmirror · Apache-2.0

/// What a table for people says of one route.
public struct RouteSummary: Sendable {
    /// The route and its destination; `RouteLabels.overflow` for what has lost its name to the series limit.
    public let labels: RouteLabels
    /// Requests attributed to the route.
    public let requestCount: UInt64
    /// Requests that failed: a status of 5xx, or a response that the server's side never gave or broke off.
    ///
    /// What clients broke off and what the capture lost is not held against the route.
    public let failureCount: UInt64
    /// How many requests that did not fail were answered with 4xx.
    public let refusalCount: UInt64
    /// Requests whose answer the capture has not; they are in no share.
    public let unseenCount: UInt64
    /// Octets of request content.
    public let requestBodyBytes: UInt64
    /// Octets of response content.
    public let responseBodyBytes: UInt64
    /// When the first request began, in nanoseconds since the Unix epoch; `nil` before it.
    public let firstRequestAt: Int64?
    /// When the latest request began.
    public let lastRequestAt: Int64?
    /// Durations of all classes of status together; `quantile(_:)` gives seconds.
    public let durations: HistogramSnapshot

    init(labels: RouteLabels, reading: RouteReading, layout: ShardLayout) {
        self.labels = labels
        // 2^64 requests are out of reach, of the parts as of the whole.
        requestCount = reading.requests.reduce(0) { $0 &+ $1.count }
        failureCount = reading.requests.reduce(0) { $0 &+ ($1.combination.isFailure ? $1.count : 0) }
        refusalCount = reading.requests.reduce(0) { sum, request in
            let isRefusal = !request.combination.isFailure && request.combination.code.codeClass == .clientError
            return sum &+ (isRefusal ? request.count : 0)
        }
        unseenCount = reading.requests.reduce(0) { $0 &+ ($1.combination.code == .unknown ? $1.count : 0) }
        requestBodyBytes = reading.requestBody?.storedSum ?? 0
        responseBodyBytes = reading.responseBody?.storedSum ?? 0
        firstRequestAt = reading.firstRequest
        lastRequestAt = reading.lastRequest
        var durations = HistogramSnapshot(layout: layout.duration)
        for (_, histogram) in reading.durations {
            durations.add(histogram)
        }
        self.durations = durations
    }
}

/// How many requests of a route came out in ways that somebody wants to look into.
public struct RouteErrorCounts: Sendable, Hashable {
    /// Those that failed, as ``RouteSummary/failureCount`` has them.
    public var failures: UInt64 = 0
    /// Others that were answered with 4xx.
    public var refusals: UInt64 = 0

    /// Nothing.
    public init() {}
}

/// How many requests no route accounts for, for one Gateway and one reason.
public struct UnmatchedSummary: Sendable, Hashable {
    /// The Gateway as `namespace/name`; empty for none.
    public let gateway: String
    /// Why no route accounts for them.
    public let reason: UnmatchedReason
    /// How many there are by how they were answered; without classes that did not occur.
    public let requestsByClass: [ResponseCodeClass: UInt64]
    /// How many there are.
    public var requestCount: UInt64 { requestsByClass.values.reduce(0, &+) }
}

extension MetricsRegistry {
    /// What every route with series has done so far, ordered by labels; does not count as a scrape.
    public func routeSummaries() -> [RouteSummary] {
        let records = withState { $0.routes.exposed }.sorted { $0.labels < $1.labels }
        var copy = RouteCopy()
        var summaries = records.map { record in
            let reading = record.cells.read(layout: layout, copy: &copy)
            return RouteSummary(labels: record.labels, reading: reading, layout: layout)
        }
        let overflow = shards.map(\.overflow).read(layout: layout, copy: &copy)
        if !overflow.requests.isEmpty {
            summaries.append(RouteSummary(labels: .overflow, reading: overflow, layout: layout))
        }
        return summaries
    }

    /// What was counted so far of the errors of some routes; those without series of their own are not in it.
    public func errorCounts(of routes: Set<RouteLabels>) -> [RouteLabels: RouteErrorCounts] {
        let records = withState { $0.routes.exposed }.filter { routes.contains($0.labels) }
        var copy = RouteCopy()
        var counts: [RouteLabels: RouteErrorCounts] = [:]
        for record in records {
            for request in record.cells.read(layout: layout, copy: &copy).requests {
                // 2^64 requests are out of reach.
                if request.combination.isFailure {
                    counts[record.labels, default: RouteErrorCounts()].failures &+= request.count
                } else if request.combination.code.codeClass == .clientError {
                    counts[record.labels, default: RouteErrorCounts()].refusals &+= request.count
                }
            }
        }
        return counts
    }

    /// How many requests were attributed to routes so far: the sum of the summaries, without making them.
    ///
    /// A status is asked for more often than a list of ten thousand routes.
    public var routedRequestCount: UInt64 {
        withState { $0.routes.requestCount } &+ shards.reduce(0) { $0 &+ $1.overflow.requestCount }
    }

    /// How many requests no route accounts for, where there are any.
    public func unmatchedSummaries() -> [UnmatchedSummary] {
        let gateways = withState { $0.gateways.records }.compactMap { $0 }.map { ($0.name, $0.cells) }
        let overflow = (LabelValue.overflow, shards.map(\.overflowGateway))
        return (gateways.sorted { $0.0 < $1.0 } + [overflow]).flatMap { name, cells in
            UnmatchedReason.allCases.compactMap { reason in
                var requests: [ResponseCodeClass: UInt64] = [:]
                for codeClass in ResponseCodeClass.allCases {
                    // 2^64 requests are out of reach.
                    let count = cells.reduce(0) { $0 &+ $1.requestsUnmatched(reason, codeClass) }
                    if count > 0 { requests[codeClass] = count }
                }
                guard !requests.isEmpty else { return nil }
                return UnmatchedSummary(gateway: name, reason: reason, requestsByClass: requests)
            }
        }
    }
}
