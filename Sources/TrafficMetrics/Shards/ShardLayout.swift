// Wingmirror · Apache-2.0

/// Where each counter of a route lies within its words, which is the same for all routes of an agent.
final class ShardLayout: Sendable {
    let duration: HistogramLayout
    let serverWait: HistogramLayout
    let bodySize: HistogramLayout
    /// How long streams last.
    let lifetime: HistogramLayout
    /// How many exemplars a route may have: one for each bucket of each duration histogram, or none at all.
    let exemplarSlots: Int

    /// Final statuses of gRPC that count as errors.
    let grpcErrors: GRPCStatusSet

    /// How many words a route has.
    let routeWords: Int
    /// Where a histogram's words begin: when it began, its sum, then its cells.
    let requestBodyStart: Int
    let responseBodyStart: Int
    let serverWaitStart: Int
    private let codesStart: Int
    private let durationStart: Int
    private let durationWords: Int
    private let countersStart: Int
    private let streamStarts: [Int]

    /// The words that a histogram has beside its cells.
    static let histogramHead = 2

    init(configuration: MetricsConfiguration) {
        grpcErrors = configuration.grpcErrorStatuses
        duration = .durations(bounds: configuration.durationBounds)
        serverWait = .durations(bounds: configuration.serverWaitBounds)
        bodySize = .sizes(bounds: configuration.bodySizeBounds)
        lifetime = .durations(bounds: configuration.lifetimeBounds)
        exemplarSlots = configuration.exemplars ? ResponseCodeClass.allCases.count * (duration.bounds.count + 1) : 0
        // What nearly every route has comes first.
        requestBodyStart = 0
        responseBodyStart = requestBodyStart + Self.histogramHead + bodySize.cellCount
        serverWaitStart = responseBodyStart + Self.histogramHead + bodySize.cellCount
        durationStart = serverWaitStart + Self.histogramHead + serverWait.cellCount
        durationWords = Self.histogramHead + duration.cellCount
        codesStart = durationStart + ResponseCodeClass.allCases.count * durationWords
        countersStart = codesStart + 2 * CodeCounter.positionCount
        var end = countersStart + 2 * RouteCounter.allCases.count
        var starts: [Int] = []
        for histogram in StreamHistogram.allCases {
            starts.append(end)
            end += Self.histogramHead + (histogram.isWait ? duration : lifetime).cellCount
        }
        streamStarts = starts
        routeWords = end
    }

    /// Where the words of a class's duration histogram begin.
    @inline(__always)
    func durationStart(of codeClass: ResponseCodeClass) -> Int {
        durationStart + Int(codeClass.rawValue) * durationWords
    }

    /// A counter; the word behind it says when it began.
    func word(of counter: RouteCounter) -> Int {
        countersStart + 2 * counter.rawValue
    }

    /// The counter of a code; the word behind it says when it began.
    func word(of counter: CodeCounter) -> Int {
        codesStart + 2 * counter.position
    }

    /// All counters, those of codes first, each with the word that says when it began.
    var counterWords: Range<Int> { codesStart..<countersStart + 2 * RouteCounter.allCases.count }

    /// The buckets of a histogram of streams.
    func buckets(of histogram: StreamHistogram) -> HistogramLayout {
        histogram.isWait ? duration : lifetime
    }

    /// Where the words of a histogram of streams begin.
    func start(of histogram: StreamHistogram) -> Int {
        streamStarts[histogram.rawValue]
    }

    /// The exemplar of a classic bucket of a class's duration histogram; not for a layout without exemplars.
    @inline(__always)
    func exemplarSlot(of codeClass: ResponseCodeClass, bucket: Int) -> Int {
        Int(codeClass.rawValue) * (duration.bounds.count + 1) + bucket
    }
}
