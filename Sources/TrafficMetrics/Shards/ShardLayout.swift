// Wingmirror · Apache-2.0

/// Where each counter of a route lies within its words, which is the same for all routes of an agent.
final class ShardLayout: Sendable {
    let duration: HistogramLayout
    let serverWait: HistogramLayout
    let bodySize: HistogramLayout
    /// How many exemplars a route may have: one for each bucket of each duration histogram, or none at all.
    let exemplarSlots: Int

    /// How many words a route has.
    let routeWords: Int
    /// Where a histogram's words begin: when it began, its sum, then its cells.
    let requestBodyStart: Int
    let responseBodyStart: Int
    let serverWaitStart: Int
    private let gRPCStart: Int
    private let durationStart: Int
    private let durationWords: Int

    /// The counter of WebSocket upgrades, and when it began.
    static let websocketUpgrades = 0
    static let websocketUpgradesBegan = 1
    /// The words that a histogram has beside its cells.
    static let histogramHead = 2

    init(configuration: MetricsConfiguration) {
        duration = .durations(bounds: configuration.durationBounds)
        serverWait = .durations(bounds: configuration.serverWaitBounds)
        bodySize = .sizes(bounds: configuration.bodySizeBounds)
        exemplarSlots = configuration.exemplars ? ResponseCodeClass.allCases.count * (duration.bounds.count + 1) : 0
        // What nearly every route has comes first, and fills one page.
        requestBodyStart = Self.websocketUpgradesBegan + 1
        responseBodyStart = requestBodyStart + Self.histogramHead + bodySize.cellCount
        gRPCStart = responseBodyStart + Self.histogramHead + bodySize.cellCount
        serverWaitStart = gRPCStart + 2 * GRPCStatusLabel.allCases.count
        durationStart = serverWaitStart + Self.histogramHead + serverWait.cellCount
        durationWords = Self.histogramHead + duration.cellCount
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

    /// When the counter of a final status of gRPC began.
    func gRPCResponsesBegan(_ status: GRPCStatusLabel) -> Int {
        gRPCStart + GRPCStatusLabel.allCases.count + status.index
    }

    /// The exemplar of a classic bucket of a class's duration histogram; not for a layout without exemplars.
    @inline(__always)
    func exemplarSlot(of codeClass: ResponseCodeClass, bucket: Int) -> Int {
        Int(codeClass.rawValue) * (duration.bounds.count + 1) + bucket
    }

    /// The counters of all final statuses of gRPC.
    var gRPCResponses: Range<Int> {
        gRPCStart..<gRPCStart + GRPCStatusLabel.allCases.count
    }
}
