// Wingmirror · Apache-2.0

/// The values of the label `error_type`: why an exchange is not whole, as the wire shows it.
///
/// `captureGap` is apart from the others because the loss is ours: error ratios leave it out.
public enum ErrorTypeLabel: UInt8, Sendable, Hashable, CaseIterable {
    case none
    case captureGap
    case noResponse
    case parse
    case resetByClient
    case resetByServer
    case truncated

    /// The label's value; empty for none, which Prometheus takes for a missing label.
    public var text: String {
        switch self {
        case .none: ""
        case .captureGap: "capture_gap"
        case .noResponse: "no_response"
        case .parse: "parse"
        case .resetByClient: "reset_by_client"
        case .resetByServer: "reset_by_server"
        case .truncated: "truncated"
        }
    }

    /// Whether the wire, and not the capture, is why a response is missing.
    var isOfTheWire: Bool {
        switch self {
        case .noResponse, .resetByClient, .resetByServer: true
        case .none, .captureGap, .parse, .truncated: false
        }
    }
}
