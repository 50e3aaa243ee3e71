// Wingmirror · Apache-2.0

/// Bounds on what peers of the endpoints can make the agent hold or do.
public struct AdminLimits: Sendable, Hashable {
    /// The most connections at a time; more wait to be accepted.
    ///
    /// 64 is many times what scrapers and probes need.
    public var connections = 64
    /// The most scrapes rendered at a time; more are answered 503.
    ///
    /// Four is more than the scrapers that usually meet, and bounds the memory of pages being rendered.
    public var scrapes = 4
    /// The most octets of a request's field section.
    public var fieldSectionBytes = 16_384
    /// The most field lines of a request.
    public var fieldCount = 100
    /// The most octets of a request's content, which no endpoint needs; beyond it the connection is closed.
    public var contentBytes = 4096
    /// How long a connection may take for a whole request head, or lie idle between requests.
    public var idleTimeout: Duration = .seconds(75)
    /// How long a peer may take to read a response.
    public var responseTimeout: Duration = .seconds(60)
    /// How much earlier than the scraper's own timeout rendering must be done.
    public var scrapeMargin: Duration = .milliseconds(250)

    /// The defaults.
    public init() {}
}
