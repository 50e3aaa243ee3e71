// Wingmirror · Apache-2.0

public import HTTPMessages
public import PacketDecoding
public import TCPReassembly

/// A connection as its messages show it: who asks and who answers.
public struct HTTPConnectionIdentity: Sendable, Hashable {
    /// Numbers connections by first packet, from 0.
    public let number: Int
    /// The end that sends requests.
    public let client: Endpoint
    /// The end that answers.
    public let server: Endpoint
}

/// Why a connection's octets are not read as HTTP/1.x; a label value of `opaque_connections_total`.
public enum OpaqueReason: UInt8, Sendable, Hashable, CaseIterable {
    case tls
    /// HTTP/2 without TLS, by prior knowledge.
    case http2
    /// Neither side speaks a protocol that is known.
    case unknown
    /// Joined midstream, and no head was found.
    case midstream
    /// Left HTTP by an upgrade.
    case upgraded
    /// Left HTTP by CONNECT.
    case tunnel

    /// The value of the label `reason`.
    public var label: String {
        switch self {
        case .tls: "tls"
        case .http2: "http2"
        case .unknown: "unknown"
        case .midstream: "midstream"
        case .upgraded: "upgraded"
        case .tunnel: "tunnel"
        }
    }
}

/// What a connection was found to carry.
public enum ApplicationProtocol: Sendable, Hashable {
    case http1
    case opaque(OpaqueReason)
}

/// What takes the exchanges that reconstruction puts together.
public protocol ExchangeSink: ~Copyable {
    /// A request's head is complete.
    /// - Parameters:
    ///   - request: The head; borrowed for the call only.
    ///   - connection: Where it came.
    ///   - time: When its first octet was captured.
    /// - Returns: What to remember of the exchange, and how much of it to keep.
    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: HTTPConnectionIdentity,
        at time: PacketTime
    ) -> (tag: RequestTag, retention: Retention)

    /// A response came whose request was not seen; the answer says how much of it to keep.
    mutating func responseArrivedWithoutRequest(on connection: HTTPConnectionIdentity) -> (
        tag: RequestTag, retention: Retention
    )

    /// An exchange is complete, or will not be.
    ///
    /// Exchanges of one connection come in the order of their requests.
    mutating func exchangeCompleted(_ exchange: borrowing Exchange, on connection: HTTPConnectionIdentity)

    /// It is known what a connection carries; called once, and again when it leaves HTTP.
    mutating func protocolRecognized(_ application: ApplicationProtocol, on connection: HTTPConnectionIdentity)

    /// Octets came that are not HTTP/1.x.
    mutating func opaqueOctetsArrived(_ count: Int, _ reason: OpaqueReason, on connection: HTTPConnectionIdentity)

    /// A connection is over, after its last exchange was told.
    /// - Parameters:
    ///   - end: How it ended.
    ///   - wasRecognized: Whether `protocolRecognized` was called for it.
    ///   - connection: Which one.
    mutating func connectionClosed(
        _ end: ConnectionEnd,
        wasRecognized: Bool,
        on connection: HTTPConnectionIdentity
    )

    /// A stream could not be read on; it is read again from the next head that can be trusted.
    mutating func parsingFailed(_ failure: ParseFailure, on connection: HTTPConnectionIdentity)
}
