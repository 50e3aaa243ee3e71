// Wingmirror · Apache-2.0

import OctetText

/// Gives a target a rest when too many requests fail or answers take too long.
///
/// It judges the latest outcomes, and only once there are as many as its window. After the rest one request goes out as a
/// probe: an answer in time closes the breaker with an empty window, anything else means another rest.
struct CircuitBreaker: Sendable, Hashable {
    /// Whether requests may be sent.
    enum State: Sendable, Hashable {
        /// They may. May be followed by `open`.
        case closed
        /// None may until the time given. May be followed by `halfOpen`.
        case open(until: Int64)
        /// One may, or is on its way. May be followed by `closed` and `open`.
        case halfOpen(probeIsOut: Bool)
    }

    /// What became of one request, as far as the breaker cares.
    private struct Outcome: Sendable, Hashable {
        let isFailure: Bool
        let latency: Int64
    }

    private let settings: BreakerSettings
    private var window: [Outcome] = []
    private var oldest = 0
    private(set) var current: State = .closed

    /// Makes a closed breaker.
    init(_ settings: BreakerSettings) {
        self.settings = settings
        window.reserveCapacity(windowLength)
    }

    /// The state at a time; the end of a rest is noticed here.
    mutating func state(now: Int64) -> State {
        // A rest that would last longer than any is one of a clock that was set back.
        if case .open(let until) = current, now >= until || until &- now > settings.rest.nanoseconds {
            current = .halfOpen(probeIsOut: false)
        }
        return current
    }

    /// Whether the target has a rest or is being probed after one.
    var isOpen: Bool { current != .closed }

    /// Whether a request may be sent now; says no to all but the probe until its outcome is known.
    mutating func allowsRequest(now: Int64) -> Bool {
        switch state(now: now) {
        case .closed: true
        case .open: false
        case .halfOpen(let probeIsOut): !probeIsOut
        }
    }

    /// A request that was allowed is being sent.
    mutating func requestSent() {
        if case .halfOpen = current {
            current = .halfOpen(probeIsOut: true)
        }
    }

    /// A request was given up for no fault of the target's, which says nothing about it.
    mutating func requestCancelled() {
        if case .halfOpen = current {
            current = .halfOpen(probeIsOut: false)
        }
    }

    /// A request ended.
    ///
    /// - Parameters:
    ///   - isFailure: Whether it counts against the target.
    ///   - latency: Nanoseconds until its end.
    ///   - now: When that was.
    /// - Returns: Whether the breaker opened because of it.
    mutating func requestEnded(isFailure: Bool, latency: Int64, now: Int64) -> Bool {
        let outcome = Outcome(isFailure: isFailure, latency: max(latency, 0))
        switch state(now: now) {
        case .open:
            // Sent before the breaker opened.
            return false
        case .halfOpen:
            guard !isFailure, !isTooSlow(mean: Double(outcome.latency)) else {
                open(now)
                return true
            }
            current = .closed
            return false
        case .closed:
            append(outcome)
            guard window.count == windowLength, isUnhealthy else { return false }
            open(now)
            return true
        }
    }

    // MARK: - Judgement

    private var windowLength: Int { max(settings.window, 1) }

    private var isUnhealthy: Bool {
        let failures = window.count { $0.isFailure }
        if Double(failures) > settings.errorShare * Double(window.count) {
            return true
        }
        let sum = window.reduce(0.0) { $0 + Double($1.latency) }
        return isTooSlow(mean: sum / Double(window.count))
    }

    private func isTooSlow(mean: Double) -> Bool {
        settings.latency.map { mean > Double($0.nanoseconds) } ?? false
    }

    private mutating func open(_ now: Int64) {
        current = .open(until: now.advanced(by: settings.rest))
        window.removeAll(keepingCapacity: true)
        oldest = 0
    }

    private mutating func append(_ outcome: Outcome) {
        if window.count < windowLength {
            window.append(outcome)
        } else {
            window[oldest] = outcome
            oldest = (oldest + 1) % windowLength
        }
    }
}
