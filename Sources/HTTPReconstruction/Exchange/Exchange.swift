// Wingmirror · Apache-2.0

public import PacketDecoding
internal import Synchronization
public import TrafficModel

/// A request and its response, or one of them where the other was not seen.
public struct Exchange: ~Copyable {
    /// Counts the exchanges of a connection from 0, in the order in which their requests begin.
    public internal(set) var number = 0
    /// The stream of HTTP/2; 0 of HTTP/1.x.
    public internal(set) var stream: UInt32 = 0
    /// The protocol version of the request; of the response where there is no request.
    public internal(set) var version = HTTPVersion.http11
    /// What is missing or wrong; empty for an exchange seen whole.
    public internal(set) var integrity: Integrity = []

    /// Whether the request's head was seen.
    public internal(set) var hasRequest = false
    /// The method, where the request was seen.
    public internal(set) var method = RequestMethod.other
    /// What is known of the request beside its octets.
    public internal(set) var request = MessageFigures()
    /// Whether the request was seen to its end, where its framing puts that, whatever became of the response.
    public internal(set) var isRequestEnded = false
    /// Whether the response's final head was seen.
    public var hasResponse: Bool { status != 0 || isStatusUnknown }
    /// The status code of the final response, or of a 101; 0 when none was seen.
    public internal(set) var status = 0
    /// Whether a final head was seen whose status is not known (HTTP/2).
    public internal(set) var isStatusUnknown = false
    /// The status of gRPC, 0 to 16; `nil` where there was none or none that gRPC has, or the exchange is not gRPC.
    public var grpcStatus: Int? { 0...16 ~= grpcCode ? Int(grpcCode) : nil }
    /// Whether there was a status of gRPC that is none of its own; clients take it for UNKNOWN.
    public var hasOtherGRPCStatus: Bool { grpcCode == GRPCStatus.other }
    /// What is known of the response beside its octets.
    public internal(set) var response = MessageFigures()
    /// What the content is: gRPC by the request's media type, server-sent events by the response's.
    public internal(set) var contentKind = ContentKind.other
    /// The messages of a gRPC call's request.
    public internal(set) var requestMessages = MessageCount()
    /// The messages of a gRPC call's response.
    public internal(set) var responseMessages = MessageCount()
    /// Statuses of interim responses, in order, without a 101 that ended HTTP.
    public internal(set) var interim: [UInt16] = []
    /// How the exchange was broken off; `nil` where it was not, or where that was not seen.
    public internal(set) var earlyEnd: EarlyEnd?
    /// What the WebSocket carried that the exchange opened; `nil` for any other.
    public internal(set) var webSocket: WebSocketTunnel?
    /// What the connection became after this exchange.
    public internal(set) var successor = Successor.http

    /// The octets of the request, if the sink asked to keep them.
    public internal(set) var retainedRequest: RetainedMessage?
    /// The octets of the response, if the sink asked to keep them.
    public internal(set) var retainedResponse: RetainedMessage?

    /// What a connection carries after an exchange.
    public enum Successor: UInt8, Sendable {
        case http
        case webSocket
        /// Another protocol that Upgrade named.
        case upgraded
        /// Whatever CONNECT was asked for.
        case tunnel
    }

    // MARK: - While the exchange is in progress

    /// The exchange after this one on its connection, or -1.
    var next: Int32 = -1
    /// The stream offset after the request's head: what a server must have received to answer.
    var requestHeadEnd: Int64 = 0
    var requestStart = MessageStart()
    var responseStart = MessageStart()
    var isRequestComplete = false
    var isResponseComplete = false
    var expectsContinue = false
    /// Whether the connection ends behind the response, as the request or the response says.
    var closesConnection = false
    var upgrade = UpgradeProtocol.none
    /// Whether requests may be missing between the one before and this one.
    var followsRequestBreak = false
    /// Whether the server had received its head when octets came in front of it: its answer may have been among those.
    var mayBeAnsweredBefore = false
    /// Whether its request is stamped long before octets of the server that its client had received.
    var followsSetback = false
    /// Whether responses may be missing between the one before and this one.
    var followsResponseBreak = false
    var retention = Retention.none
    /// The status of gRPC, or -1.
    var grpcCode: Int8 = -1
    /// Says nothing: what has an atom is used where it lies, and anything else is copied to be made and to be lent, which for so many
    /// octets costs more than what is done with them.
    private let stays = Atomic<UInt8>(0)

