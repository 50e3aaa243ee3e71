// Wingmirror · Apache-2.0

/// The routes that a history follows, each with a number as long as any slot may name it.
struct HistoryRoutes: Sendable {
    /// By number; `nil` for numbers that are free.
    private(set) var states: [State?] = []
    private var numbers: [RouteLabels: Int] = [:]
    private var freeNumbers: [Int] = []
    /// Those that had requests when there was no room; what they counted before they get some belongs to no slot.
    private(set) var leftOut: Set<RouteLabels> = []
    private var removedCount = 0

    /// What is known of a route.
    struct State: Sendable {
        let labels: RouteLabels
        /// All that it has counted.
        var counts = RouteCounts()
        /// When its latest request began.
        var lastRequestAt: Int64?
        /// Whether the registry has it no longer.
        var isRemoved = false
        /// The end of the latest slot that may name it.
        var namedUntil: Int64 = .min
    }

    /// The number of a route that is followed.
    func number(of labels: RouteLabels) -> Int? { numbers[labels] }

    /// How many routes are followed.
    var count: Int { numbers.count }

    /// Takes what routes have counted up to `now`, and gives what they counted since the reading before, by number.
    mutating func take(
        _ reading: TrafficReading,
        limit: Int,
        at now: Int64
    ) -> [(number: Int, counts: RouteCounts)] {
        for labels in reading.removed {
            routeRemoved(labels)
        }
        var counted: [(number: Int, counts: RouteCounts)] = []
        counted.reserveCapacity(reading.routes.count)
        for route in reading.routes {
            if let number = numbers[route.labels] {
                counted.append((number, take(route, number, at: now)))
            } else if count >= limit {
                leftOut.insert(route.labels)
            } else {
                let number = insert(route.labels)
                let counts = take(route, number, at: now)
                counted.append((number, leftOut.remove(route.labels) == nil ? counts : RouteCounts()))
            }
        }
        counted.sort { $0.number < $1.number }
        return counted
    }

    /// Forgets the routes that the registry has no longer and that ended before the oldest slot began.
    mutating func forget(endedBefore oldest: Int64) {
        guard removedCount > 0 else { return }
        for (number, state) in states.enumerated() {
            guard let state, state.isRemoved, state.namedUntil <= oldest else { continue }
            numbers[state.labels] = nil
            states[number] = nil
            freeNumbers.append(number)
            removedCount -= 1
        }
    }

    // MARK: - One route

    private mutating func insert(_ labels: RouteLabels) -> Int {
        let number = freeNumbers.popLast() ?? states.count
        if number == states.count { states.append(nil) }
        states[number] = State(labels: labels)
        numbers[labels] = number
        return number
    }

    private mutating func take(_ route: TrafficReading.Route, _ number: Int, at now: Int64) -> RouteCounts {
        guard var state = states[number] else { preconditionFailure("HistoryRoutes.take: a number has a route") }
        // Whatever a route counted under other counters is over.
        let older = state.isRemoved || route.hasBegunAgain ? RouteCounts() : state.counts
        if state.isRemoved { removedCount -= 1 }
        state.isRemoved = false
        state.counts = route.counts
        state.lastRequestAt = route.lastRequestAt ?? state.lastRequestAt
        state.namedUntil = now
        states[number] = state
        return route.counts.counted(since: older)
    }

    private mutating func routeRemoved(_ labels: RouteLabels) {
        leftOut.remove(labels)
        guard let number = numbers[labels], states[number]?.isRemoved == false else { return }
        states[number]?.isRemoved = true
        removedCount += 1
    }
}
