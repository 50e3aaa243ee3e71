// Wingmirror · Apache-2.0

internal import TrafficModel

/// When candidate and baseline were asked the same, and when they had answered, as the agent saw it.
///
/// What an answer says was true at some moment between the two. Before that moment as well as after it the request or the
/// answer may have waited: at the agent, on the way, or at a target that gets too little processor time.
struct AskingMoments: Sendable, Hashable {
    /// How much later the candidate was asked than the baseline, in nanoseconds.
    let asked: Int64
    /// From asking the candidate to the first octet of its answer, in nanoseconds.
    let candidateLatency: Int64
    /// The same of the baseline.
    let baselineLatency: Int64
    /// From the end of production's answer to asking the baseline, in nanoseconds: the least that lies between what the two
    /// answers say; `nil` where that is not known.
    let lag: Int64?

    /// The most that may lie between what the two answers say, in nanoseconds.
    var reach: Int64 { max(asked + candidateLatency, baselineLatency - asked) }

    /// Times beyond this are wrong; in nanoseconds, some eleven days.
    private static let most: Int64 = 1_000_000_000_000_000

    /// Makes moments of their distances.
    init(asked: Int64, candidateLatency: Int64 = 0, baselineLatency: Int64 = 0, lag: Int64? = nil) {
        self.asked = min(max(asked, -Self.most), Self.most)
        self.candidateLatency = min(max(candidateLatency, 0), Self.most)
        self.baselineLatency = min(max(baselineLatency, 0), Self.most)
        self.lag = lag.flatMap { 0 < $0 && $0 <= Self.most ? $0 : nil }
    }
}

extension ComparedPair {
    /// When candidate and baseline were asked; `nil` when that is not known.
    var moments: AskingMoments? {
        guard let baseline, let ours = candidate.sendingTime, let theirs = baseline.sendingTime else { return nil }
        let asked = ours.subtractingReportingOverflow(theirs)
        let answered = production.startTime.addingReportingOverflow(production.durationNanoseconds ?? 0)
        let lag = theirs.subtractingReportingOverflow(answered.partialValue)
        guard !asked.overflow else { return nil }
        return AskingMoments(
            asked: asked.partialValue,
            candidateLatency: candidate.firstByteNanoseconds,
            baselineLatency: baseline.firstByteNanoseconds,
            lag: answered.overflow || lag.overflow ? nil : lag.partialValue
        )
    }
}

extension ShadowAnswer {
    /// When the copy was sent, in nanoseconds since the Unix epoch; `nil` when that is not known.
    fileprivate var sendingTime: Int64? {
        guard intendedTime > 0 else { return nil }
        let time = intendedTime.addingReportingOverflow(queueNanoseconds)
        return time.overflow ? nil : time.partialValue
    }
}

/// How quickly a target answers when nothing waits: the least of the last some hundred answers.
struct QuickestAnswer: Sendable, Hashable {
    /// Over how many answers the least is taken, and as many before.
    private static let window = 256

    private var least: Int64 = .max
    private var leastBefore: Int64 = .max
    private var count = 0

    /// Takes in how long an answer took, in nanoseconds.
    mutating func observed(_ latency: Int64) {
        if count == Self.window { (leastBefore, least, count) = (least, .max, 0) }
        least = min(least, latency)
        count += 1
    }

    /// How much longer an answer took than it needs to, in nanoseconds; 0 when it is no more than half of that again.
    func delay(of latency: Int64) -> Int64 {
        let usual = min(least, leastBefore)
        guard usual <= latency, latency - usual > usual / 2 else { return 0 }
        return latency - usual
    }
}
