// Wingmirror · Apache-2.0

/// The families whose series carry the labels of a route, and which therefore have a limit each.
enum LimitedFamily: Int, Sendable, CaseIterable {
    case requests
    case duration
    case gRPCResponses
    case serverWait
    case requestBodySize
    case responseBodySize
    case websocketUpgrades

    /// What the family's observations can lose at the limit.
    var foldedDetails: [FoldedDetail] {
        switch self {
        case .requests: FoldedDetail.allCases
        case .gRPCResponses: [.code, .route]
        case .duration, .serverWait, .requestBodySize, .responseBodySize, .websocketUpgrades: [.route]
        }
    }

    /// The family.
    var family: MetricFamily {
        switch self {
        case .requests: MetricCatalogue.httpRequests
        case .duration: MetricCatalogue.httpRequestDuration
        case .gRPCResponses: MetricCatalogue.grpcResponses
        case .serverWait: MetricCatalogue.httpServerWait
        case .requestBodySize: MetricCatalogue.httpRequestBodySize
        case .responseBodySize: MetricCatalogue.httpResponseBodySize
        case .websocketUpgrades: MetricCatalogue.websocketUpgrades
        }
    }
}
