// Wingmirror · Apache-2.0

public import TrafficModel

/// What is counted of an exchange that a route accounts for.
public struct ExchangeObservation: Sendable {
    /// The request's method.
    public var method: RequestMethodLabel
    /// What the exchange speaks.
    public var requestProtocol: RequestProtocolLabel
    /// The final status; 0 when no response was seen.
    public var status: Int
    /// Why the exchange is not whole.
    public var errorType: ErrorTypeLabel
    /// From the first octet of the request to the last of the response, if both were seen; below 0 counts as 0.
    public var durationNanoseconds: Int64?
    /// From the last octet of the request to the first of the response, if both were seen; below 0 counts as 0.
    public var serverWaitNanoseconds: Int64?
    /// Octets of request content after removing transfer coding.
    public var requestBodyBytes: Int
    /// Octets of response content after removing transfer coding; not counted when no response was seen.
    public var responseBodyBytes: Int
    /// The final status of a gRPC call, if there is one.
    public var grpcStatus: Int?
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

/// The labels of `http_requests_total` beside those of the route, packed so that they sort as they are written.
struct RequestCombination: Sendable, Hashable {
    /// Method, protocol, code and error from the highest bit to the lowest.
    let packed: UInt32

    @inline(__always)
    init(
        method: RequestMethodLabel,
        requestProtocol: RequestProtocolLabel,
        code: ResponseCodeLabel,
        errorType: ErrorTypeLabel
    ) {
        packed =
            UInt32(method.rawValue) << 15 | UInt32(requestProtocol.rawValue) << 14 | UInt32(code.rawValue) << 4
            | UInt32(errorType.rawValue)
    }

    init(packed: UInt32) {
        self.packed = packed
    }

    /// The likeliest combination, whose series every route has from the beginning.
    static let likeliest = RequestCombination(
        method: .get,
        requestProtocol: .http,
        code: ResponseCodeLabel(status: 200),
        errorType: .none
    )

    var method: RequestMethodLabel {
        RequestMethodLabel(rawValue: UInt8(packed >> 15)) ?? .other
    }

    var requestProtocol: RequestProtocolLabel {
        RequestProtocolLabel(rawValue: UInt8(packed >> 14 & 1)) ?? .http
    }

    var code: ResponseCodeLabel {
        ResponseCodeLabel(status: Int(packed >> 4 & 0x3FF))
    }

    var errorType: ErrorTypeLabel {
        ErrorTypeLabel(rawValue: UInt8(packed & 0xF)) ?? .none
    }

    /// Whether the exchange failed: a status of 5xx, or no response for a reason on the wire.
    ///
    /// What the capture lost is not held against the route.
    var isFailure: Bool {
        guard errorType != .captureGap else { return false }
        return switch Int(code.rawValue) {
        case 500...599: true
        case 0: errorType.isOfTheWire
        default: false
        }
    }

    /// The values of the labels in their order.
    var labelValues: [String] {
        [method.text, requestProtocol.text, code.text, errorType.text]
    }
}
