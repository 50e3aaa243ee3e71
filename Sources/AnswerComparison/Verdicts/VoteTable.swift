// Wingmirror · Apache-2.0

import OctetText

/// What each key has said within its window: one user or object has one vote, the mean of what its requests say.
struct VoteTable: Sendable {
    /// Whose vote it is, and on what.
    struct Key: Hashable, Sendable {
        let record: Int
        let keyHash: UInt64
    }

    /// What a key has said within its window.
    struct Vote: Sendable {
        /// What it has said on one question at one place.
        struct Entry: Sendable {
            let question: UInt8
            let place: UInt8
            var worse: UInt32 = 0
            var better: UInt32 = 0
        }

        /// When the window began.
        let start: Int64
        /// Its pairs that voted, by question.
        var pairs = [UInt32](repeating: 0, count: Question.allCases.count)
        /// What is not even.
        var entries: [Entry] = []

        /// Makes a vote on nothing yet.
        init(start: Int64) {
            self.start = start
        }
    }

    private var votes: [Key: Vote] = [:]
    /// How many votes are remembered.
    var count: Int { votes.count }
    /// The keys in the order in which their windows began, at most twice the limit; those before `head` are gone.
    private(set) var order: [(key: Key, start: Int64, end: Int64)] = []
    private var head = 0
    private let limit: Int
    /// Keys forgotten before their window ended.
    private(set) var forgotten: UInt64 = 0

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// The vote of a key, or a new one, when there is none or its window has ended.
    mutating func vote(_ key: Key, time: Int64, window: Duration) -> (vote: Vote, isNew: Bool) {
        // A pair that comes late belongs to the window too; long before it the clock was set back.
        if let vote = votes[key], time < vote.start.advanced(by: window),
            time >= vote.start.advanced(by: .zero - max(window, TimeMarks.mostLate))
        {
            return (vote, false)
        }
        dropEnded(at: time)
        if votes.count >= limit, votes[key] == nil { forgetOldest(at: time) }
        if order.count >= 2 * limit { dropStale() }
        order.append((key, time, time.advanced(by: window)))
        let vote = Vote(start: time)
        votes[key] = vote
        return (vote, true)
    }

    /// Keeps what a key has voted on since.
    mutating func keep(_ vote: Vote, for key: Key) {
        votes[key] = vote
    }

    /// Forgets everything.
    mutating func removeAll() {
        votes.removeAll()
        order.removeAll()
        head = 0
    }

    /// How many ended windows are looked at with each new one: more than one, so that none stay.
    private static let endedAtATime = 4

    /// Forgets votes whose window has ended, which nothing is added to any more.
    private mutating func dropEnded(at time: Int64) {
        for _ in 0..<Self.endedAtATime {
            guard head < order.count, order[head].end <= time else { return }
            let (key, start, _) = order[head]
            head += 1
            if let vote = votes[key], vote.start == start { votes[key] = nil }
        }
    }

    private mutating func forgetOldest(at time: Int64) {
        while head < order.count {
            let (key, start, end) = order[head]
            head += 1
            // A key whose window began again stands in the order twice.
            guard let vote = votes[key], vote.start == start else { continue }
            votes[key] = nil
            if time < end { forgotten += 1 }
            break
        }
    }

    /// Takes out of the order what is gone or has begun again since.
    private mutating func dropStale() {
        order = order[head...].filter { votes[$0.key]?.start == $0.start }
        head = 0
    }
}
