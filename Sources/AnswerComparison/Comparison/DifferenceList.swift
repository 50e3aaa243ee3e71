// Wingmirror · Apache-2.0

/// The differences of one pair of answers: each place and kind once, and no more than a limit.
struct DifferenceList: Sendable {
    private struct Key: Hashable {
        let place: AnswerPlace
        let kind: DifferenceKind
    }

    private(set) var differences: [AnswerDifference] = []
    /// How many differences have been added, those told apart before and those over the limit among them.
    private(set) var additions = 0
    private var positions: [Key: Int] = [:]
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether nothing more is told apart.
    var isFull: Bool { differences.count >= limit }

    /// Adds a difference.
    ///
    /// Of several at one place the first is shown, the values are counted, and the shape is only equal when it is for all.
    mutating func append(_ difference: AnswerDifference) {
        additions += 1
        let key = Key(place: difference.place, kind: difference.kind)
        if let position = positions[key] {
            differences[position].occurrences += difference.occurrences
            differences[position].direction += difference.direction
            if difference.isOfZero { differences[position].isOfZero = true }
            if !difference.hasEqualShape { differences[position].hasEqualShape = false }
            if difference.expectation == .stable { differences[position].expectation = .stable }
            if difference.isCoarse { differences[position].isCoarse = true }
            if !difference.isOfEnvironment { differences[position].isOfEnvironment = false }
        } else if !isFull {
            positions[key] = differences.count
            differences.append(difference)
        }
    }
}
