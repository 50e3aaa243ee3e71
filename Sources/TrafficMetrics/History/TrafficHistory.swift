// Wingmirror · Apache-2.0

/// What the routes did in the last minutes and hours, for those who look at them: the agent's page and `top`.
///
/// Whoever shows the traffic calls `sampled` about once a second, and asks for tables and timelines in between. Counters
/// are cumulative, so a sample costs what has changed since the one before; the difference goes into the slot of the
/// present five seconds. Slots that are no longer recent are joined to longer ones, and the oldest go when there are too
/// many or they hold too much (`HistoryLimits`). Nothing here is on the packet path, and no clock is read: time is that
/// of the samples, be it the day's or that of packets from a savefile.
///
/// When nobody looks, nobody needs to sample. The time until the next sample is then a gap: no slot covers it, timelines
/// leave it out, and rates are taken over the time that was covered.
///
/// A value without locks; whoever shares it guards it.
public struct TrafficHistory: Sendable {
    /// What is kept.
    public let limits: HistoryLimits
    /// The time of the latest sample; `nil` before the first.
    public private(set) var latestSample: Int64?

    /// How many octets the slots hold, about.
    public private(set) var size = 0
    /// How many routes are left out because `limits.routes` was met.
    public var leftOutRoutes: Int { routes.leftOut.count }

    let layout: HistogramLayout
    /// The slots of the time before the recent past, then those of the recent past; in order, never overlapping.
    private(set) var coarse: [HistorySlot] = []
    private(set) var fine: [HistorySlot] = []
    private(set) var routes = HistoryRoutes()
    private var reader = TrafficReader()
    private var capture = CaptureReading()
    private var unmatched = [UInt64](repeating: 0, count: UnmatchedReason.allCases.count)
    private var answers = UnmatchedAnswers()

    /// Makes an empty history of what a registry counts.
    public init(of registry: MetricsRegistry, limits: HistoryLimits = HistoryLimits()) {
        self.init(layout: registry.layout.duration, limits: limits)
    }

    init(layout: HistogramLayout, limits: HistoryLimits) {
        self.layout = layout
        self.limits = limits
    }

    // MARK: - Samples

    /// Counting began, from zero, at this time; to be told before the first sample.
    ///
    /// Without it the first sample only says what there was before.
    public mutating func countingBegan(at time: Int64) {
        precondition(latestSample == nil, "TrafficHistory.countingBegan: before the first sample")
        latestSample = time
    }

    /// Takes what is counted now.
    /// - Parameters:
    ///   - registry: What is counted of the traffic; always the one that the history was made for.
    ///   - capture: What is counted of the capture.
    ///   - now: Nanoseconds since the Unix epoch. A time that is not after the latest sample is left out, unless the
    ///     clock was set back by more than `limits.longestStepNanoseconds`: then the history begins again.
    public mutating func sampled(_ registry: MetricsRegistry, capture: CaptureReading = CaptureReading(), at now: Int64)
    {
        guard isAfterLatestSample(now) else { return }
        sampled(reader.read(registry), capture: capture, at: now)
    }

    /// Takes what is counted now, as a reading.
    mutating func sampled(_ reading: TrafficReading, capture: CaptureReading, at now: Int64) {
        guard isAfterLatestSample(now) else { return }
        let counted = routes.take(reading, limit: limits.routes, at: now)
        if let start = latestSample, now - start <= limits.longestStepNanoseconds ?? .max {
            let slot = HistorySlot(
                start: start,
                end: now,
                routes: counted,
                unmatched: zip(reading.unmatched, unmatched).map { $0 >= $1 ? $0 - $1 : $0 },
                answers: reading.answers.counted(since: answers),
                capture: capture.counted(since: self.capture),
                layout: layout
            )
            append(slot)
        }
        latestSample = now
        self.capture = capture
        unmatched = reading.unmatched
        answers = reading.answers
        trim()
        routes.forget(endedBefore: (coarse.first ?? fine.first)?.start ?? now)
    }

    /// Whether a sample of this time can be taken; a clock that was set back far makes the history begin again.
    private mutating func isAfterLatestSample(_ now: Int64) -> Bool {
        guard let latestSample, now <= latestSample else { return true }
        guard let longestStep = limits.longestStepNanoseconds, latestSample - now > longestStep else { return false }
        coarse.removeAll()
        fine.removeAll()
        self.latestSample = nil
        return true
    }

    // MARK: - Slots

    private mutating func append(_ slot: HistorySlot) {
        size += slot.size
        if let last = fine.last, isJoined(last, slot, length: limits.fineSlotNanoseconds) {
            fine[fine.count - 1] = HistorySlot(joining: [last, slot], layout: layout)
            size += fine[fine.count - 1].size - last.size - slot.size
        } else {
            fine.append(slot)
        }
    }

    /// Whether two slots follow each other without a gap and end in the same stretch of time.
    private func isJoined(_ first: HistorySlot, _ second: HistorySlot, length: Int64) -> Bool {
        first.end == second.start && (first.end - 1) / length == (second.end - 1) / length
    }

    /// Joins what is no longer recent to longer slots, and drops the oldest.
    private mutating func trim() {
        while fine.count > limits.fineSlots {
            let slot = fine.removeFirst()
            if let last = coarse.last, isJoined(last, slot, length: limits.coarseSlotNanoseconds) {
                coarse[coarse.count - 1] = HistorySlot(joining: [last, slot], layout: layout)
                size += coarse[coarse.count - 1].size - last.size - slot.size
            } else {
                coarse.append(slot)
            }
        }
        while coarse.count > limits.coarseSlots || (size > limits.octets && !coarse.isEmpty) {
            size -= coarse.removeFirst().size
        }
        while size > limits.octets, fine.count > 1 {
            size -= fine.removeFirst().size
        }
    }
}
