// Wingmirror · Apache-2.0

/// Bounds on what reconstruction keeps; each has a counter for the times that it was met.
public struct HTTPLimits: Sendable, Hashable {
    /// Octets of a head, or of a trailer section.
    ///
    /// Also of what a client sends while an upgrade is undecided. 64 KiB is what Envoy allows by default (60 KiB), and
    /// some room.
    public var headOctets = 64 << 10

    /// Octets of memory that heads, trailer sections and undecided upgrades of all connections take together while they
    /// are not complete.
    ///
    /// 32 MiB: half of what reassembly may hold. Heads come in one segment or a few, so that ordinary traffic holds a few
    /// hundred at a time; whoever sends many and never ends them could otherwise take `headOctets` of memory with each
    /// connection. Beyond it the one that has waited longest is given up; counted in `HTTPStatistics.forgottenHeads`.
    public var heldOctets = 32 << 20

    /// Octets of memory that HTTP/2, WebSockets and PROXY headers in progress take of all connections together: header tables,
    /// field blocks in progress, streams, and what is known of each connection beyond what HTTP/1 needs.
    ///
    /// 128 MiB: ten thousand HTTP/2 connections whose tables are full, many more as they usually are. Beyond it the connection
    /// that was silent longest is read no further, and its octets are counted as those of any other that nobody reads;
    /// counted in `HTTPStatistics.forgottenConnections`.
    public var readerOctets = 128 << 20

    /// Exchanges of one connection that are not complete.
    ///
    /// The oldest is told as it stands when another begins. 100 is what Zeek allows; Envoy answers no more pipelined
    /// requests than a few.
    public var pendingExchanges = 100

    /// Exchanges of all connections that are not complete, some 320 octets each.
    ///
    /// Beyond it a connection that begins another gives up those it has (`HTTPStatistics.shedExchanges`): whoever pipelines
    /// without reading answers makes the room himself. A million is as many as connections.
    public var openExchanges = 1 << 20

    /// Octets of memory that heads and contents kept of exchanges in progress take together.
    ///
    /// Contents may take three quarters of it; beyond that the content that has been kept for longest is given up, and beyond
    /// all of it, or where heads leave contents less than a quarter, the message, for the next. Both are counted, and the second
    /// marked `limitReached`. 128 MiB: eight contents of the largest size that records keep.
    public var retainedOctets = 128 << 20

    /// Streams of one HTTP/2 connection while exchanges take all the memory that they may.
    public var crowdedStreams = 16

    /// Interim responses of one exchange whose status is kept; what comes beyond is marked `limitReached`.
    public static let interimStatuses = 64

    /// Nanoseconds without a response after which nothing asked of a connection is taken to be open.
    ///
    /// Asked only after a loss, on a connection whose client keeps several requests open. Five seconds are longer than
    /// gateways let people wait, as a rule.
    public var quietNanoseconds: Int64 = 5_000_000_000

    /// The same where it is known how long the server takes; then eight times that is waited for, and at least this.
    public var leastQuietNanoseconds: Int64 = 20_000_000

    /// Octets that a connection joined midstream may show without a head before only segment starts are looked at.
    public var midstreamSearchOctets = 64 << 10

    /// Streams of one HTTP/2 connection that are not over.
    ///
    /// The oldest is emitted as it stands when another begins. Envoy announces 1,024.
    public var liveStreams = 1_100

    /// Makes limits of their defaults.
    public init() {}
}
