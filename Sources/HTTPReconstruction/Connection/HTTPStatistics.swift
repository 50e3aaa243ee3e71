// Wingmirror · Apache-2.0

/// Figures of reconstruction that no exchange carries; they only grow.
public struct HTTPStatistics: Sendable, Hashable {
    /// Connections whose client and server were told apart by content, because their handshake was not captured.
    public internal(set) var guessedRoles = 0
    /// Octets that were passed over while looking for a head behind a hole or an error.
    public internal(set) var skippedOctets = 0
    /// Exchanges given up because too many were pending on their connection.
    public internal(set) var abandonedExchanges = 0
    /// Exchanges given up because those of all connections together took too much memory.
    public internal(set) var shedExchanges = 0
    /// Messages not kept until their exchange was over, though something asked for them, because those of all connections
    /// together took too much memory.
    public internal(set) var refusedMessages = 0
    /// Messages whose content was cut short for the same reason.
    public internal(set) var cutContents = 0
    /// Connections whose unfinished head, trailer section or undecided upgrade was given up, because those of all
    /// connections together took too much memory.
    public internal(set) var forgottenHeads = 0
    /// Connections that are read no further, because HTTP/2, WebSockets and PROXY headers of all connections together took too
    /// much memory.
    public internal(set) var forgottenConnections = 0
    /// Exchanges without durations: their times run backwards, are those of two clocks, or are missing.
    public internal(set) var unreliableClocks = 0
    /// Connections that began with a PROXY header.
    public internal(set) var proxyHeaders = 0
    /// PROXY headers that were wrong.
    public internal(set) var malformedProxyHeaders = 0

    /// What was counted of HTTP/2.
    public internal(set) var http2 = HTTP2Figures()

    /// Makes statistics of nothing.
    public init() {}

    /// Adds what another reconstructor counted of other connections.
    public mutating func add(_ other: HTTPStatistics) {
        guessedRoles += other.guessedRoles
        skippedOctets += other.skippedOctets
        abandonedExchanges += other.abandonedExchanges
        shedExchanges += other.shedExchanges
        refusedMessages += other.refusedMessages
        cutContents += other.cutContents
        forgottenHeads += other.forgottenHeads
        forgottenConnections += other.forgottenConnections
        unreliableClocks += other.unreliableClocks
        proxyHeaders += other.proxyHeaders
        malformedProxyHeaders += other.malformedProxyHeaders
        http2.add(other.http2)
    }
}
