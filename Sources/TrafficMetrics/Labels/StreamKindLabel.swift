// Wingmirror · Apache-2.0

/// The values of the label `kind` of `http_streams_total`: exchanges that last as long as somebody wishes, so that how
/// long they lasted is no duration of a request.
public enum StreamKindLabel: UInt8, Sendable, Hashable, CaseIterable {
    /// A response of `text/event-stream`.
    case eventStream
    /// A WebSocket on a stream of HTTP/2 (RFC 8441).
    case webSocket
    /// CONNECT on a stream of HTTP/2.
    case tunnel
    /// A gRPC call with more than one message in a direction.
    case grpc

    /// The label's value.
    public var text: String {
        switch self {
        case .eventStream: "event_stream"
        case .webSocket: "websocket"
        case .tunnel: "tunnel"
        case .grpc: "grpc"
        }
    }
}
