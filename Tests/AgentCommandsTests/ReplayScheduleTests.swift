// Wingmirror · Apache-2.0

import OctetText
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct ReplayScheduleTests {
    /// Requests at 0, 1, 2.5 and 4 seconds of a recording.
    private static let times = [10, 11, 12.5, 14].map { Int64($0 * 1_000_000_000) }

    private static func dues(_ pace: ReplaySchedule.Pace, loops: Int = 1) -> [Duration] {
        let schedule = ReplaySchedule(times: times, pace: pace)
        return (0..<loops).flatMap { loop in (0..<times.count).map { schedule.due($0, loop: loop) } }
    }

    @Test func `requests are as far apart as they were recorded`() {
        #expect(Self.dues(.speed(1)) == [.zero, .seconds(1), .seconds(2.5), .seconds(4)])
    }

    @Test func `twice the speed halves the time between them`() {
        #expect(Self.dues(.speed(2)) == [.zero, .seconds(0.5), .seconds(1.25), .seconds(2)])
        #expect(Self.dues(.speed(0.5)).last == .seconds(8))
    }

    @Test func `a rate does not ask when they were recorded`() {
        #expect(Self.dues(.rate(4), loops: 2) == (0..<8).map { .milliseconds(250 * $0) })
    }

    @Test func `the next round begins as long after the last request as requests are apart on average`() {
        let dues = Self.dues(.speed(1), loops: 3)
        #expect(dues[4] - dues[3] == .nanoseconds(1_333_333_333))
        let expected = 2 * (4.0 + 4.0 / 3)
        #expect(dues[8] == .nanoseconds(Int64((expected * 1e9).rounded())))
    }

    @Test func `requests of a million rounds are due without drift`() {
        let schedule = ReplaySchedule(times: Self.times, pace: .rate(1000))
        #expect(schedule.due(0, loop: 999_999) == .milliseconds(3_999_996))
        #expect(schedule.due(3, loop: 999_999) == .milliseconds(3_999_999))
    }

    @Test func `a recording of one request, or of one moment, has rounds at once`() {
        #expect(ReplaySchedule(times: [7], pace: .speed(1)).due(0, loop: 5) == .zero)
        #expect(ReplaySchedule(times: [.min, .max], pace: .speed(1)).due(1, loop: 0) >= .zero)
    }

    @Test(arguments: [("2x", 2.0), ("0.5x", 0.5), ("200%", 2), ("1x", 1), ("50%", 0.5)])
    func `a speed is a factor or a percentage`(_ text: String, _ speed: Double) {
        #expect(ReplaySchedule.Pace.speed(text) == .speed(speed))
    }

    @Test(arguments: ["", "x", "2", "0x", "-1x", "1e9x", "nanx", "infx", "%", "2 x"])
    func `other texts are no speed`(_ text: String) {
        #expect(ReplaySchedule.Pace.speed(text) == nil)
    }
}

@Suite struct DurationDigestTests {
    @Test func `quantiles are right to within the width of a bucket`() throws {
        var digest = DurationDigest()
        for microseconds in 1...100_000 { digest.add(.microseconds(microseconds)) }
        for (share, expected) in [(0.5, 50_000.0), (0.9, 90_000), (0.99, 99_000), (1, 100_000)] {
            let found = Double(try #require(digest.quantile(share)).nanoseconds) / 1000
            #expect((found - expected).magnitude / expected < 0.016)
        }
        #expect(digest.longest == .milliseconds(100))
        #expect(digest.count == 100_000)
    }

    @Test func `no quantile exceeds the longest`() {
        for nanoseconds in [Int64(0), 1, 63, 64, 65, 127, 128, 1_000_003, .max] {
            var digest = DurationDigest()
            digest.add(.nanoseconds(nanoseconds))
            #expect(digest.quantile(0.5) == .nanoseconds(nanoseconds))
        }
    }

    @Test func `nothing has no quantile and a negative duration is none`() {
        var digest = DurationDigest()
        #expect(digest.quantile(0.5) == nil)
        digest.add(.seconds(-1))
        #expect(digest.longest == .zero)
        #expect(digest.quantile(0.5) == .zero)
    }
}
