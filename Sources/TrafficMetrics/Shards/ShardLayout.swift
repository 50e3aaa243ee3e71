// Wingmirror · Apache-2.0

/// Where each counter of a route lies within its words, which is the same for all routes of an agent.
final class ShardLayout: Sendable {
    let duration: HistogramLayout
    let firstByte: HistogramLayout
    let bodySize: HistogramLayout

    /// How many words a route has.
    let routeWords: Int
    /// Where a histogram's words begin: its sum, then its cells.
    let requestBodyStart: Int
    let responseBodyStart: Int
    let firstByteStart: Int
    private let gRPCStart: Int
    private let durationStart: Int
    private let durationWords: Int

    /// The counter of WebSocket upgrades.
    static let websocketUpgrades = 0

    init(configuration: MetricsConfiguration) {
        duration = .durations(bounds: configuration.durationBounds)
        firstByte = .durations(bounds: configuration.firstByteBounds)
        bodySize = .sizes(bounds: configuration.bodySizeBounds)
        requestBodyStart = Self.websocketUpgrades + 1
        responseBodyStart = requestBodyStart + 1 + bodySize.cellCount
        gRPCStart = responseBodyStart + 1 + bodySize.cellCount
        firstByteStart = gRPCStart + GRPCStatusLabel.allCases.count
        durationStart = firstByteStart + 1 + firstByte.cellCount
        durationWords = 1 + duration.cellCount
        routeWords = durationStart + ResponseCodeClass.allCases.count * durationWords
    }

    /// Where the words of a class's duration histogram begin.
    @inline(__always)
    func durationStart(of codeClass: ResponseCodeClass) -> Int {
        durationStart + Int(codeClass.rawValue) * durationWords
    }

    /// The counter of a final status of gRPC.
    func gRPCResponses(_ status: GRPCStatusLabel) -> Int {
        gRPCStart + status.index
    }

    /// The counters of all final statuses of gRPC.
    var gRPCResponses: Range<Int> {
        gRPCStart..<gRPCStart + GRPCStatusLabel.allCases.count
    }
}
