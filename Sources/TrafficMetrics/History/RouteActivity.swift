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
