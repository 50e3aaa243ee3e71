// Wingmirror · Apache-2.0

/// What traffic did in one step of a timeline.
public struct TimelinePoint: Sendable {
    /// When the step begins, in nanoseconds since the Unix epoch.
    public let start: Int64
    /// When it ends; where the next step begins later, nobody looked in between.
    public let end: Int64
    /// What was done in it; `latency.buckets(perDoubling:)` is its column of a heatmap.
    public let activity: TrafficActivity
}
