// Wingmirror · Apache-2.0

/// The values of the label `error_type`: how an exchange failed or was broken off, as the wire shows it.
///
/// What the observer lost, cut or could not read is none of these (``PartlySeenReason``).
public enum ErrorTypeLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// The exchange came to its end, or nobody knows whether it did.
    case none
    /// A status of 5xx; the wire does not show who gave it.
    case serverError
    /// A status of 5xx that the gateway gave by itself: it names the services' time in responses that it passes on, and
    /// this one has none.
    case gatewayError
    /// A status of 5xx that the service gave and the gateway passed on.
    case serviceError
    /// The server's side closed or reset before it answered.
    case noResponse
    /// The server's side closed or reset in the middle of the response.
    case incompleteResponse
    /// The client left before the response was whole.
    case clientClosed
    /// The server never took the request, which the client may send again.
    case unprocessed
    /// A gRPC call that was answered with a status that counts as an error, whatever the status of HTTP.
    case grpcError

    /// The label's value; empty for none, which Prometheus takes for a missing label.
    public var text: String {
        switch self {
        case .none: ""
        case .serverError: "5xx"
        case .gatewayError: "5xx_gateway"
        case .serviceError: "5xx_service"
        case .noResponse: "no_response"
        case .incompleteResponse: "incomplete_response"
        case .clientClosed: "client_closed"
        case .unprocessed: "unprocessed"
        case .grpcError: "grpc_error"
        }
    }

    /// Whether the gateway or what is behind it failed; dashboards and rules select the same by
    /// `error_type=~"5xx.*|grpc_error|no_response|incomplete_response"`.
    public var isFailure: Bool {
        switch self {
        case .serverError, .gatewayError, .serviceError, .grpcError, .noResponse, .incompleteResponse: true
        case .none, .clientClosed, .unprocessed: false
        }
    }
}
