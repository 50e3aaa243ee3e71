// Wingmirror · Apache-2.0

public import TrafficModel

/// One observation of a histogram that leads to a trace.
public struct Exemplar: Sendable, Hashable {
    /// The trace, which its caller recorded.
    public let trace: TraceContext
    /// When it was observed, in nanoseconds since the Unix epoch.
    public let observedAt: Int64
    /// What was observed, in the histogram's stored units.
    let storedValue: UInt64

    /// The names of the labels of an exemplar, which with their values of 32 and 16 digits have 63 characters: well below
    /// the 128 that OpenMetrics allows.
    static let traceLabel = "trace_id"
    static let spanLabel = "span_id"
}
