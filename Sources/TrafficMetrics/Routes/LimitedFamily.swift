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
    case gRPCMessages
    case gRPCFirstMessage
    case gRPCLastMessage
    case gRPCLifetime
    case webSocketMessages
    case webSocketBytes
    case webSocketCloses
    case webSocketLifetime
    case webSocketPing

    /// What the family's observations can lose at the limit.
    var foldedDetails: [FoldedDetail] {
        switch self {
        case .requests: FoldedDetail.allCases
        case .gRPCResponses, .webSocketCloses: [.code, .route]
        case .duration, .serverWait, .requestBodySize, .responseBodySize, .websocketUpgrades, .gRPCMessages,
            .gRPCFirstMessage, .gRPCLastMessage, .gRPCLifetime, .webSocketMessages, .webSocketBytes, .webSocketLifetime,
            .webSocketPing:
            [.route]
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
        case .gRPCMessages: MetricCatalogue.grpcMessages
        case .gRPCFirstMessage: MetricCatalogue.grpcStreamFirstMessage
        case .gRPCLastMessage: MetricCatalogue.grpcStreamLastMessage
        case .gRPCLifetime: MetricCatalogue.grpcStreamDuration
        case .webSocketMessages: MetricCatalogue.websocketMessages
        case .webSocketBytes: MetricCatalogue.websocketBytes
        case .webSocketCloses: MetricCatalogue.websocketCloses
        case .webSocketLifetime: MetricCatalogue.websocketDuration
        case .webSocketPing: MetricCatalogue.websocketPing
        }
    }
}
