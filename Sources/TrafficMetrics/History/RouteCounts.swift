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
            counts.add(request.count, to: .requests(request.combination.code.codeClass))
            if request.combination.isFailure { counts.add(request.count, to: .failures) }
            if request.combination.code == .unknown { counts.add(request.count, to: .unseen) }
        }
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
