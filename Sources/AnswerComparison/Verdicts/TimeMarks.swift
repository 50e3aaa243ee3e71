// Wingmirror · Apache-2.0

import OctetText

/// The counts of a record as they were at one time.
struct TimeMark: Sendable {
    /// When, in nanoseconds since the Unix epoch.
    let time: Int64
    /// The number of the mark, from 0: the beginning of the record.
    var number = 0
    /// Votes, pairs and tallies of pairs as wholes, by question.
    let standing: Standing

    init(time: Int64, record: VerdictRecord) {
        self.time = time
        standing = Standing(record)
    }
}

/// Marks of a record at regular distances, so that the votes since any of them can be told from those before.
///
/// They are kept for as long as a verdict on the last hours needs them: six for a window, and one before.
struct TimeMarks: Sendable {
    /// How many marks a window has.
    static let perWindow: Int64 = 6
    /// How much earlier than those before it a pair may be while the clock was not set back: a pair is there with its last
    /// answer, so that it comes by the largest lag and the target's timeout later than others, some 40 s by default.
    static let mostLate: Duration = .seconds(900)

    private(set) var marks: [TimeMark] = []
    private var count = 0

    /// Whether a mark is to be made: a distance after the last one, or long before it, when the clock was set back.
    func isDue(_ time: Int64, window: Duration) -> Bool {
        guard let last = marks.last else { return true }
        let distance = window / Int(Self.perWindow)
        let isBefore = time < last.time.advanced(by: .zero - max(distance, Self.mostLate))
        return isBefore || time >= last.time.advanced(by: distance)
    }

    /// Adds a mark, and forgets those that lie before the window but for one.
    mutating func append(_ mark: TimeMark, window: Duration) {
        var mark = mark
        mark.number = count
        count += 1
        // Later ones are of a clock that was wrong.
        marks.removeAll { $0.time > mark.time }
        marks.append(mark)
        let start = mark.time.advanced(by: .zero - window)
        while marks.count > 2, marks[1].time <= start { marks.removeFirst() }
    }
}

/// The votes of a stretch of time on pairs as wholes, by question.
struct Standing: Sendable {
    /// The votes on one question.
    struct Answer: Sendable {
        var votes = 0.0
        var pairs: UInt64 = 0
        var whole = Tally()
        var raw = Tally()
    }

    private var answers: [Answer]
    /// Pairs of any kind.
    var pairs: UInt64
    /// Requests that should have become pairs and did not, and that may all have been equal.
    var missing: UInt64
    /// Requests that should have become pairs and did not, each of which the target may have failed to answer.
    var suspects: UInt64
    /// Pairs whose contents were not compared, or not whole.
    var uncompared: UInt64
    /// Requests that should have become pairs.
    var expected: UInt64
    /// Keys seen; `nil` when they are many.
    var keyCount: Int?

    init(_ record: VerdictRecord) {
        answers = record.ballots.map { Answer(votes: $0.votes, pairs: $0.pairs, whole: $0.whole, raw: $0.raw) }
        pairs = record.pairs
        missing = record.missingAsEqual
        suspects = record.suspects
        uncompared = record.unread + record.cut + record.unheldDifferences
        expected = record.expected
        keyCount = record.keyCount
    }

    subscript(question: Question) -> Answer {
        get { answers[question.rawValue] }
        _modify { yield &answers[question.rawValue] }
    }

    /// What has come since an earlier standing.
    func since(_ earlier: Standing) -> Standing {
        var rest = self
        for question in Question.allCases {
            rest[question].votes = max(0, rest[question].votes - earlier[question].votes)
            rest[question].pairs -= earlier[question].pairs
            rest[question].whole = rest[question].whole.since(earlier[question].whole)
            rest[question].raw = rest[question].raw.since(earlier[question].raw)
        }
        rest.pairs -= earlier.pairs
        rest.missing -= min(rest.missing, earlier.missing)
        rest.suspects -= min(rest.suspects, earlier.suspects)
        rest.uncompared -= min(rest.uncompared, earlier.uncompared)
        rest.expected -= min(rest.expected, earlier.expected)
        return rest
    }

    /// The share of the expected pairs that there are.
    var coverage: Double { expected > 0 ? min(1, Double(pairs) / Double(expected)) : 1 }

    /// The votes of a tally of a question, with what is missing counted as equal in the same proportion.
    func count(_ tally: Tally, _ question: Question, missingAreEqual: Bool) -> VoteCount {
        let votes = self[question].votes
        let count = VoteCount(votes: votes, worse: tally.worse, better: tally.better)
        guard missingAreEqual, pairs > 0 else { return count }
        return count.adding(equal: Double(missing) * votes / Double(pairs))
    }

    /// The votes of a tally of a question, what is not known counted against the target.
    ///
    /// That is requests that it may have failed to answer, and contents that were not compared. What the other side is worse in
    /// weighs up no more than what the target is.
    func countAtWorst(_ tally: Tally, _ question: Question) -> VoteCount {
        let count = count(tally, question, missingAreEqual: false)
        guard pairs > 0 else { return count.withoutCredit }
        let share = self[question].votes / Double(pairs)
        return question == .errors
            ? count.withoutCredit.adding(worse: Double(suspects) * share)
            : count.withoutCredit.turning(worse: Double(uncompared) * share)
    }
}
