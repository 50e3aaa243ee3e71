// Wingmirror · Apache-2.0

/// What has prevailed for each key for as long as it is remembered, so that what is wrong for one user is wrong once.
///
/// Two generations of at most half the limit each: a key that is not seen again for a generation is forgotten, and what it
/// said stays counted.
struct KeyTable: Sendable {
    /// What has prevailed on one question at one place, for one key.
    struct Entry: Sendable {
        let question: UInt8
        let place: UInt8
        var net: Int64
    }

    private var young: [VoteTable.Key: [Entry]] = [:]
    private var old: [VoteTable.Key: [Entry]] = [:]
    private let limit: Int

    init(limit: Int) {
        self.limit = max(2, limit)
    }

    /// Notes what a pair of a key says.
    /// - Returns: What prevailed for the key before, and what prevails now.
    mutating func noted(_ key: VoteTable.Key, question: Question, place: UInt8, side: Int64) -> (
        before: Int64, after: Int64
    ) {
        var entries = young[key] ?? old.removeValue(forKey: key) ?? []
        let number = UInt8(question.rawValue)
        var before: Int64 = 0
        if let index = entries.firstIndex(where: { $0.question == number && $0.place == place }) {
            before = entries[index].net
            entries[index].net += side
        } else {
            entries.append(Entry(question: number, place: place, net: side))
        }
        if young[key] == nil, young.count >= limit / 2 {
            old = young
            young = [:]
        }
        young[key] = entries
        return (before, before + side)
    }

    /// Forgets everything.
    mutating func removeAll() {
        young.removeAll()
        old.removeAll()
    }
}
