// Wingmirror · Apache-2.0

import Testing

@testable import ShadowTesting

@Suite struct TokenBucketTests {
    @Test func `a full bucket lets its capacity through and then a token at a time`() {
        var bucket = TokenBucket(rate: 10, capacity: 3)
        let taken = [0, 0, 0, 0, 99_999_000, 100_000_000, 100_000_000].map { bucket.take(now: $0) }
        #expect(taken == [true, true, true, false, false, true, false])
    }

    @Test func `the time told for a token is neither too early nor late`() throws {
        for rate in [0.1, 3, 7, 49.9, 1e6] {
            var bucket = TokenBucket(rate: rate, capacity: 1)
            var now: Int64 = 1_700_000_000_000_000_000
            var taken = [bucket.take(now: now)]
            for _ in 0..<100 {
                let next = bucket.time(now: now)
                now = try #require(next)
                taken.append(bucket.take(now: now))
            }
            #expect(!taken.contains(false), "rate \(rate)")
            let seconds = Double(now - 1_700_000_000_000_000_000) / 1e9
            #expect(abs(seconds * rate / 100 - 1) < 0.001, "rate \(rate)")
        }
    }

    @Test func `no second gets more than the rate and the capacity`() {
        var bucket = TokenBucket(rate: 50, capacity: 5)
        var sent: [Int64] = []
        for step in 0..<50_000 {
            let now = Int64(step) * 100_000
            if bucket.take(now: now) { sent.append(now) }
        }
        for (index, start) in sent.enumerated() {
            #expect(sent[index...].prefix { $0 < start + 1_000_000_000 }.count <= 55)
        }
        #expect(abs(sent.count - 250) <= 5)
    }

    @Test func `nothing passes at a rate of nothing`() {
        var bucket = TokenBucket(rate: 0, capacity: 10)
        let (now, time, later) = (bucket.take(now: 0), bucket.time(now: 0), bucket.take(now: .max))
        #expect(!now && time == nil && !later)
    }

    @Test func `a clock that goes back neither gives nor takes`() {
        var bucket = TokenBucket(rate: 1, capacity: 1)
        let taken = [10_000_000_000, 5_000_000_000, 5_900_000_000, 6_000_000_000].map { bucket.take(now: $0) }
        #expect(taken == [true, false, false, true])
    }

    @Test func `what was charged too much is waited for`() {
        var bucket = TokenBucket(rate: 100, capacity: 100)
        bucket.charge(250, now: 0)
        let end = bucket.time(of: 0, now: 0)
        #expect(end == 1_500_000_000)
        let settled = [0, 1_499_000_000, 1_500_000_000].map { bucket.isSettled(now: $0) }
        #expect(settled == [false, false, true])
    }
}

@Suite struct EgressBudgetTests {
    @Test func `sending pauses when more than a second's worth has gone`() {
        var budget = EgressBudget(octetsPerSecond: 1000)
        let ends = [(600, 0), (900, 0), (0, 500_000_000)].map { budget.requestSent(octets: $0, now: $1) }
        #expect(ends == [nil, 500_000_000, nil])
    }

    @Test func `without a bound nothing pauses`() {
        var budget = EgressBudget(octetsPerSecond: nil)
        let end = budget.requestSent(octets: .max, now: 0)
        #expect(end == nil)
    }
}
