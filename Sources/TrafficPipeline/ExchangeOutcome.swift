// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import TrafficMetrics
internal import TrafficModel

/// How an exchange came out: what it was answered with, what broke it off, and what we do not know of it.
struct ExchangeOutcome: Sendable {
    /// Whether the request's head was seen.
    let hasRequest: Bool
    /// Whether the head of the final response was seen.
    let hasResponse: Bool
    /// Whether it was, and its status is not known (HTTP/2).
    let isStatusUnknown: Bool
    /// The status of the final response, or of a 101; 0 without a response.
    let status: Int
    /// The protocol version.
    let version: HTTPVersion
    /// What is missing or wrong.
    let integrity: Integrity
    /// How the exchange was broken off, where it was and that was seen.
    let earlyEnd: EarlyEnd?
    /// What the connection carries from here on.
    let successor: Exchange.Successor
    /// What the head of the response says.
    let answer: AnswerTraits
    /// The status of a gRPC call as it is counted: 0 to 16, or -1 where the call ended with none of these; `nil` where that is
    /// not known, and of other exchanges.
    let grpcStatus: Int?
    /// Whether it is a gRPC call that was answered with a status that counts as an error.
    let isFailedCall: Bool
    /// Whether it is a gRPC call with more than one message in a direction.
    let isStreamingCall: Bool

    /// Looks at an exchange that is complete.
    ///
    /// - Parameters:
    ///   - exchange: The exchange; borrowed for the call only.
    ///   - answer: What the head of its response says.
    ///   - grpcErrors: The statuses of gRPC that count as errors.
    init(_ exchange: borrowing Exchange, _ answer: AnswerTraits, grpcErrors: GRPCStatusSet) {
        hasRequest = exchange.hasRequest
        hasResponse = exchange.hasResponse
        isStatusUnknown = exchange.isStatusUnknown
        status = exchange.status
        version = exchange.version
        integrity = exchange.integrity
        earlyEnd = exchange.earlyEnd
        successor = exchange.successor
        self.answer = answer
        if exchange.contentKind.isGRPC {
            let status = Self.grpcStatus(of: exchange)
            grpcStatus = status
            isFailedCall = status.map { grpcErrors.contains($0 < 0 ? Self.unknownGRPCStatus : $0) } ?? false
            isStreamingCall = exchange.requestMessages.seen > 1 || exchange.responseMessages.seen > 1
        } else {
            (grpcStatus, isFailedCall, isStreamingCall) = (nil, false, false)
        }
    }

    /// UNKNOWN, which clients take a call for that ended without a status of gRPC's (its http-grpc-status-mapping).
    private static var unknownGRPCStatus: Int { 2 }

    /// The status that a gRPC call counts with.
    ///
    /// One that is answered with 200 and comes to its end in order has its status in trailers; where these have none, that is an
    /// answer of its own. The trailers of gRPC-Web are content, which is not kept of each call.
    private static func grpcStatus(of exchange: borrowing Exchange) -> Int? {
        if let status = exchange.grpcStatus { return status }
        if exchange.hasOtherGRPCStatus { return -1 }
        let endedInOrder = exchange.status == 200 && exchange.integrity.isEmpty && exchange.earlyEnd == nil
        return exchange.contentKind == .grpc && exchange.version == .http2 && endedInOrder ? -1 : nil
    }

    /// How long a request waited that was never answered: from its first octet to when one side gave it up, in nanoseconds.
    ///
    /// `nil` where it was answered, was not sent to its end or never taken, or where that is not known.
    func unansweredNanoseconds(since firstOctet: PacketTime) -> Int64? {
        guard hasRequest, !hasResponse, let earlyEnd, !earlyEnd.cutsRequest, !earlyEnd.isUnprocessed,
            partlySeen == nil, !integrity.contains(.clockUnreliable)
        else { return nil }
        return earlyEnd.time.nanoseconds(since: firstOctet)
    }

    /// How long an exchange lasted whose response was broken off: from the first octet of its request to when one side did so, in
    /// nanoseconds.
    ///
    /// A service that stalls in the middle of its answer is slow until its client leaves. One that has no more to say than its
    /// request closes its side before: then it lasts to the response's last octet. `nil` of other exchanges, of event streams that
    /// their clients end, where octets of the response are missing anyway, so that its end may be among them, or where the times
    /// are not known.
    func brokenOffNanoseconds(since firstOctet: PacketTime, lastOctet: PacketTime) -> Int64? {
        guard hasRequest, hasResponse, let earlyEnd, earlyEnd.cutsResponse, partlySeen == nil,
            !integrity.contains(.clockUnreliable), earlyEnd.side == .server || !answer.contains(.isEventStream)
        else { return nil }
        return max(earlyEnd.time, lastOctet).nanoseconds(since: firstOctet)
    }

    /// Why we do not know all of the exchange, or `nil` where we do.
    ///
    /// What was lost comes first, because it explains the others.
    var partlySeen: PartlySeenReason? {
        if integrity.isEmpty {
            nil
        } else if integrity.contains(.truncatedCapture) {
            .truncated
        } else if !integrity.isDisjoint(with: [.requestGap, .responseGap]) {
            .captureGap
        } else if !integrity.isDisjoint(with: [.malformed, .unknownFieldBlock]) {
            .parse
        } else if integrity.contains(.forgotten) {
            .forgotten
        } else if integrity.contains(.limitReached) {
            .limit
        } else if integrity.contains(.interrupted) {
            .interrupted
        } else if !hasResponse, earlyEnd == nil {
            // The connection went on in another way than we can read.
            .parse
        } else {
            nil
        }
    }

    /// The status as metrics have it: 0 where there was no response, and -1 where we do not know whether or which.
    var countedStatus: Int {
        if isStatusUnknown { return -1 }
        if status == 0, partlySeen != nil { return -1 }
        return status
    }
}
