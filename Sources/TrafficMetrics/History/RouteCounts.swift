// Wingmirror · Apache-2.0

/// The counters of a route that the history keeps, without zeros.
///
/// Each is one word, its key in the upper bits and its count in the lower, in the order of the keys.
struct RouteCounts: Sendable, Hashable {
    private(set) var words: [UInt64] = []

    /// Nothing.
    init() {}

    /// Takes from a reading what is kept of it.
    init(_ reading: RouteReading, using counts: inout DenseCounts) {
        counts.clear()
        for request in reading.requests {
            let codeClass = ResponseCodeClass(status: Int(request.combination.code.rawValue))
            counts.add(request.count, to: .requests(codeClass))
            if request.combination.isFailure { counts.add(request.count, to: .failures) }
        }
        counts.add(reading.requestBody?.storedSum ?? 0, to: .requestBody)
        counts.add(reading.responseBody?.storedSum ?? 0, to: .responseBody)
        for (_, histogram) in reading.durations {
            for cell in histogram.cells {
                counts.add(cell.count, to: .duration(cell: cell.index))
            }
        }
        self.init(counts)
    }

    /// Keeps what is not zero.
    init(_ counts: borrowing DenseCounts) {
        words.reserveCapacity(counts.nonzeroCount)
        counts.visit { append($0, $1) }
    }

    /// Appends a counter, whose key is above those before it.
    mutating func append(_ key: HistoryKey, _ count: UInt64) {
        words.append(UInt64(key.rawValue) << 52 | min(count, Self.countMask))
    }

    /// The most that a counter tells: more than four million times a billion.
    private static let countMask: UInt64 = (1 << 52) - 1

    /// How many counters there are.
    var count: Int { words.count }

    /// The key and count at a place.
    subscript(place: Int) -> (key: HistoryKey, count: UInt64) {
        (HistoryKey(rawValue: UInt16(words[place] >> 52)), words[place] & Self.countMask)
    }

    /// All requests.
    var requests: UInt64 {
        var sum: UInt64 = 0
        for place in words.indices {
            let (key, count) = self[place]
            guard key.rawValue < HistoryKey.failures.rawValue else { break }
            sum += count
        }
        return sum
    }

    /// What was counted since older counts of the same route.
    ///
    /// A counter that is lower than before, or gone, shows that all of them began again at zero; then everything there
    /// is was counted since.
    func counted(since older: RouteCounts) -> RouteCounts {
        var difference = RouteCounts()
        var place = 0
        for index in words.indices {
            let (key, count) = self[index]
            var before: UInt64 = 0
            if place < older.count, older[place].key.rawValue <= key.rawValue {
                guard older[place].key == key, older[place].count <= count else { return self }
                before = older[place].count
                place += 1
            }
            if count > before { difference.append(key, count - before) }
        }
        return place < older.count ? self : difference
    }
}

/// Names a counter that the history keeps of a route.
struct HistoryKey: Sendable, Hashable {
    let rawValue: UInt16

    private static let firstDuration = 9

    /// Requests whose response has a class.
    static func requests(_ codeClass: ResponseCodeClass) -> HistoryKey {
        HistoryKey(rawValue: UInt16(codeClass.rawValue))
    }

    /// Requests that failed.
    static let failures = HistoryKey(rawValue: UInt16(ResponseCodeClass.allCases.count))
    /// Octets of request content.
    static let requestBody = HistoryKey(rawValue: failures.rawValue + 1)
    /// Octets of response content.
    static let responseBody = HistoryKey(rawValue: failures.rawValue + 2)

    /// Durations that fell into a cell of the histogram.
    static func duration(cell: Int) -> HistoryKey {
        HistoryKey(rawValue: UInt16(firstDuration + cell))
    }

    /// How many keys there are.
    static func count(layout: HistogramLayout) -> Int {
        firstDuration + layout.cellCount
    }
}

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
