// Wingmirror · Apache-2.0

public import PacketDecoding
public import TCPReassembly
public import TrafficModel

/// What takes the exchanges that reconstruction puts together.
public protocol ExchangeSink: ~Copyable {
    /// What the sink remembers of an exchange from the head of its request to its end.
    ///
    /// Plain words, so that the packet path copies it without counting references.
    associatedtype Tag: BitwiseCopyable & Sendable

    /// A request's head is complete.
    /// - Parameters:
    ///   - request: The head; borrowed for the call only.
    ///   - connection: Where it came.
    ///   - time: When its first octet was captured.
    ///   - retention: How much of the exchange to keep; nothing, unless the sink sets it. It is no part of what is
    ///     returned, because the layout of a tuple with a generic part is looked up when the program runs.
    /// - Returns: What to remember of the exchange.
    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        retention: inout Retention
    ) -> Tag

    /// A response came whose request was not seen.
    ///
    /// - Parameters:
    ///   - connection: Where it came.
    ///   - retention: How much of it to keep; nothing, unless the sink sets it.
    /// - Returns: What to remember of the exchange.
    mutating func responseArrivedWithoutRequest(on connection: ConnectionFacts, retention: inout Retention) -> Tag

    /// A response's head is complete, of an interim response or of the final one.
    ///
    /// After a loss it may not be known yet which request it answers; the tag is then that of
    /// `responseArrivedWithoutRequest`.
    /// - Parameters:
    ///   - response: The head; borrowed for the call only.
    ///   - tag: What the sink remembers of the exchange.
    ///   - connection: Where it came.
    ///   - time: When its first octet was captured.
    mutating func responseArrived(
        _ response: borrowing ResponseView,
        tag: inout Tag,
        on connection: ConnectionFacts,
        at time: PacketTime
    )

    /// A trailer section is complete, of a request or of a response; borrowed for the call only.
    mutating func trailersArrived(_ trailers: borrowing TrailerView, tag: inout Tag, on connection: ConnectionFacts)

    /// A response that came without a request was found to answer one.
    /// - Parameters:
    ///   - response: What the sink remembered of the response.
    ///   - tag: What the sink remembers of the request, and from here on of the exchange.
    ///   - connection: Where both came.
    mutating func responsePaired(_ response: Tag, with tag: inout Tag, on connection: ConnectionFacts)

    /// An exchange has opened a WebSocket; it is complete when that is over.
    mutating func webSocketOpened(tag: Tag, on connection: ConnectionFacts)

    /// An exchange is complete, or will not be.
    ///
    /// HTTP/1 exchanges of one connection come in the order of their requests.
    /// - Parameters:
    ///   - exchange: The exchange; borrowed for the call only.
    ///   - tag: What the sink remembered of it.
    ///   - connection: Where it came.
    mutating func exchangeCompleted(_ exchange: borrowing Exchange, tag: Tag, on connection: ConnectionFacts)

    /// An exchange is complete, as in ``exchangeCompleted(_:tag:on:)``, which is asked first whether it can be taken without what is
    /// known of its connection: for most exchanges nobody asks for that, and to gather it is work.
    /// - Parameters:
    ///   - exchange: The exchange; borrowed for the call only.
    ///   - tag: What the sink remembered of it.
    /// - Returns: Whether the sink has taken it; if not, nothing has been done, and ``exchangeCompleted(_:tag:on:)`` follows.
    mutating func exchangeCounted(_ exchange: borrowing Exchange, tag: Tag) -> Bool

    /// It is known what a connection carries; called once, and again when it leaves HTTP.
    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: ConnectionFacts)

    /// Octets came that are read as no protocol.
    mutating func opaqueOctetsArrived(_ count: Int, _ reason: OpaqueReason, on connection: ConnectionFacts)

    /// One direction of a connection cannot be read, and the other is; called once for a connection.
    mutating func directionIsOpaque(_ reason: OpaqueReason, on connection: ConnectionFacts)

    /// A connection is over, after its last exchange.
    /// - Parameters:
    ///   - end: How it ended.
    ///   - wasRecognized: Whether `protocolRecognized` was called for it.
    ///   - connection: Which one.
    mutating func connectionClosed(_ end: ConnectionEnd, wasRecognized: Bool, on connection: ConnectionFacts)

    /// A stream could not be read on; it is read again from the next head that can be trusted.
    mutating func parsingFailed(_ failure: ParseFailure, on connection: ConnectionFacts)
}

extension ExchangeSink where Self: ~Copyable {
    /// Ignores the head of a response, as far as the exchange does not hold it.
    public mutating func responseArrived(
        _ response: borrowing ResponseView,
        tag: inout Tag,
        on connection: ConnectionFacts,
        at time: PacketTime
    ) {}

    /// Takes no exchange without what is known of its connection.
    public mutating func exchangeCounted(_ exchange: borrowing Exchange, tag: Tag) -> Bool { false }

    /// Ignores trailers.
    public mutating func trailersArrived(
        _ trailers: borrowing TrailerView,
        tag: inout Tag,
        on connection: ConnectionFacts
    ) {}

    /// Ignores that a direction cannot be read.
    public mutating func directionIsOpaque(_ reason: OpaqueReason, on connection: ConnectionFacts) {}

    /// Ignores that a WebSocket was opened.
    public mutating func webSocketOpened(tag: Tag, on connection: ConnectionFacts) {}

    /// Keeps what was remembered of the request.
    public mutating func responsePaired(_ response: Tag, with tag: inout Tag, on connection: ConnectionFacts) {}
}
