// Wingmirror · Apache-2.0

/// What is known of one place of a route's answers.
struct PlaceRecord: Sendable {
    let place: AnswerPlace
    /// Differences from production by kind.
    var kinds: [DifferenceKind: UInt64] = [:]
    /// Pairs in which the candidate differs from production.
    var mismatches: UInt64 = 0
    /// Those in which the values have not even the same shape, or are expected to be equal.
    var unlike: UInt64 = 0
    /// Pairs of answers of one version that differ there, otherwise than in the order of entries.
    var noise: UInt64 = 0
    /// Pairs of answers of one version, and not the candidate's, in which only one number there is 0.
    var zeroNoise: UInt64 = 0
    /// Pairs without a baseline in which only one number there is 0.
    var zeros: UInt64 = 0
    /// Pairs of answers of one version whose entries there are in another order.
    var orderNoise: UInt64 = 0
    /// Pairs of production's own answers that differ there, otherwise than in the order of entries.
    var productionNoise: UInt64 = 0
    /// Pairs of production's own answers whose entries there are in another order.
    var productionOrderNoise: UInt64 = 0
    /// Pairs in which the baseline's value is another one of the same shape than production's, and what lay between the two
    /// answers, summed up, in nanoseconds.
    var changed = (pairs: UInt64(0), lag: 0.0)
    /// Pairs whose values differ there at one of candidate and baseline only, and that did not vote because time may
    /// explain it.
    var held: UInt64 = 0
    /// Those that waited somewhere, whether they voted or not.
    var waited = WaitedPairs()
    /// Pairs that differ there and whose request lost its credentials, by whether the values have the same shape.
    var ambiguous = (alike: UInt64(0), unlike: UInt64(0))
    /// What candidate and baseline say where both differ from production.
    var shared = SharedCount()
    /// Pairs without a baseline in which the values differ only in what identifiers and tokens are presumed to.
    var presumed: UInt64 = 0
    /// Pairs without a baseline whose contents were compared as wholes, and differ.
    var coarse: UInt64 = 0
    /// Pairs without a baseline that differ there by several values.
    var several: UInt64 = 0
    /// What the two ends said there last, beside a baseline, and beside production's own answers.
    var repeated = [RepeatedValue(), RepeatedValue()]
    /// Pairs in which only the candidate says again what it said before, where values should be new.
    var stuck: UInt64 = 0
    /// Examples, a random choice of `exampleCandidates`.
    var examples: [AnswerExample] = []
    var exampleCandidates: UInt64 = 0
}

/// The places of a route at which answers have differed: at most 64, so that votes on them fit a word.
struct PlaceTable: Sendable {
    private(set) var records: [PlaceRecord] = []
    private var positions: [AnswerPlace: Int] = [:]
    private let limit: Int
    /// Differences at places for which there was no room.
    private(set) var overflowed: UInt64 = 0

    init(limit: Int) {
        self.limit = min(64, max(2, limit))
    }

    /// The position of a place, which is given room; the last room is for all others together.
    mutating func position(of place: AnswerPlace) -> Int {
        if let position = positions[place] { return position }
        guard records.count < limit - 1 else {
            overflowed += 1
            if let other = positions[.other] { return other }
            return append(.other)
        }
        return append(place)
    }

    private mutating func append(_ place: AnswerPlace) -> Int {
        positions[place] = records.count
        records.append(PlaceRecord(place: place))
        return records.count - 1
    }

    /// Whether a place has no room of its own.
    func isOverflow(_ place: AnswerPlace) -> Bool { positions[place] == nil && records.count >= limit - 1 }

    /// The position of a place, when it has one.
    func position(ofKnown place: AnswerPlace) -> Int? { positions[place] }

    /// What is known of a place that has been given room.
    func record(of place: AnswerPlace) -> PlaceRecord? {
        positions[place].map { records[$0] }
    }

    subscript(position: Int) -> PlaceRecord {
        get { records[position] }
        _modify { yield &records[position] }
    }
}
