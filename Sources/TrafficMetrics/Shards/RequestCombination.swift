// Wingmirror · Apache-2.0

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
            UInt32(method.rawValue) << 16 | UInt32(requestProtocol.rawValue) << 14 | UInt32(code.rawValue) << 4
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

    /// What a route is used with: a method and a protocol.
    struct Use: Hashable {
        let method: RequestMethodLabel
        let requestProtocol: RequestProtocolLabel
    }

    /// The method and the protocol.
    var use: Use { Use(method: method, requestProtocol: requestProtocol) }

    /// What every method and protocol that a route is used with has a series of from the beginning: the commonest failures of a gateway
    /// and of what is behind it, so that the first of them is an increase.
    ///
    /// A gateway and a service answer a gRPC call with 200 and a status of gRPC. What a gateway refuses before any response of it
    /// has named a service's time, such as all requests after a bad deployment, is a 503 that nobody can be named for.
    static func watched(_ method: RequestMethodLabel, _ requestProtocol: RequestProtocolLabel) -> [RequestCombination] {
        let failures: [(status: Int, error: ErrorTypeLabel)] =
            requestProtocol == .grpc
            ? [(200, .grpcError), (0, .noResponse)]
            : [
                (503, .gatewayError), (503, .serverError), (504, .gatewayError), (500, .serviceError), (0, .noResponse),
            ]
        return failures.map { status, error in
            RequestCombination(
                method: method,
                requestProtocol: requestProtocol,
                code: ResponseCodeLabel(status: status),
                errorType: error
            )
        }
    }

    var method: RequestMethodLabel {
        RequestMethodLabel(rawValue: UInt8(packed >> 16)) ?? .other
    }

    var requestProtocol: RequestProtocolLabel {
        RequestProtocolLabel(rawValue: UInt8(packed >> 14 & 3)) ?? .http
    }

    var code: ResponseCodeLabel {
        ResponseCodeLabel(packed: packed >> 4 & 0x3FF)
    }

    var errorType: ErrorTypeLabel {
        ErrorTypeLabel(rawValue: UInt8(packed & 0xF)) ?? .none
    }

    /// Whether the gateway or what is behind it failed.
    var isFailure: Bool {
        errorType.isFailure
    }

    /// The values of the labels in their order.
    var labelValues: [String] {
        [method.text, requestProtocol.text, code.text, errorType.text]
    }
}

// MARK: - At the series limit

extension RequestCombination {
    /// The same requests whatever their method was: what is given up first.
    var withoutMethod: RequestCombination {
        RequestCombination(method: .any, requestProtocol: requestProtocol, code: code, errorType: errorType)
    }

    /// How the requests came out, and nothing else; every route has room for each of these, so that the share of failures
    /// of a route stays what it is.
    var outcome: RequestCombination {
        let (code, error): (ResponseCodeLabel, ErrorTypeLabel) =
            switch errorType {
            case .none: (code.folded, .none)
            case .serverError, .gatewayError, .serviceError: (ResponseCodeLabel(status: 500).folded, .serverError)
            case .noResponse, .unprocessed: (ResponseCodeLabel(status: 0), errorType)
            case .grpcError, .incompleteResponse, .clientClosed: (.any, errorType)
            }
        return RequestCombination(method: .any, requestProtocol: .any, code: code, errorType: error)
    }

    /// How many outcomes there are: eight of whole exchanges (five classes, none, unknown and other), and six of others.
    static let outcomeCount = 14
}
