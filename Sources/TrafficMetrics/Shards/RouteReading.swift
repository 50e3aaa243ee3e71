// Wingmirror · Apache-2.0

/// The counters of a route as they were copied; keeps its storage from one route to the next.
struct RouteCopy: Sendable {
    var requests: [RequestCount] = []
    var words = PagedWordsCopy()
    /// By slot.
    var exemplars: [Int: Exemplar] = [:]
    var firstRequest: Int64?
    var lastRequest: Int64?
}

/// How many requests of a combination there were, and when the first began.
struct RequestCount: Sendable {
    let combination: RequestCombination
    var count: UInt64
    var beganAt: Int64
}

/// A plain counter of a route, and since when it counts.
struct BegunCount: Sendable {
    var count: UInt64 = 0
    var beganAt: Int64?
}

/// What a route did, as its counters tell.
struct RouteReading: Sendable {
    var requests: [RequestCount] = []
    /// Those that counted something.
    var codes: [(counter: CodeCounter, counted: BegunCount)] = []
    /// Those that counted something.
    var counters: [(counter: RouteCounter, counted: BegunCount)] = []
    var durations: [(codeClass: ResponseCodeClass, histogram: HistogramSnapshot)] = []
    var serverWait: HistogramSnapshot?
    var requestBody: HistogramSnapshot?
    var responseBody: HistogramSnapshot?
    var streams: [(kind: StreamHistogram, histogram: HistogramSnapshot)] = []
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
        requestBody = HistogramSnapshot(copy.words, layout.bodySize, start: layout.requestBodyStart)
        responseBody = HistogramSnapshot(copy.words, layout.bodySize, start: layout.responseBodyStart)
        serverWait = HistogramSnapshot(copy.words, layout.serverWait, start: layout.serverWaitStart)
        for codeClass in ResponseCodeClass.allCases {
            let start = layout.durationStart(of: codeClass)
            if var histogram = HistogramSnapshot(copy.words, layout.duration, start: start) {
                addExemplars(of: copy, layout: layout, codeClass, to: &histogram)
                durations.append((codeClass, histogram))
            }
        }
        readStreams(copy, layout)
    }

    private mutating func readStreams(_ copy: RouteCopy, _ layout: ShardLayout) {
        // Each counter is followed by when it began.
        var latest: (place: Int, count: UInt64)?
        copy.words.visitNonzero(in: layout.counterWords) { word, value in
            let (place, isBeginning) = (word - layout.counterWords.lowerBound).quotientAndRemainder(dividingBy: 2)
            guard isBeginning == 1 else {
                latest = (place, value)
                return
            }
            guard let count = latest, count.place == place else { return }
            let counted = BegunCount(count: count.count, beganAt: RouteCells.time(value))
            if let code = CodeCounter(position: place) {
                codes.append((code, counted))
            } else if let counter = RouteCounter(rawValue: place - CodeCounter.positionCount) {
                counters.append((counter, counted))
            }
        }
        for kind in StreamHistogram.allCases {
            let start = layout.start(of: kind)
            guard let histogram = HistogramSnapshot(copy.words, layout.buckets(of: kind), start: start) else {
                continue
            }
            streams.append((kind, histogram))
        }
    }

    private func addExemplars(
        of copy: RouteCopy,
        layout: ShardLayout,
        _ codeClass: ResponseCodeClass,
        to histogram: inout HistogramSnapshot
    ) {
        guard !copy.exemplars.isEmpty else { return }
        for bucket in 0...layout.duration.bounds.count {
            if let exemplar = copy.exemplars[layout.exemplarSlot(of: codeClass, bucket: bucket)] {
                histogram.add(exemplar)
            }
        }
    }
}

extension HistogramSnapshot {
    /// The histogram whose words begin at `start`; `nil` if nothing was observed.
    fileprivate init?(_ words: PagedWordsCopy, _ layout: HistogramLayout, start: Int) {
        self.init(layout: layout)
        let first = start + ShardLayout.histogramHead
        words.visitNonzero(in: first..<first + layout.cellCount) { word, count in
            cells.append(Cell(index: word - first, count: count))
        }
        guard !cells.isEmpty else { return nil }
        beganAt = RouteCells.time(words[start])
        storedSum = words[start + 1]
    }
}
