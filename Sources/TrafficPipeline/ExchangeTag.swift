// Wingmirror · Apache-2.0

internal import ShadowTesting
internal import TrafficModel

/// What is remembered of an exchange from the head of its request to its end.
struct ExchangeTag: BitwiseCopyable, Sendable {
    /// Which route took the request; `nil` where the request was not seen.
    var routed: RoutedRequest?
    /// Which policies sampled the request.
    var selection = MirrorSelection.none
    /// The trace that the request belongs to, where it was read.
    var trace: TraceContext?
    /// What the head of the response says.
    var answer: AnswerTraits = []
}
