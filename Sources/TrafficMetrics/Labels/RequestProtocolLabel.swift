// Wingmirror · Apache-2.0

/// The values of the label `request_protocol`, as Istio has them.
public enum RequestProtocolLabel: UInt8, Sendable, Hashable, CaseIterable {
    case http
    case grpc
    /// Stands for both at the series limit.
    case any

    /// The label's value.
    public var text: String {
        switch self {
        case .http: "http"
        case .grpc: "grpc"
        case .any: LabelValue.overflow
        }
    }
}
