// Wingmirror · Apache-2.0

import OctetText

/// What a history answers.
///
/// A window ends with the latest sample. It takes whole slots, so it may begin up to five seconds, further back a minute,
/// earlier than asked for; what it covers is said in `TrafficActivity.seconds`.
extension TrafficHistory {
    /// When the oldest slot begins; `nil` without slots.
    var reach: Int64? {
        slots.first?.start
    }

    /// What each route that has had requests did in a window, those without requests in it too, ordered by labels.
    ///
    /// One pass over the slots that the window and the trend need.
    /// - Parameters:
    ///   - window: How far back the figures go.
    ///   - trend: The steps of the trend; the last ends with the latest sample.
    /// - Returns: The routes.
    public func routes(over window: Duration, trend: TrendShape = .none) -> [RouteActivity] {
        let windowSlots = slots(over: window)
        let trendGrid = TrendGrid(trend, until: latestSample ?? 0)
        let all = trend.steps > 0 ? slots.filter { trendGrid.touches($0) || isIncluded($0, in: window) } : windowSlots
        let seconds = Self.seconds(windowSlots)
        let isInWindow = all.map { isIncluded($0, in: window) }
        let covered = trendGrid.covered(by: all)
        var counts = DenseCounts(layout: layout)
        var activities: [RouteActivity] = []
        var walk = HistoryWalk(all)
        var next = walk.next()
        for (number, state) in routes.states.enumerated() {
            guard let state else { continue }
            counts.clear()
            var requests = [Double](repeating: 0, count: trend.steps)
            if next == number {
                for entry in walk.entries {
                    let slot = all[entry.slot]
                    if isInWindow[entry.slot] { entry.add(to: &counts, in: slot) }
                    if trend.steps > 0 { trendGrid.spread(entry.requests(in: slot), of: slot, over: &requests) }
                }
                next = walk.next()
            }
            activities.append(
                RouteActivity(
                    labels: state.labels,
                    activity: TrafficActivity(counts, seconds: seconds, layout: layout),
                    totalRequests: state.counts.requests,
                    lastRequestAt: state.lastRequestAt,
                    isRemoved: state.isRemoved,
                    trend: zip(requests, covered).map { $1 > 0 ? $0 / $1 : nil }
                )
            )
        }
        return activities.sorted { $0.labels < $1.labels }
    }

    /// What everything did in a window.
    public func totals(over window: Duration) -> TrafficTotals {
        let included = slots(over: window)
        var counts = DenseCounts(layout: layout)
        var capture = CaptureReading()
        var answers = UnmatchedAnswers()
        for slot in included {
            counts.add(slot.totals)
            answers.add(slot.answers)
            capture.add(slot.capture)
        }
        return TrafficTotals(
            routes: TrafficActivity(counts, seconds: Self.seconds(included), layout: layout),
            unmatched: Self.unmatched(included),
            unmatchedAnswers: answers,
            capture: capture
        )
    }

    /// Requests per second that arrived at the gateway, with a route and without, in each step of a trend.
    public func trend(_ shape: TrendShape) -> [Double?] {
        let grid = TrendGrid(shape, until: latestSample ?? 0)
        let included = slots.filter { grid.touches($0) }
        var requests = [Double](repeating: 0, count: shape.steps)
        for slot in included {
            let arrived = UnmatchedReason.allCases.reduce(slot.totals.requests) {
                $0 + ($1.isArrival ? slot.unmatched[Int($1.rawValue)] : 0)
            }
            grid.spread(arrived, of: slot, over: &requests)
        }
        return zip(requests, grid.covered(by: included)).map { $1 > 0 ? $0 / $1 : nil }
    }

    /// What a route did, step by step; empty for one that has had no requests.
    /// - Parameters:
    ///   - labels: The route.
    ///   - window: How far back it goes.
    ///   - step: How long a step is; slots are not divided, so none is shorter than they are.
    /// - Returns: The steps that were covered, in order, also those without requests.
    public func timeline(of labels: RouteLabels, over window: Duration, step: Duration) -> [TimelinePoint] {
        guard let number = routes.number(of: labels) else { return [] }
        return steps(over: window, step: step).map { slots in
            var counts = DenseCounts(layout: layout)
            for slot in slots {
                HistoryWalk.entry(of: number, in: slot)?.add(to: &counts, in: slot)
            }
            return TimelinePoint(
                start: slots.first?.start ?? 0,
                end: slots.last?.end ?? 0,
                activity: TrafficActivity(counts, seconds: Self.seconds(slots), layout: layout)
            )
        }
    }

    // MARK: - Slots of a window

    private var slots: [HistorySlot] { coarse + fine }

    private func slots(over window: Duration) -> [HistorySlot] {
        slots.filter { isIncluded($0, in: window) }
    }

    private func isIncluded(_ slot: HistorySlot, in window: Duration) -> Bool {
        guard let latestSample else { return false }
        return slot.end > latestSample - window.nanoseconds
    }

    /// The slots of a window by the step in which they end; a gap ends a step.
    private func steps(over window: Duration, step: Duration) -> [[HistorySlot]] {
        let length = max(step.nanoseconds, 1)
        var steps: [[HistorySlot]] = []
        for slot in slots(over: window) {
            if let last = steps.last?.last, last.end == slot.start, (last.end - 1) / length == (slot.end - 1) / length {
                steps[steps.count - 1].append(slot)
            } else {
                steps.append([slot])
            }
        }
        return steps
    }

    private static func seconds(_ slots: [HistorySlot]) -> Double {
        Double(slots.reduce(0) { $0 + $1.end - $1.start }) / 1e9
    }

    private static func unmatched(_ slots: [HistorySlot]) -> [UnmatchedReason: UInt64] {
        var unmatched: [UnmatchedReason: UInt64] = [:]
        for reason in UnmatchedReason.allCases {
            let count = slots.reduce(0) { $0 + $1.unmatched[Int(reason.rawValue)] }
            if count > 0 { unmatched[reason] = count }
        }
        return unmatched
    }
}
