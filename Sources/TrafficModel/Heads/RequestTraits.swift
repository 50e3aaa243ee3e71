// Wingmirror · Apache-2.0

/// What the field lines of a request's head are known to hold, so that nobody looks through them for nothing.
public struct RequestTraits: OptionSet, Sendable, Hashable {
    /// One bit for each trait.
    public let rawValue: UInt8

    /// Makes a set of its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// A field that may name a trace: `traceparent`, `b3` or `X-B3-TraceId`.
    public static let namesTrace = RequestTraits(rawValue: 1 << 0)
    /// The field `wingmirror-shadow`: an agent sent the request, no client.
    public static let isShadow = RequestTraits(rawValue: 1 << 1)
    /// Framing fields for which Envoy answers 400 or 501 by itself, so that no route takes the request.
    public static let isRefusedForFraming = RequestTraits(rawValue: 1 << 2)
}
