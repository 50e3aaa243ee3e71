// Wingmirror · Apache-2.0

import OctetText

/// What each key has voted on within its window: one user or object has one vote, however many requests it makes.
struct VoteTable: Sendable {
    /// Whose vote it is, and on what.
    struct Key: Hashable, Sendable {
        let record: Int
        let keyHash: UInt64
    }

    /// What has been voted on.
    struct Vote: Sendable {
        /// When the window began.
        let start: Int64
        /// Whether it counts among the votes with a reference.
        var isPaired = false
        /// Whether it has fallen to one side.
        var isDecided = false
        /// Whether it has shown a difference from production.
        var isMismatch = false
        /// Places on which it has fallen to one side.
        var places: UInt64 = 0
        /// Places at which it has shown a difference from production.
        var mismatches: UInt64 = 0
    }

    private var votes: [Key: Vote] = [:]
    /// The keys in the order in which their windows began, at most twice the limit; those before `head` are gone.
    private var order: [(key: Key, start: Int64)] = []
    private var head = 0
    private let limit: Int
    /// Keys forgotten before their window ended.
    private(set) var forgotten: UInt64 = 0

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// How many windows are remembered, those that have begun again since among them.
    var remembered: Int { order.count }

    /// The vote of a key, or a new one, when there is none or its window has ended.
    mutating func vote(_ key: Key, time: Int64, window: Duration) -> (vote: Vote, isNew: Bool) {
        if let vote = votes[key], time < vote.start.advanced(by: window) { return (vote, false) }
        if votes.count >= limit, votes[key] == nil { forgetOldest(at: time, window: window) }
        if order.count >= 2 * limit { dropStale() }
        order.append((key, time))
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

    private mutating func forgetOldest(at time: Int64, window: Duration) {
        while head < order.count {
            let (key, start) = order[head]
            head += 1
            // A key whose window began again stands in the order twice.
            guard let vote = votes[key], vote.start == start else { continue }
            votes[key] = nil
            if time < start.advanced(by: window) { forgotten += 1 }
            break
        }
    }

    /// Takes out of the order what is gone or has begun again since.
    private mutating func dropStale() {
        order = order[head...].filter { votes[$0.key]?.start == $0.start }
        head = 0
    }
}
