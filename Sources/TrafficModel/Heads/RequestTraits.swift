// Wingmirror · Apache-2.0

/// What the field lines of a request's head are known to hold, so that nobody looks through them for nothing.
public struct RequestTraits: OptionSet, Sendable, Hashable {
    /// One bit for each trait.
    public let rawValue: UInt16

    /// Makes a set of its bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// A field that may name a trace: `traceparent`, `b3` or `X-B3-TraceId`.
    public static let namesTrace = RequestTraits(rawValue: 1 << 0)
    /// The field `wingmirror-shadow`: an agent sent the request, no client.
    public static let isShadow = RequestTraits(rawValue: 1 << 1)
    /// Framing fields for which Envoy answers 400 or 501 by itself, or a head of HTTP/2 that it resets the stream for, so that
    /// no route takes the request.
    public static let isRefusedForFraming = RequestTraits(rawValue: 1 << 2)
    /// The method is not known: it was in a field block of which a part was not captured (HTTP/2).
    public static let methodUnknown = RequestTraits(rawValue: 1 << 3)
    /// The request target is not known, for the same reason.
    public static let targetUnknown = RequestTraits(rawValue: 1 << 4)
    /// The authority is not known, for the same reason.
    public static let authorityUnknown = RequestTraits(rawValue: 1 << 5)
    /// There are fields that are not known; they are not among the field lines.
    public static let fieldsUnknown = RequestTraits(rawValue: 1 << 6)
    /// CONNECT with a protocol and a path (RFC 8441 §4), which a proxy routes like the GET of an HTTP/1.1 upgrade.
    public static let isExtendedConnect = RequestTraits(rawValue: 1 << 7)
    /// More than one Host line, which Envoy joins with commas to one authority (RFC 9112 §3.2 asks for a 400).
    public static let hasSeveralHosts = RequestTraits(rawValue: 1 << 8)
    /// Connection says more than `close` or `keep-alive`, so that it may name fields that end with this hop (RFC 9110 §7.6.1).
    public static let hasConnectionOptions = RequestTraits(rawValue: 1 << 9)

    /// Of the fields that are not known only the names are not: their values are those of ``RequestView/unnamed``.
    public static let onlyNamesUnknown = RequestTraits(rawValue: 1 << 10)

    /// What makes an answer depend on fields that are not known.
    public static let anythingUnknown: RequestTraits = [
        .methodUnknown, .targetUnknown, .authorityUnknown, .fieldsUnknown,
    ]
}
