// Wingmirror · Apache-2.0

import Testing

@testable import AnswerComparison

@Suite struct VoteTableTests {
    static func key(_ number: Int) -> VoteTable.Key { VoteTable.Key(record: 0, keyHash: UInt64(number)) }

    @Test func `a vote stays for its window and no longer`() {
        var table = VoteTable(limit: 10)
        var (vote, isNew) = table.vote(Self.key(1), time: 0, window: .seconds(1))
        #expect(isNew)
        vote.pairs[0] = 7
        table.keep(vote, for: Self.key(1))
        let within = table.vote(Self.key(1), time: 999_999_999, window: .seconds(1))
        #expect(!within.isNew && within.vote.pairs[0] == 7)
        let after = table.vote(Self.key(1), time: 1_000_000_000, window: .seconds(1))
        #expect(after.isNew && after.vote.pairs[0] == 0)
    }

    @Test func `a pair that comes late belongs to the window, and one from before the clock was set back does not`() {
        var table = VoteTable(limit: 10)
        let start: Int64 = 7_200_000_000_000
        _ = table.vote(Self.key(1), time: start, window: .seconds(10))
        #expect(!table.vote(Self.key(1), time: start - 40_000_000_000, window: .seconds(10)).isNew)
        #expect(table.vote(Self.key(1), time: start - 3_600_000_000_000, window: .seconds(10)).isNew)
        #expect(!table.vote(Self.key(1), time: start - 3_599_000_000_000, window: .seconds(10)).isNew)
    }

    @Test func `the oldest vote gives way, and is counted when its window was open`() {
        var table = VoteTable(limit: 3)
        for number in 0..<5 { _ = table.vote(Self.key(number), time: Int64(number), window: .seconds(1)) }
        #expect(table.forgotten == 2)
        #expect(!table.vote(Self.key(4), time: 5, window: .seconds(1)).isNew)
        #expect(table.vote(Self.key(0), time: 5, window: .seconds(1)).isNew)
        _ = table.vote(Self.key(9), time: 10_000_000_000, window: .seconds(1))
        #expect(table.forgotten == 3)
    }

    @Test func `votes whose window has ended take no room`() {
        var table = VoteTable(limit: 1000)
        for number in 0..<500 {
            _ = table.vote(Self.key(number), time: Int64(number) * 100_000_000, window: .seconds(1))
            #expect(table.count <= 11)
        }
        #expect(table.forgotten == 0)
    }

    @Test func `keys that come again and again take no room`() {
        var table = VoteTable(limit: 4)
        for round in 0..<10_000 {
            _ = table.vote(Self.key(round % 3), time: Int64(round) * 1_000_000_000, window: .seconds(1))
            #expect(table.order.count <= 8)
        }
        #expect(table.forgotten == 0)
    }
}
