// Wingmirror · Apache-2.0

public import HTTPReconstruction
public import PacketDecoding
internal import TrafficMetrics
public import TrafficModel

/// What an exchange was, once it is complete: plain values, and no octets of its messages.
///
/// Made once for each exchange of which more than metrics is made. Records, recordings, recent exchanges and mirroring all take
/// it, and where they need octets, the exchange beside it; metrics count the exchange itself (``TimedExchange``).
public struct ExchangeFacts: TimedExchange, Sendable {
    /// The connection it was seen on.
    public let connection: ConnectionFacts
    /// Its number on the connection.
    public let number: Int
    /// The protocol version.
    public let version: HTTPVersion
    /// Which route took the request; `nil` where the request was not seen.
    public let routed: RoutedRequest?
    /// The status of the final response, or of a 101; 0 without a response.
    public let status: Int
    /// Times and sizes of the request.
    public let request: MessageFigures
    /// Times and sizes of the response.
    public let response: MessageFigures
    /// What is missing or wrong.
    public let integrity: Integrity
    /// How it came out.
    let outcome: ExchangeOutcome
    /// What the connection carries from here on.
    public let successor: Exchange.Successor
    /// What the content is.
    public let contentKind: ContentKind
    /// The final status of a gRPC call; `nil` where there was none.
    public let grpcStatus: Int?
    /// The messages of a gRPC call's request.
    public let requestMessages: MessageCount
    /// The messages of a gRPC call's response.
    public let responseMessages: MessageCount

    /// Notes what is known of an exchange.
    init(
        _ exchange: borrowing Exchange,
        on connection: ConnectionFacts,
        tag: ExchangeTag,
        grpcErrors: GRPCStatusSet
    ) {
        self.connection = connection
        number = exchange.number
        version = exchange.version
        routed = tag.routed
        status = exchange.status
        hasResponse = exchange.hasResponse
        request = exchange.request
        response = exchange.response
        integrity =
            tag.routed?.hangsOnServerName ?? false
            ? exchange.integrity.union(.unknownServerName) : exchange.integrity
        successor = exchange.successor
        outcome = ExchangeOutcome(exchange, tag.answer, grpcErrors: grpcErrors)
        contentKind = exchange.contentKind
        grpcStatus = exchange.grpcStatus
        requestMessages = exchange.requestMessages
        responseMessages = exchange.responseMessages
    }

    /// Whether it is a gRPC call that no other can be held against.
    ///
    /// That is a streaming one, with more or fewer than one message in a direction, or one that ended without a status. An error
    /// may come without a message. gRPC-Web has its status within the content, and goes out like any other request.
    var isIncomparableCall: Bool {
        contentKind == .grpc && (requestMessages.seen != 1 || responseMessages.seen > 1 || grpcStatus == nil)
    }

    /// Whether the request's head was seen.
    public var hasRequest: Bool { routed != nil }

    /// Whether the head of the final response was seen.
    public let hasResponse: Bool

    /// How long a request waited that was never answered, until one side gave it up, in nanoseconds; `nil` where it was answered,
    /// or that is not known.
    public var unansweredNanoseconds: Int64? { outcome.unansweredNanoseconds(since: request.firstOctet) }

    /// How long an exchange lasted whose response one side broke off, in nanoseconds; `nil` of others, or where that is not known.
    public var brokenOffNanoseconds: Int64? {
        outcome.brokenOffNanoseconds(since: request.firstOctet, lastOctet: response.lastOctet)
    }

    /// Whether the gateway or what is behind it failed, as the metrics have it: what the client broke off and what the
    /// capture lost is not held against it.
    var isFailure: Bool { ErrorTypeLabel(outcome).isFailure }

    /// Whether it is known how the request was answered, or that it was not.
    public var isAnswerSeen: Bool { outcome.countedStatus >= 0 }

    /// How the exchange failed or was broken off, in the words of the metric label `error_type`; empty where it did not.
    public var errorType: String { ErrorTypeLabel(outcome).text }

    /// Whether it was answered with 4xx, for which the client is to blame, or a route that leads to the wrong place.
    package var isRefusal: Bool { status / 100 == 4 && !isFailure }
}

/// What the intervals of an exchange are measured by: its facts, or the exchange itself where only those are asked for.
public protocol TimedExchange: ~Copyable {
    /// Whether the request's head was seen.
    var hasRequest: Bool { get }
    /// Whether the head of the final response was seen.
    var hasResponse: Bool { get }
    /// Times and sizes of the request.
    var request: MessageFigures { get }
    /// Times and sizes of the response.
    var response: MessageFigures { get }
    /// What is missing or wrong.
    var integrity: Integrity { get }
    /// The status of the final response, or of a 101; 0 without a response.
    var status: Int { get }
    /// The messages of a gRPC call's response.
    var responseMessages: MessageCount { get }
}

extension Exchange: TimedExchange {}

/// The intervals that are reported; all times are those of packets.
extension TimedExchange where Self: ~Copyable {
    /// When the exchange began: the first octet of the request, or of the response where the request was not seen.
    public var startTime: PacketTime {
        hasRequest ? request.firstOctet : response.firstOctet
    }

    /// From the first octet of the request to the last of the response, in nanoseconds.
    public var durationNanoseconds: Int64? {
        hasTimes ? response.lastOctet.nanoseconds(since: request.firstOctet) : nil
    }

    /// From the first octet of the request to the first of the final response, in nanoseconds.
    public var firstByteNanoseconds: Int64? {
        hasTimes ? response.firstOctet.nanoseconds(since: request.firstOctet) : nil
    }

    /// From the last octet of the request to the first of the final response, in nanoseconds: how long the gateway thought.
    public var serverWaitNanoseconds: Int64? {
        hasTimes ? response.firstOctet.nanoseconds(since: request.lastOctet) : nil
    }

    /// From the first octet of the request to the end of the first message of the response, of a gRPC call.
    public var firstMessageNanoseconds: Int64? {
        hasTimes && responseMessages.seen > 0 ? responseMessages.first.nanoseconds(since: request.firstOctet) : nil
    }

    /// From the first octet of the request to the end of the last message of the response, of a gRPC call.
    public var lastMessageNanoseconds: Int64? {
        hasTimes && responseMessages.seen > 0 ? responseMessages.latest.nanoseconds(since: request.firstOctet) : nil
    }

    /// Whether both messages were seen, and their times do not run backwards.
    private var hasTimes: Bool {
        hasRequest && hasResponse && !integrity.contains(.clockUnreliable)
    }
}
