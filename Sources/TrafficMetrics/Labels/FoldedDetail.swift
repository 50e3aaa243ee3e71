// Wingmirror · Apache-2.0

/// The values of the label `lost` of `metric_series_overflow_total`: what an observation does not say because of the limit.
public enum FoldedDetail: UInt8, Sendable, Hashable, CaseIterable {
    /// The method, which `__overflow__` stands for.
    case method
    /// The method, and of the code all but its class.
    case code
    /// The route and all that is known of it.
    case route

    /// The label's value.
    public var text: String {
        switch self {
        case .method: "method"
        case .code: "code"
        case .route: "route"
        }
    }
}
