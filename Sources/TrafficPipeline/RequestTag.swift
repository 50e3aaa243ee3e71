// Wingmirror · Apache-2.0

internal import TrafficModel

/// What the router decides of a request at its head, and gets back with its exchange.
struct RequestTag: BitwiseCopyable, Sendable {
    /// The decision, as ``RoutedRequest`` packs it.
    var rawValue: UInt64 = 0
    /// What the mirroring plan selected.
    var second: UInt64 = 0
    /// More of it.
    var third: UInt64 = 0
    /// The trace that the request belongs to, where it was read.
    var trace: TraceContext?
}
