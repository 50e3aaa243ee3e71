// Wingmirror · Apache-2.0

/// What all routes, and requests without one, did within a window of time.
public struct TrafficTotals: Sendable {
    /// What all routes did together.
    public let routes: TrafficActivity
    /// Requests that no route accounts for, by reason; without those that did not occur.
    public let unmatched: [UnmatchedReason: UInt64]
    /// How those were answered that arrived at the gateway.
    public let unmatchedAnswers: UnmatchedAnswers
    /// What was captured.
    public let capture: CaptureReading

    /// Packets per second; `nil` when nothing of the window was covered.
    public var packetsPerSecond: Double? {
        routes.seconds > 0 ? Double(capture.packets) / routes.seconds : nil
    }

    /// Requests that arrived at the gateway, with a route and without.
    public var requests: UInt64 {
        unmatched.reduce(routes.requests) { $0 + ($1.key.isArrival ? $1.value : 0) }
    }

    /// Those per second; `nil` when nothing of the window was covered.
    public var requestsPerSecond: Double? {
        routes.seconds > 0 ? Double(requests) / routes.seconds : nil
    }

    /// Requests that arrived at the gateway and whose answers were not seen.
    public var unseen: UInt64 { routes.unseen &+ unmatchedAnswers.unseen }
}
