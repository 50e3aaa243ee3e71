// Wingmirror · Apache-2.0

public import TrafficModel

/// What is counted of an exchange that a route accounts for.
public struct ExchangeObservation: Sendable {
    /// The request's method.
    public var method: RequestMethodLabel
    /// What the exchange speaks.
    public var requestProtocol: RequestProtocolLabel
    /// The final status; 0 when there was no response, and below 0 where the observer does not know.
    public var status: Int
    /// How the exchange failed or was broken off.
    public var errorType: ErrorTypeLabel
    /// From the first octet of the request to the last of the response, or without one to the end of the wait; `nil`
    /// where that is not known, and for what is no request and response; below 0 counts as 0.
    public var durationNanoseconds: Int64?
    /// From the last octet of the request to the first of the response, if both were seen; below 0 counts as 0.
    public var serverWaitNanoseconds: Int64?
    /// Octets of request content after removing transfer coding.
    public var requestBodyBytes: Int
    /// Octets of response content after removing transfer coding; not counted when no response was seen.
    public var responseBodyBytes: Int
    /// The final status of a gRPC call, if there is one.
    public var grpcStatus: Int?
    /// What a gRPC call has beside its status; `nil` for any other exchange.
    public var call: CallObservation?
    /// Whether the connection left HTTP for WebSocket with this exchange.
    public var upgradedToWebSocket: Bool
    /// When the request began, in nanoseconds since the Unix epoch.
    public var startedAt: Int64
    /// The trace that the request belongs to, if its fields say so.
    public var trace: TraceContext?

    /// Makes an observation of its parts.
    public init(
        method: RequestMethodLabel,
        requestProtocol: RequestProtocolLabel = .http,
        status: Int,
        errorType: ErrorTypeLabel = .none,
        durationNanoseconds: Int64? = nil,
        serverWaitNanoseconds: Int64? = nil,
        requestBodyBytes: Int = 0,
        responseBodyBytes: Int = 0,
        grpcStatus: Int? = nil,
        call: CallObservation? = nil,
        upgradedToWebSocket: Bool = false,
        startedAt: Int64,
        trace: TraceContext? = nil
    ) {
        self.method = method
        self.requestProtocol = requestProtocol
        self.status = status
        self.errorType = errorType
        self.durationNanoseconds = durationNanoseconds
        self.serverWaitNanoseconds = serverWaitNanoseconds
        self.requestBodyBytes = requestBodyBytes
        self.responseBodyBytes = responseBodyBytes
        self.grpcStatus = grpcStatus
        self.call = call
        self.upgradedToWebSocket = upgradedToWebSocket
        self.startedAt = startedAt
        self.trace = trace
    }

    /// The labels that tell one counter of a route from another.
    @inline(__always)
    var combination: RequestCombination {
        RequestCombination(
            method: method,
            requestProtocol: requestProtocol,
            code: ResponseCodeLabel(status: status),
            errorType: errorType
        )
    }
}
