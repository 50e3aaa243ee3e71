// Wingmirror · Apache-2.0

import Synchronization

/// The counters of one route in one shard.
///
/// The shard's thread writes, a scrape reads. A version number is odd while an exchange is being counted, so that a reader
/// can tell whether what it copied belongs together; the writer never looks at readers.
final class RouteCells: Sendable {
    private let version = Atomic<UInt64>(0)
    private let folds = Atomic<Bool>(false)
    private let foldedExchanges = Atomic<UInt64>(0)
    private let codeClasses = Atomic<UInt8>(0)
    private let gRPCStatuses = Atomic<UInt32>(0)
    private let words: PagedWords
    private let requests = CombinationCounters()

    init(layout: ShardLayout) {
        words = PagedWords(count: layout.routeWords)
    }

    /// Whether observations of the route are counted without its name.
    var isFolded: Bool {
        @inline(__always) get { folds.load(ordering: .relaxed) }
    }

    /// Says whether observations of the route are counted without its name; for the slow side.
    func setFolded(_ folded: Bool) {
        folds.store(folded, ordering: .relaxed)
    }

    /// How many exchanges were counted without the route's name.
    var foldedExchangeCount: UInt64 {
        foldedExchanges.load(ordering: .relaxed)
    }

    // MARK: - Writing

    /// Begins to count an exchange; what is counted until `endExchange` belongs together.
    @inline(__always)
    func beginExchange() {
        version.store(version.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        // The version must be seen odd before any of the counters that follow is seen changed.
        atomicMemoryFence(ordering: .releasing)
    }

    /// Ends what `beginExchange` began.
    @inline(__always)
    func endExchange() {
        version.store(version.load(ordering: .relaxed) &+ 1, ordering: .releasing)
    }

    /// Counts a request; `false` if its combination has no counter yet.
    @inline(__always)
    func countRequest(_ combination: RequestCombination) -> Bool {
        requests.increment(combination.packed)
    }

    /// Begins to count a combination, at one.
    func beginRequests(_ combination: RequestCombination) {
        requests.begin(combination.packed)
    }

    /// Counts an observation of the histogram whose words begin at `start`; what is below 0 counts as 0.
    @inline(__always)
    func observe(_ value: Int, _ layout: HistogramLayout, start: Int) {
        let value = UInt64(max(0, value))
        words.add(value, at: start)
        words.add(1, at: start + 1 + layout.cell(of: value))
    }

    /// Counts one more.
    @inline(__always)
    func increment(_ word: Int) {
        words.add(1, at: word)
    }

    /// The value of a counter.
    @inline(__always)
    func value(_ word: Int) -> UInt64 {
        words.load(word)
    }

    /// Notes when a request began, in nanoseconds.
    @inline(__always)
    func noteRequest(at time: Int64) {
        // Times are stored as the offset from the smallest, so that 0 stays the mark of a word never written.
        let stored = UInt64(bitPattern: time) ^ (1 << 63)
        if stored > words.load(ShardLayout.lastRequest) { words.store(stored, at: ShardLayout.lastRequest) }
        let first = words.load(ShardLayout.firstRequest)
        if first == 0 || stored < first { words.store(stored, at: ShardLayout.firstRequest) }
    }

    /// Counts an exchange that the route has, but not under its name.
    @inline(__always)
    func countFolded() {
        foldedExchanges.store(foldedExchanges.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Whether the duration histogram of a class is among the route's series.
    @inline(__always)
    func hasDuration(_ codeClass: ResponseCodeClass) -> Bool {
        codeClasses.load(ordering: .relaxed) & 1 << codeClass.rawValue != 0
    }

    /// Makes the duration histogram of a class one of the route's series.
    func beginDuration(_ codeClass: ResponseCodeClass) {
        codeClasses.store(codeClasses.load(ordering: .relaxed) | 1 << codeClass.rawValue, ordering: .relaxed)
    }

    /// Whether the counter of a status is among the route's series.
    @inline(__always)
    func hasGRPCResponses(_ status: GRPCStatusLabel) -> Bool {
        gRPCStatuses.load(ordering: .relaxed) & 1 << UInt32(status.index) != 0
    }

    /// Makes the counter of a status one of the route's series.
    func beginGRPCResponses(_ status: GRPCStatusLabel) {
        gRPCStatuses.store(gRPCStatuses.load(ordering: .relaxed) | 1 << UInt32(status.index), ordering: .relaxed)
    }

    // MARK: - Reading

    /// Calls `body` with each combination that has a counter.
    func visitCombinations(_ body: (RequestCombination) -> Void) {
        requests.visit { combination, _ in body(RequestCombination(packed: combination)) }
    }

    /// How many requests were counted under the route's name.
    var requestCount: UInt64 {
        var total: UInt64 = 0
        requests.visit { total &+= $1 }
        return total
    }

    /// What was counted, all of one moment.
    ///
    /// Tries again while the writer is in the middle of an exchange. A writer that is always in the middle cannot hold
    /// the scrape up: after enough tries the reading is taken as it is, each counter right and some an exchange ahead.
    func read(layout: ShardLayout) -> RouteReading {
        for _ in 0..<64 {
            let before = version.load(ordering: .acquiring)
            guard before & 1 == 0 else { continue }
            let reading = readOnce(layout: layout)
            // What was read must have been read before the version is compared.
            atomicMemoryFence(ordering: .acquiring)
            if version.load(ordering: .relaxed) == before { return reading }
        }
        return readOnce(layout: layout)
    }

    private func readOnce(layout: ShardLayout) -> RouteReading {
        var reading = RouteReading()
        requests.visit { combination, count in
            reading.requests.append((RequestCombination(packed: combination), count))
        }
        guard !reading.requests.isEmpty || words.load(ShardLayout.lastRequest) != 0 else { return reading }
        words.visitNonzero(in: layout.gRPCResponses) { word, count in
            reading.gRPCResponses.append((GRPCStatusLabel.allCases[word - layout.gRPCResponses.lowerBound], count))
        }
        reading.requestBody = histogram(layout.bodySize, start: layout.requestBodyStart)
        reading.responseBody = histogram(layout.bodySize, start: layout.responseBodyStart)
        reading.firstByte = histogram(layout.firstByte, start: layout.firstByteStart)
        for codeClass in ResponseCodeClass.allCases {
            if let histogram = histogram(layout.duration, start: layout.durationStart(of: codeClass)) {
                reading.durations.append((codeClass, histogram))
            }
        }
        reading.websocketUpgrades = words.load(ShardLayout.websocketUpgrades)
        reading.lastRequest = Self.time(words.load(ShardLayout.lastRequest))
        reading.firstRequest = Self.time(words.load(ShardLayout.firstRequest))
        return reading
    }

    /// The histogram whose words begin at `start`, if anything was observed.
    private func histogram(_ layout: HistogramLayout, start: Int) -> HistogramSnapshot? {
        var snapshot = HistogramSnapshot(layout: layout)
        words.visitNonzero(in: start + 1..<start + 1 + layout.cellCount) { word, count in
            snapshot.cells.append(HistogramSnapshot.Cell(index: word - start - 1, count: count))
        }
        guard !snapshot.cells.isEmpty else { return nil }
        snapshot.storedSum = words.load(start)
        return snapshot
    }

    private static func time(_ stored: UInt64) -> Int64? {
        stored == 0 ? nil : Int64(bitPattern: stored ^ (1 << 63))
    }
}

/// What the counters of a route held at one moment.
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
}
