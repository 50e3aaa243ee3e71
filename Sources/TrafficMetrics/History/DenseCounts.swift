// Wingmirror · Apache-2.0

/// The counters of one route with a place for each, to add up in; made once and cleared from route to route.
struct DenseCounts: ~Copyable {
    private var counts: [UInt64]
    /// The keys that may be other than zero.
    private var touched: Range<Int>?

    /// Zeros.
    init(layout: HistogramLayout) {
        counts = Array(repeating: 0, count: HistoryKey.count(layout: layout))
    }

    /// The count of a key.
    subscript(key: HistoryKey) -> UInt64 { counts[Int(key.rawValue)] }

    /// Adds to a counter.
    mutating func add(_ count: UInt64, to key: HistoryKey) {
        let place = Int(key.rawValue)
        counts[place] &+= count
        touched = min(touched?.lowerBound ?? place, place)..<max(touched?.upperBound ?? 0, place + 1)
    }

    /// Adds counts.
    mutating func add(_ other: RouteCounts) {
        for place in 0..<other.count {
            add(other[place].count, to: other[place].key)
        }
    }

    /// Sets everything to zero.
    mutating func clear() {
        for place in touched ?? 0..<0 {
            counts[place] = 0
        }
        touched = nil
    }

    /// Calls `body` with each counter that is not zero, in the order of the keys.
    borrowing func visit(_ body: (HistoryKey, UInt64) -> Void) {
        for place in touched ?? 0..<0 where counts[place] != 0 {
            body(HistoryKey(rawValue: UInt16(place)), counts[place])
        }
    }

    /// How many counters are not zero.
    var nonzeroCount: Int {
        (touched ?? 0..<0).count { counts[$0] != 0 }
    }

    /// All requests.
    var requests: UInt64 {
        ResponseCodeClass.allCases.reduce(0) { $0 &+ self[.requests($1)] }
    }

    /// Requests by class, in the order of the classes.
    var requestsByClass: [UInt64] {
        ResponseCodeClass.allCases.map { self[.requests($0)] }
    }

    /// The durations.
    borrowing func latency(layout: HistogramLayout) -> LatencyDistribution {
        var cells: [HistogramSnapshot.Cell] = []
        let first = Int(HistoryKey.duration(cell: 0).rawValue)
        visit { key, count in
            guard key.rawValue >= first else { return }
            cells.append(HistogramSnapshot.Cell(index: Int(key.rawValue) - first, count: count))
        }
        return LatencyDistribution(layout: layout, cells: cells)
    }
}
