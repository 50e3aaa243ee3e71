// Wingmirror · Apache-2.0

/// Bounds on what peers of the endpoints can make the agent hold or do.
public struct AdminLimits: Sendable, Hashable {
    /// The most connections at a time; another takes the place of the one that has been of no use for longest.
    ///
    /// 384 leaves half as many again for scrapers, probes and single documents when `listeners` is reached.
    public var connections = 384
    /// How many of them only this machine can have, from which probes come.
    public var reservedConnections = 32
    /// The most connections of one peer that is not this machine: an IPv4 address, or a /64 network of IPv6.
    ///
    /// A gateway in between makes one peer of many people: 64 is as many as have the page open at once.
    public var connectionsPerPeer = 64
    /// How long a connection that is in use keeps its place when the places run out.
    public var evictionGrace: Duration = .seconds(2)
    /// The most open pages that are told of changes; more are answered 503.
    ///
    /// 256 is many times the engineers who look at one gateway at once. Each costs a connection and at most one event that
    /// waits, and events are shared.
    public var listeners = 256
    /// How often open pages are told of changes.
    public var eventInterval: Duration = .seconds(1)
    /// How long an open page may take to read one event before it is cut off.
    public var eventTimeout: Duration = .seconds(15)
    /// The most pages of metrics at a time, being rendered or waiting to be read; more are answered 503.
    ///
    /// Scrapers of one moment and format share a page. Four is more than the formats that usually meet.
    public var scrapes = 4
    /// How many of them one peer that is not this machine may have asked for; scrapers that share a page count once.
    ///
    /// One less than all: a peer that asks for every format in turn would keep the others out.
    public var scrapesPerPeer = 3
    /// How long rendering a page may take at least, whatever the scraper says that it waits for.
    ///
    /// Those who ask meanwhile share the page, so that one with a very short time would end it for all. Ten seconds are
    /// Prometheus' own timeout.
    public var leastRenderTime: Duration = .seconds(10)
    /// How old a page of metrics may be that another scraper shares.
    public var scrapeSharing: Duration = .seconds(1)
    /// The most octets of documents that wait to be read; more are answered 503.
    public var documentBytes = 64 << 20
    /// The most octets of a request's field section.
    public var fieldSectionBytes = 16_384
    /// The most field lines of a request.
    public var fieldCount = 100
    /// The most octets of a request's content; one with more is refused, and its connection is closed.
    ///
    /// Only a request to be explained has content: 64 KiB, as much as a head that the gateway would take.
    public var contentBytes = 65_536
    /// The most requests that a connection may send ahead of their responses; one that sends more is closed.
    ///
    /// No browser, scraper or probe sends any ahead. A piece that is read from a connection can hold thousands, of which each
    /// takes an object and a turn before the next connection has one.
    public var pipelinedRequests = 16
    /// How long a new connection may take for its first whole request head.
    public var headTimeout: Duration = .seconds(10)
    /// How long a connection may lie idle between requests.
    public var idleTimeout: Duration = .seconds(75)
    /// How long a peer may take to read a response.
    public var responseTimeout: Duration = .seconds(30)
    /// How much earlier than the scraper's own timeout rendering must be done.
    public var scrapeMargin: Duration = .milliseconds(250)

    /// The defaults.
    public init() {}
}
