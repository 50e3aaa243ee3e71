// Wingmirror · Apache-2.0

import AgentConfiguration

/// When each request of a replay is due, counted from the first one.
///
/// Times are those of the recording, or of a fixed rate, and never depend on how long anything before took: a request that
/// is sent late moves none of those behind it.
struct ReplaySchedule: Sendable, Equatable {
    /// How fast a recording is replayed.
    enum Pace: Sendable, Equatable {
        /// So many times as fast as it was recorded.
        case speed(Double)
        /// So many requests in a second, whenever they were recorded.
        case rate(Double)
    }

    private let pace: Pace
    /// When each request was recorded, in nanoseconds since the first.
    private let offsets: [Int64]
    /// How long one round lasts at the recorded pace, the pause before the next one included.
    private let round: Double

    /// Makes a schedule.
    /// - Parameters:
    ///   - times: When the requests were recorded, in nanoseconds since the Unix epoch, in growing order.
    ///   - pace: How fast they are replayed.
    init(times: [Int64], pace: Pace) {
        self.pace = pace
        let first = times.first ?? 0
        offsets = times.map { max(0, $0.subtractingReportingOverflow(first).partialValue) }
        let span = Double(offsets.last ?? 0)
        // Between two rounds is the mean time between two requests, so that the rate stays what it was.
        round = offsets.count > 1 ? span + span / Double(offsets.count - 1) : span
    }

    /// How many requests a round has.
    var count: Int { offsets.count }

    /// When a request is due.
    /// - Parameters:
    ///   - place: The place of the request among those of a round.
    ///   - loop: The number of the round, from 0.
    /// - Returns: The time since the first request of the first round.
    func due(_ place: Int, loop: Int) -> Duration {
        let nanoseconds: Double
        switch pace {
        case .speed(let speed): nanoseconds = (Double(offsets[place]) + Double(loop) * round) / speed
        case .rate(let perSecond): nanoseconds = Double(loop * count + place) / perSecond * 1e9
        }
        // Three hundred years, which no replay lasts.
        return .nanoseconds(Int64(min(nanoseconds, 9e18).rounded()))
    }
}

extension ReplaySchedule.Pace {
    /// Reads a speed such as `2x`, `0.5x` or `200%`; `nil` for anything else.
    static func speed(_ text: String) -> Self? {
        let isShare = text.hasSuffix("%")
        guard isShare || text.hasSuffix("x"), let number = Double(text.dropLast()), number.isFinite else { return nil }
        let speed = isShare ? number / 100 : number
        return (0.001...10_000).contains(speed) ? .speed(speed) : nil
    }
}
