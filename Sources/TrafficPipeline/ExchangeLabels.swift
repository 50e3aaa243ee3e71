// Wingmirror · Apache-2.0
// How exchanges become label values: the page Metrics.

internal import HTTPReconstruction
package import RouteAttribution
internal import TCPReassembly
package import TrafficMetrics

extension RequestMethodLabel {
    init(_ method: RequestMethod) {
        self =
            switch method {
            case .get: .get
            case .head: .head
            case .post: .post
            case .put: .put
            case .delete: .delete
            case .connect: .connect
            case .options: .options
            case .trace: .trace
            case .patch: .patch
            case .query: .query
            case .other: .other
            }
    }
}

extension ErrorTypeLabel {
    /// How an exchange failed or was broken off: by its status, that of HTTP first, else by who closed first.
    init(_ outcome: ExchangeOutcome) {
        if outcome.status >= 500, outcome.status < 600 {
            self =
                outcome.answer.contains(.isOfService)
                ? .serviceError : outcome.answer.contains(.isOfNamingGateway) ? .gatewayError : .serverError
        } else if outcome.isFailedCall {
            // The status is the last that a call says, so that nothing was cut off.
            self = .grpcError
        } else if let end = outcome.earlyEnd, end.cutsResponse || !outcome.hasResponse {
            self = outcome.hasResponse ? Self.cut(by: end.side, outcome) : Self.unanswered(end, outcome)
        } else {
            self = .none
        }
    }

    /// A response that began and was not whole.
    private static func cut(by side: EarlyEnd.Side, _ outcome: ExchangeOutcome) -> ErrorTypeLabel {
        // Where octets of it are missing anyway, its end may be among them.
        guard outcome.partlySeen == nil else { return .none }
        return switch side {
        // An event stream ends when its client goes.
        case .client: outcome.answer.contains(.isEventStream) ? .none : .clientClosed
        case .server: .incompleteResponse
        }
    }

    /// A request without a response; where octets are missing, nobody knows that there was none.
    private static func unanswered(_ end: EarlyEnd, _ outcome: ExchangeOutcome) -> ErrorTypeLabel {
        guard outcome.partlySeen == nil else { return .none }
        return switch end.side {
        case .client: .clientClosed
        case .server: end.isUnprocessed ? .unprocessed : .noResponse
        }
    }
}

extension WebSocketObservation {
    /// What is counted of a WebSocket.
    init(_ figures: WebSocketFigures, startedAt: Int64) {
        self.init(
            request: Direction(figures.request),
            response: Direction(figures.response),
            closeCode: figures.close.map { CloseCodeLabel(code: $0.code) } ?? .withoutFrame,
            lifetimeNanoseconds: figures.lifetimeNanoseconds,
            pingNanoseconds: figures.pingNanoseconds,
            startedAt: startedAt
        )
    }
}

extension WebSocketObservation.Direction {
    fileprivate init(_ direction: WebSocketFigures.Direction) {
        self.init(
            textMessages: direction.textMessages,
            binaryMessages: direction.binaryMessages,
            pings: direction.pingFrames,
            pongs: direction.pongFrames,
            payloadBytes: direction.payloadBytes
        )
    }
}

extension CallObservation {
    /// What is counted of a gRPC call; `nil` of what is none.
    ///
    /// - Parameters:
    ///   - exchange: The exchange; borrowed for the call only.
    ///   - kind: Whether the call is a stream.
    ///   - lifetime: How long it lasted; `nil` where that is not known.
    init?(_ exchange: borrowing Exchange, _ kind: ExchangeKind, lifetimeNanoseconds lifetime: Int64?) {
        guard exchange.contentKind.isGRPC else { return nil }
        self.init(requestMessages: exchange.requestMessages.seen, responseMessages: exchange.responseMessages.seen)
        guard kind.stream == .grpc else { return }
        stream = Stream(
            firstMessageNanoseconds: exchange.firstMessageNanoseconds,
            lastMessageNanoseconds: exchange.lastMessageNanoseconds,
            lifetimeNanoseconds: lifetime
        )
    }
}

extension UnmatchedReason {
    /// Why no series of a route counts the request; `nil` when a route took it.
    package init?(_ reason: RouteReason) {
        switch reason {
        case .matched: return nil
        case .noHost: self = .noHost
        case .noMatch: self = .noMatch
        case .httpsRedirect: self = .httpsRedirect
        case .rejected: self = .rejected
        case .noListener: self = .noListener
        case .conditional: self = .conditional
        case .noGateway: self = .noGateway
        case .unknownFields: self = .unknownFields
        case .unknownServerName: self = .unknownServerName
        }
    }
}

extension ConnectionCloseReason {
    init(_ end: ConnectionEnd) {
        self =
            switch end {
            case .finished, .superseded: .fin
            case .reset: .reset
            case .idle, .captureEnded: .idle
            case .evicted: .evicted
            }
    }
}
