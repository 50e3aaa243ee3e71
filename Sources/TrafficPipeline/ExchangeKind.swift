// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import TrafficMetrics
internal import TrafficModel

/// Whether an exchange is a request with a response, or something that lasts as long as somebody wishes.
///
/// The lifetime of the latter is no duration of a request, and a client that ends it has not left early.
enum ExchangeKind: Sendable {
    /// A request and its response; also the upgrade of a connection of HTTP/1, which ends with its 101.
    case request
    /// A stream that is counted as such.
    case stream(StreamKindLabel)

    init(_ outcome: ExchangeOutcome) {
        if outcome.answer.contains(.isEventStream) {
            self = .stream(.eventStream)
        } else if outcome.version == .http2, outcome.successor != .http {
            self = .stream(outcome.successor == .webSocket ? .webSocket : .tunnel)
        } else if outcome.isStreamingCall {
            self = .stream(.grpc)
        } else {
            self = .request
        }
    }

    /// The stream's kind; `nil` of a request.
    var stream: StreamKindLabel? {
        if case .stream(let label) = self { label } else { nil }
    }
}
