// Wingmirror · Apache-2.0

import Testing

@testable import ShadowTesting

@Suite struct CircuitBreakerTests {
    private static let second: Int64 = 1_000_000_000

    private func settings(latency: Duration? = nil) -> BreakerSettings {
        var settings = BreakerSettings()
        settings.errorShare = 0.5
        settings.window = 4
        settings.latency = latency
        settings.rest = .seconds(30)
        return settings
    }

    @Test func `it opens when more than the share of the latest outcomes fails, and not before there are enough`() {
        var breaker = CircuitBreaker(settings())
        let outcomes = [true, true, false, false, true, false, true, true]
        let opened = outcomes.enumerated().map { breaker.requestEnded(isFailure: $1, latency: 0, now: Int64($0)) }
        // Two of four is not more than half; of the last four, three fail at the end.
        #expect(opened == [false, false, false, false, false, false, false, true])
        let state = breaker.state(now: 8)
        #expect(state == .open(until: 30 * Self.second + 7))
    }

    @Test func `answers that take too long open it as well`() {
        var breaker = CircuitBreaker(settings(latency: .milliseconds(100)))
        for _ in 0..<3 {
            let opened = breaker.requestEnded(isFailure: false, latency: 90_000_000, now: 0)
            #expect(!opened)
        }
        let opened = breaker.requestEnded(isFailure: false, latency: 140_000_000, now: 0)
        #expect(opened)
    }

    @Test func `a clock that is set back makes no rest longer`() {
        var breaker = CircuitBreaker(settings())
        for _ in 0..<4 { _ = breaker.requestEnded(isFailure: true, latency: 0, now: 7200 * Self.second) }
        let open = breaker.state(now: 7201 * Self.second)
        #expect(open == .open(until: 7230 * Self.second))
        let later = breaker.state(now: 3600 * Self.second)
        #expect(later == .halfOpen(probeIsOut: false))
    }

    @Test func `one probe after the rest closes it or opens it again`() {
        var breaker = CircuitBreaker(settings())
        for _ in 0..<4 { _ = breaker.requestEnded(isFailure: true, latency: 0, now: 0) }
        var allowed = breaker.allowsRequest(now: 30 * Self.second - 1)
        #expect(!allowed)

        // The rest is over: one request, and no other until it has ended.
        allowed = breaker.allowsRequest(now: 30 * Self.second)
        #expect(allowed)
        breaker.requestSent()
        allowed = breaker.allowsRequest(now: 40 * Self.second)
        #expect(!allowed)
        #expect(breaker.isOpen)
        let openedAgain = breaker.requestEnded(isFailure: true, latency: 0, now: 40 * Self.second)
        #expect(openedAgain)
        let state = breaker.state(now: 69 * Self.second)
        #expect(state == .open(until: 70 * Self.second))

        allowed = breaker.allowsRequest(now: 70 * Self.second)
        #expect(allowed)
        breaker.requestSent()
        _ = breaker.requestEnded(isFailure: false, latency: 0, now: 71 * Self.second)
        #expect(!breaker.isOpen)
        // The window is empty, so failures before the rest do not count any more.
        let opened = (0..<3).map { _ in breaker.requestEnded(isFailure: true, latency: 0, now: 72 * Self.second) }
        #expect(opened == [false, false, false])
    }

    @Test func `a probe that was given up says nothing, and another may go`() {
        var breaker = CircuitBreaker(settings())
        for _ in 0..<4 { _ = breaker.requestEnded(isFailure: true, latency: 0, now: 0) }
        _ = breaker.allowsRequest(now: 30 * Self.second)
        breaker.requestSent()
        breaker.requestCancelled()
        let allowed = breaker.allowsRequest(now: 30 * Self.second)
        #expect(allowed)
    }

    @Test func `outcomes of requests sent before it opened change nothing`() {
        var breaker = CircuitBreaker(settings())
        for _ in 0..<4 { _ = breaker.requestEnded(isFailure: true, latency: 0, now: 0) }
        let opened = breaker.requestEnded(isFailure: true, latency: 0, now: Self.second)
        #expect(!opened)
        let state = breaker.state(now: Self.second)
        #expect(state == .open(until: 30 * Self.second))
    }
}

