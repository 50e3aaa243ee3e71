// Wingmirror · Apache-2.0

public import HTTPMessages

/// One observation of a histogram that leads to a trace.
public struct Exemplar: Sendable, Hashable {
    /// The trace, which its caller recorded.
    public let trace: TraceContext
    /// When it was observed, in nanoseconds since the Unix epoch.
    public let observedAt: Int64
    /// What was observed, in the histogram's stored units.
    let storedValue: UInt64

    /// The labels of an exemplar: 63 characters with their names, well below the 128 that OpenMetrics allows.
    var labels: [(name: String, value: String)] {
        [("trace_id", trace.traceID), ("span_id", trace.spanID)]
    }
}
