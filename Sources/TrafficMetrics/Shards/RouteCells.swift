// Wingmirror · Apache-2.0

import Synchronization
internal import TrafficModel

/// The counters of one route in one shard.
///
/// The shard's thread writes, a scrape reads. A version number is odd while an exchange is being counted, so that a reader
/// can tell whether what it copied belongs together; the writer never looks at readers.
final class RouteCells: Sendable {
    private let version = Atomic<UInt64>(0)
    private let folds = Atomic<Bool>(false)
    private let foldedExchanges = Atomic<UInt64>(0)
    /// Which codes have a counter, by their position.
    private let codes = Atomic<UInt64>(0)
    /// Times are stored as the offset from the smallest, so that 0 is the mark of none.
    private let firstRequest = Atomic<UInt64>(0)
    private let latestRequest = Atomic<UInt64>(0)
    private let words: PagedWords
    private let requests = CombinationCounters()
    private let exemplars: ExemplarCells

    init(layout: ShardLayout) {
        words = PagedWords(count: layout.routeWords)
        exemplars = ExemplarCells(slotCount: layout.exemplarSlots)
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

    /// Begins to count a combination, at one, with a request that began at a time.
    func beginRequests(_ combination: RequestCombination, at time: Int64) {
        requests.begin(combination.packed, at: time)
    }

    /// Counts an observation, from an exchange that began at `time`, of the histogram whose words begin at `start`.
    @inline(__always)
    func observe(_ value: UInt64, cell: Int, start: Int, at time: Int64) {
        words.storeFirst(Self.stored(time), at: start)
        words.add(value, at: start + 1)
        words.add(1, at: start + ShardLayout.histogramHead + cell)
    }

    /// Adds to a counter, for an exchange that began at `time`; nothing for 0 or less.
    func add(_ count: Int, to word: Int, at time: Int64) {
        guard count > 0 else { return }
        words.storeFirst(Self.stored(time), at: word + 1)
        words.add(UInt64(count), at: word)
    }

    /// Takes an observation for the exemplar of its bucket, unless the one that is there is too new.
    @inline(__always)
    func offerExemplar(_ trace: TraceContext, value: UInt64, at time: Int64, slot: Int) {
        exemplars.offer(trace, value: value, at: time, slot: slot)
    }

    /// Notes when a request began, in nanoseconds.
    @inline(__always)
    func noteRequest(at time: Int64) {
        let stored = Self.stored(time)
        if stored > latestRequest.load(ordering: .relaxed) { latestRequest.store(stored, ordering: .relaxed) }
        let first = firstRequest.load(ordering: .relaxed)
        if first == 0 || stored < first { firstRequest.store(stored, ordering: .relaxed) }
    }

    /// Counts an exchange that began at a time, but not under the route's name.
    @inline(__always)
    func countFolded(at time: Int64) {
        noteRequest(at: time)
        // A counter begins again at zero after 2^64, as scrapers expect of counters.
        foldedExchanges.store(foldedExchanges.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Whether the counter of a code is among the route's series.
    @inline(__always)
    func has(_ counter: CodeCounter) -> Bool {
        codes.load(ordering: .relaxed) & 1 << UInt64(counter.position) != 0
    }

    /// Makes the counter of a code one of the route's series.
    func begin(_ counter: CodeCounter) {
        codes.store(codes.load(ordering: .relaxed) | 1 << UInt64(counter.position), ordering: .relaxed)
    }

    // MARK: - Reading

    /// Changes with every exchange that is counted; 0 before the first.
    var revision: UInt64 {
        version.load(ordering: .relaxed)
    }

    /// When the latest request began, under whatever name it was counted.
    var lastRequestAt: Int64? {
        Self.time(latestRequest.load(ordering: .relaxed))
    }

    /// Calls `body` with each combination that has a counter.
    func visitCombinations(_ body: (RequestCombination) -> Void) {
        requests.visit { combination, _, _ in body(RequestCombination(packed: combination)) }
    }

    /// How many requests were counted under the route's name.
    var requestCount: UInt64 {
        var total: UInt64 = 0
        requests.visit { _, count, _ in total &+= count }
        return total
    }

    /// What was counted, if possible all of one moment.
    ///
    /// Copies, and tries again if an exchange was counted meanwhile. A writer that is always in the middle of one, or
    /// that was interrupted there, cannot hold the scrape up: after enough tries the copy is taken as it is, each counter
    /// right and some an exchange ahead of others.
    func read(layout: ShardLayout, copy: inout RouteCopy) -> RouteReading {
        // Before the counters, so that these count what the exemplars show.
        takeExemplars(layout: layout, &copy)
        for _ in 0..<64 {
            let before = version.load(ordering: .acquiring)
            guard before & 1 == 0 else { continue }
            take(&copy)
            // What was copied must have been copied before the version is compared.
            atomicMemoryFence(ordering: .acquiring)
            if version.load(ordering: .relaxed) == before {
                return RouteReading(copy, layout: layout, isOfOneMoment: true)
            }
        }
        take(&copy)
        return RouteReading(copy, layout: layout, isOfOneMoment: false)
    }

    private func takeExemplars(layout: ShardLayout, _ copy: inout RouteCopy) {
        copy.exemplars.removeAll(keepingCapacity: true)
        guard !exemplars.isEmpty else { return }
        for slot in 0..<layout.exemplarSlots {
            if let exemplar = exemplars.read(slot: slot) { copy.exemplars[slot] = exemplar }
        }
    }

    private func take(_ copy: inout RouteCopy) {
        copy.requests.removeAll(keepingCapacity: true)
        requests.visit { combination, count, beganAt in
            let combination = RequestCombination(packed: combination)
            copy.requests.append(RequestCount(combination: combination, count: count, beganAt: beganAt))
        }
        words.copy(into: &copy.words)
        copy.firstRequest = Self.time(firstRequest.load(ordering: .relaxed))
        copy.lastRequest = lastRequestAt
    }

    /// A time as it is stored: never 0, which is the mark of none.
    @inline(__always)
    private static func stored(_ time: Int64) -> UInt64 {
        UInt64(bitPattern: time) ^ (1 << 63)
    }

    /// What a stored time says; `nil` for none.
    static func time(_ stored: UInt64) -> Int64? {
        stored == 0 ? nil : Int64(bitPattern: stored ^ (1 << 63))
    }
}
