// Wingmirror · Apache-2.0

/// The counters of a route as they were copied; keeps its storage from one route to the next.
struct RouteCopy: Sendable {
    var requests: [(combination: RequestCombination, count: UInt64)] = []
    var words = PagedWordsCopy()
    var firstRequest: Int64?
    var lastRequest: Int64?
}

/// What a route did, as its counters tell.
struct RouteReading: Sendable {
    var requests: [(combination: RequestCombination, count: UInt64)] = []
    var gRPCResponses: [(status: GRPCStatusLabel, count: UInt64)] = []
    var durations: [(codeClass: ResponseCodeClass, histogram: HistogramSnapshot)] = []
    var firstByte: HistogramSnapshot?
    var requestBody: HistogramSnapshot?
    var responseBody: HistogramSnapshot?
    var websocketUpgrades: UInt64 = 0
    var firstRequest: Int64?
    var lastRequest: Int64?
    /// Whether all counters were read between the same two exchanges.
    var isOfOneMoment = true

    /// Nothing.
    init() {}

    /// Looks at what was copied.
    init(_ copy: RouteCopy, layout: ShardLayout, isOfOneMoment: Bool) {
        requests = copy.requests
        firstRequest = copy.firstRequest
        lastRequest = copy.lastRequest
        self.isOfOneMoment = isOfOneMoment
        copy.words.visitNonzero(in: layout.gRPCResponses) { word, count in
            gRPCResponses.append((GRPCStatusLabel.allCases[word - layout.gRPCResponses.lowerBound], count))
        }
        requestBody = HistogramSnapshot(copy.words, layout.bodySize, start: layout.requestBodyStart)
        responseBody = HistogramSnapshot(copy.words, layout.bodySize, start: layout.responseBodyStart)
        firstByte = HistogramSnapshot(copy.words, layout.firstByte, start: layout.firstByteStart)
        for codeClass in ResponseCodeClass.allCases {
            let start = layout.durationStart(of: codeClass)
            if let histogram = HistogramSnapshot(copy.words, layout.duration, start: start) {
                durations.append((codeClass, histogram))
            }
        }
        websocketUpgrades = copy.words[ShardLayout.websocketUpgrades]
    }
}

extension HistogramSnapshot {
    /// The histogram whose words begin at `start`; `nil` if nothing was observed.
    fileprivate init?(_ words: PagedWordsCopy, _ layout: HistogramLayout, start: Int) {
        self.init(layout: layout)
        words.visitNonzero(in: start + 1..<start + 1 + layout.cellCount) { word, count in
            cells.append(Cell(index: word - start - 1, count: count))
        }
        guard !cells.isEmpty else { return nil }
        storedSum = words[start]
    }
}
