// Wingmirror · Apache-2.0

public import HTTPReconstruction
public import PacketDecoding
public import RouteAttribution
public import TrafficModel

/// An exchange that was kept to be looked at.
public final class RecentExchange: Sendable {
    /// Counts those kept, from 0; later ones have larger numbers.
    public let number: Int
    /// The connection it was seen on.
    public let connection: ConnectionFacts
    /// Its number on the connection.
    public let exchange: Int
    /// When its first octet was captured.
    public let startTime: PacketTime
    /// The protocol version.
    public let version: HTTPVersion
    /// The head of the request; `nil` where it was not kept, as only the failure drew attention.
    public let request: RecentMessage?
    /// The head of the response; `nil` where there was none, or it was not kept.
    public let response: RecentMessage?
    /// The status of the response; `nil` without one.
    public let status: Int?
    /// Octets of the request's content.
    public let requestContentOctets: Int64
    /// Octets of the response's content.
    public let responseContentOctets: Int64
    /// From the first octet of the request to the first of the response, in nanoseconds.
    public let firstByteNanoseconds: Int64?
    /// From the first octet of the request to the last of the response, in nanoseconds.
    public let durationNanoseconds: Int64?
    /// What is missing or wrong.
    public let integrity: Integrity
    /// The route that took the request; `nil` if none did.
    public let route: CompiledRoute?
    /// Why it is attributed as it is.
    public let reason: RouteReason

    /// Keeps what is worth looking at of `exchange`.
    init(
        _ exchange: borrowing Exchange,
        on connection: ConnectionFacts,
        number: Int,
        route: CompiledRoute?,
        reason: RouteReason,
        request: RecentMessage?,
        response: RecentMessage?
    ) {
        self.number = number
        self.connection = connection
        self.exchange = exchange.number
        startTime = exchange.startTime
        version = exchange.version
        self.request = request
        self.response = response
        status = exchange.hasResponse ? exchange.status : nil
        requestContentOctets = exchange.request.contentOctets
        responseContentOctets = exchange.response.contentOctets
        firstByteNanoseconds = exchange.responseFirstByteNanoseconds
        durationNanoseconds = exchange.durationNanoseconds
        integrity = exchange.integrity
        self.route = route
        self.reason = reason
    }
}