    /// Whether nothing has to be released when it ends, as with most exchanges; all other properties are plain words.
    var holdsNothing: Bool {
        interim.capacity == 0 && retainedRequest == nil && retainedResponse == nil && webSocket == nil
    }

    /// Keeps a status that came before the final response; beyond the limit it is only marked that there were more.
    mutating func interimArrived(_ status: Int) {
        if interim.count < HTTPLimits.interimStatuses {
            interim.append(UInt16(clamping: status))
        } else {
            integrity.insert(.limitReached)
        }
    }

    /// Whether its times run backwards: the clock was set, or two sources have two clocks.
    var runsBackwards: Bool {
        request.lastOctet < request.firstOctet || response.lastOctet < response.firstOctet
            || hasRequest && hasResponse && response.firstOctet < request.firstOctet || isStampedAlone
    }

    /// Whether the request's time lies far before that of the answer that it follows, and far before its own answer's.
    ///
    /// A clock that was set back stays there; where the answer comes by the former clock again, the request alone is stamped wrong, and
    /// the time between is none that anybody waited.
    private var isStampedAlone: Bool {
        followsSetback && hasResponse && response.firstOctet.nanoseconds(since: request.firstOctet) > Self.setback
    }

    /// How far times go back, in nanoseconds, where a clock was set back; less is disorder.
    static var setback: Int64 { 1_000_000_000 }

    /// Notes what the head of the request says.
    mutating func requestArrived(_ head: MessageHead, at start: MessageStart, endingAt time: PacketTime) {
        hasRequest = true
        version = head.version
        method = head.knownMethod
        upgrade = head.upgrade
        // gRPC itself needs HTTP/2.
        if head.contentKind.isGRPCWeb {
            contentKind = head.contentKind
            // Content is passed over, unless it is kept.
            requestMessages.lose()
            responseMessages.lose()
        }
        expectsContinue = head.expectsContinue
        closesConnection = head.closesConnection
        requestStart = start
        requestHeadEnd = start.offset + Int64(head.length)
        request.firstOctet = start.time
        request.lastOctet = time
        if head.framingConflicts { integrity.insert(.framingConflict) }
    }
}

/// What is known of a message beside its octets.
public struct MessageFigures: Sendable, Hashable {
    /// When its first octet was captured.
    public internal(set) var firstOctet = PacketTime(nanoseconds: 0)
    /// When its last octet was captured, or the last that was seen.
    public internal(set) var lastOctet = PacketTime(nanoseconds: 0)
    /// Octets of content, without transfer coding, with those that framing let a hole skip.
    public internal(set) var contentOctets: Int64 = 0
    /// Field lines of the head as sent.
    public var fieldCount: Int { Int(fieldLines) }
    /// Field lines of the trailer section.
    public var trailerCount: Int { Int(trailerLines) }

    /// The counts, bounded by the octets of a head, which are fewer than 2³².
    var fieldLines: UInt32 = 0
    var trailerLines: UInt32 = 0

    /// Counts lines of trailers; a stream of HTTP/2 may go on with them for as long as it likes.
    mutating func addTrailers(_ lines: UInt32) {
        let (sum, overflow) = trailerLines.addingReportingOverflow(lines)
        trailerLines = overflow ? .max : sum
    }
}

/// How much of an exchange is kept for whoever reads it when it is complete.
public struct Retention: Sendable, Hashable {
    /// How much of a head is kept.
    public enum Heads: UInt8, Sendable, Hashable {
        case none
        /// What names a request: its method, target and Host field; and the coding of content.
        ///
        /// Field lines are not kept, and nothing of a response without a coding. The heads of a gRPC call's response are kept whole.
        case names
        /// Everything.
        case whole
    }

    /// How much of the heads is kept.
    public var heads: Heads
    /// How many octets of the request's content are kept.
    public var requestContentOctets: Int
    /// How many octets of the response's content are kept.
    public var responseContentOctets: Int

    /// Makes a retention that keeps as much of either message's content.
    public init(heads: Heads, contentOctets: Int = 0) {
        self.heads = heads
        requestContentOctets = contentOctets
        responseContentOctets = contentOctets
    }

    /// Keeps what `other` keeps too.
    public mutating func formUnion(_ other: Retention) {
        if other.heads.rawValue > heads.rawValue { heads = other.heads }
        requestContentOctets = max(requestContentOctets, other.requestContentOctets)
        responseContentOctets = max(responseContentOctets, other.responseContentOctets)
    }

    /// Whether something of the heads is kept.
    var keepsHeads: Bool { heads != .none }

    /// Nothing but figures.
    public static let none = Retention(heads: .none)
}
