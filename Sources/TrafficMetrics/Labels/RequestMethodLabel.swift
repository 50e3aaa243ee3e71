// Wingmirror · Apache-2.0
// The known methods of the OpenTelemetry semantic conventions, `http.request.method`.

/// The values of the label `request_method`: the methods known to everyone, and one for the rest.
///
/// A client chooses the method, so the list is closed: a flood of invented methods adds one series a route.
public enum RequestMethodLabel: UInt8, Sendable, Hashable, CaseIterable {
    case connect
    case delete
    case get
    case head
    case options
    case patch
    case post
    case put
    case query
    case trace
    case other
    /// Stands for all methods at the series limit.
    case any

    /// The label's value.
    public var text: String {
        switch self {
        case .connect: "CONNECT"
        case .delete: "DELETE"
        case .get: "GET"
        case .head: "HEAD"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .post: "POST"
        case .put: "PUT"
        case .query: "QUERY"
        case .trace: "TRACE"
        case .other: "_OTHER"
        case .any: LabelValue.overflow
        }
    }
}