@Suite struct RampTests {
    private static let second: Int64 = 1_000_000_000

    private func ramp() -> Ramp {
        var settings = RampSettings()
        settings.steps = [0.01, 0.1, 0.5]
        settings.hold = .seconds(60)
        return Ramp(settings)
    }

    @Test func `each step is held, and passed only by a target that answers`() {
        var ramp = ramp()
        ramp.timePassed(now: 0)
        #expect(ramp.share == 0.01)
        // An hour without an answer proves nothing.
        ramp.timePassed(now: 3600 * Self.second)
        #expect(ramp.share == 0.01)
        ramp.answerArrived(now: 3601 * Self.second)
        #expect(ramp.share == 0.1)
        ramp.answerArrived(now: 3660 * Self.second)
        #expect(ramp.share == 0.1)
        ramp.answerArrived(now: 3661 * Self.second)
        #expect(ramp.share == 0.5)
        ramp.answerArrived(now: 3721 * Self.second)
        #expect(ramp.share == 1)
    }

    @Test func `what is unhealthy goes back a step and holds it anew`() {
        var ramp = ramp()
        for minute in 0...3 { ramp.answerArrived(now: Int64(minute) * 60 * Self.second) }
        #expect(ramp.share == 1)
        ramp.becameUnhealthy(now: 200 * Self.second)
        #expect(ramp.share == 0.5)
        ramp.becameUnhealthy(now: 210 * Self.second)
        #expect(ramp.share == 0.1)
        ramp.answerArrived(now: 269 * Self.second)
        #expect(ramp.share == 0.1)
        ramp.answerArrived(now: 270 * Self.second)
        #expect(ramp.share == 0.5)
        for _ in 0..<9 { ramp.becameUnhealthy(now: 271 * Self.second) }
        #expect(ramp.share == 0.01)
    }

    @Test func `without steps everything is sent, whatever happens`() {
        var ramp = Ramp(RampSettings())
        ramp.becameUnhealthy(now: 0)
        #expect(ramp.share == 1)
    }
}

@Suite struct BackOffTests {
    private static let second: Int64 = 1_000_000_000

    /// A hundred outcomes within a second, so many of them failures.
    private func second(_ number: Int64, failures: Int, of backOff: inout BackOff) -> Bool {
        (1...100).map { index in
            backOff.requestEnded(
                isOverload: index <= failures,
                now: number * Self.second + Int64(index) * Self.second / 100
            )
        }
        .contains(true)
    }

    @Test func `one failure in a hundred, or ten, changes nothing`() {
        var backOff = BackOff()
        for number in 0..<20 {
            let isLess = second(Int64(number), failures: number < 10 ? 1 : 10, of: &backOff)
            #expect(!isLess)
        }
        #expect(backOff.share == 1)
    }

    @Test func `the share halves after each second of failures and comes back by twentieths`() {
        var backOff = BackOff()
        for number in 0..<4 { _ = second(Int64(number), failures: 60, of: &backOff) }
        let low = backOff.share
        #expect(low < 0.5)
        for number in 4..<7 { _ = second(Int64(number), failures: 0, of: &backOff) }
        #expect(backOff.share > low && backOff.share < low + 0.2)
        for number in 7..<40 { _ = second(Int64(number), failures: 0, of: &backOff) }
        #expect(backOff.share == 1)
    }

    @Test func `a few outcomes say nothing, however long they take`() {
        var backOff = BackOff()
        let first = (0..<9).map { backOff.requestEnded(isOverload: true, now: Int64($0) * Self.second) }
        let last = backOff.requestEnded(isOverload: true, now: 10 * Self.second)
        #expect(!first.contains(true) && last)
    }

    @Test func `something is always let through`() {
        var backOff = BackOff()
        for number in 0..<100 { _ = second(Int64(number), failures: 100, of: &backOff) }
        #expect(backOff.share == BackOff.least)
    }
}
