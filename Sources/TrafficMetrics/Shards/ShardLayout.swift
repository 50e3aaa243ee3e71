// Wingmirror · Apache-2.0

/// Where each counter of a route lies within its words, which is the same for all routes of an agent.
final class ShardLayout: Sendable {
    let duration: DurationLadder
    let firstByte: DurationLadder
    let bodySize: SizeLadder

    /// How many words a route has.
    let routeWords: Int
    private let gRPCStart: Int
    private let firstByteStart: Int
    private let durationStart: Int

    static let lastRequest = 0
    static let firstRequest = 1
    static let websocketUpgrades = 2
    private static let requestBodyStart = 3
    private var responseBodyStart: Int { Self.requestBodyStart + bodySize.layout.cellCount + 1 }

    init(configuration: MetricsConfiguration) {
        duration = DurationLadder(bounds: configuration.durationBounds)
        firstByte = DurationLadder(bounds: configuration.firstByteBounds)
        bodySize = SizeLadder(bounds: configuration.bodySizeBounds)
        var next = Self.requestBodyStart
        func take(_ words: Int) -> Int {
            // A histogram begins with a page, so that few pages hold what is observed together.
            next = (next + PagedWords.pageWords - 1) / PagedWords.pageWords * PagedWords.pageWords
            defer { next += words }
            return next
        }
        next += 2 * (bodySize.layout.cellCount + 1)
        gRPCStart = take(GRPCStatusLabel.allCases.count)
        firstByteStart = take(1 + firstByte.layout.cellCount)
        durationStart = take(ResponseCodeClass.allCases.count * (1 + duration.layout.cellCount))
        routeWords = next
    }

    /// The counter of a final status of gRPC.
    func gRPCResponses(_ status: GRPCStatusLabel) -> Int {
        gRPCStart + status.index
    }

    /// The counters of all final statuses of gRPC.
    var gRPCResponses: Range<Int> {
        gRPCStart..<gRPCStart + GRPCStatusLabel.allCases.count
    }

    /// The sum of a histogram, then its cells.
    func words(of histogram: RouteHistogram) -> Range<Int> {
        switch histogram {
        case .requestBody:
            Self.requestBodyStart..<Self.requestBodyStart + 1 + bodySize.layout.cellCount
        case .responseBody:
            responseBodyStart..<responseBodyStart + 1 + bodySize.layout.cellCount
        case .firstByte:
            firstByteStart..<firstByteStart + 1 + firstByte.layout.cellCount
        case .duration(let codeClass):
            start(ofDuration: codeClass)..<start(ofDuration: codeClass) + 1 + duration.layout.cellCount
        }
    }

    /// What the cells of a histogram mean.
    func layout(of histogram: RouteHistogram) -> HistogramLayout {
        switch histogram {
        case .requestBody, .responseBody: bodySize.layout
        case .firstByte: firstByte.layout
        case .duration: duration.layout
        }
    }

    private func start(ofDuration codeClass: ResponseCodeClass) -> Int {
        durationStart + Int(codeClass.rawValue) * (1 + duration.layout.cellCount)
    }
}

/// The histograms of a route.
enum RouteHistogram: Sendable, Hashable {
    case requestBody
    case responseBody
    case firstByte
    case duration(ResponseCodeClass)

    /// The family that shows it.
    var family: MetricFamily {
        switch self {
        case .requestBody: MetricCatalogue.httpRequestBodySize
        case .responseBody: MetricCatalogue.httpResponseBodySize
        case .firstByte: MetricCatalogue.httpResponseFirstByte
        case .duration: MetricCatalogue.httpRequestDuration
        }
    }
}
