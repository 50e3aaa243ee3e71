// Wingmirror · Apache-2.0

/// Bounds on what peers of the endpoints can make the agent hold or do.
public struct AdminLimits: Sendable, Hashable {
    /// The most connections at a time; more wait to be accepted.
    ///
    /// 384 leaves half as many again for scrapers, probes and single documents when `listeners` is reached.
    public var connections = 384
    /// The most open pages that are told of changes; more are answered 503.
    ///
    /// 256 is many times the engineers who look at one gateway at once. Each costs a connection and at most one event that
    /// waits, and events are shared.
    public var listeners = 256
    /// How often open pages are told of changes.
    public var eventInterval: Duration = .seconds(1)
    /// How long an open page may take to read one event before it is cut off.
    public var eventTimeout: Duration = .seconds(15)
    /// The most scrapes rendered at a time; more are answered 503.
    ///
    /// Four is more than the scrapers that usually meet, and bounds the memory of pages being rendered.
    public var scrapes = 4
    /// The most octets of a request's field section.
    public var fieldSectionBytes = 16_384
    /// The most field lines of a request.
    public var fieldCount = 100
    /// The most octets of a request's content; beyond it the connection is closed.
    ///
    /// Only a request to be explained has content: 64 KiB, as much as a head that the gateway would take.
    public var contentBytes = 65_536
    /// How long a connection may take for a whole request head, or lie idle between requests.
    public var idleTimeout: Duration = .seconds(75)
    /// How long a peer may take to read a response.
    public var responseTimeout: Duration = .seconds(60)
    /// How much earlier than the scraper's own timeout rendering must be done.
    public var scrapeMargin: Duration = .milliseconds(250)

    /// The defaults.
    public init() {}
}
