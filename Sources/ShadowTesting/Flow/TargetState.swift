// Wingmirror · Apache-2.0

import OctetText

/// What the queue keeps about one target; never removed, because counters never fall.
struct TargetState {
    /// The settings in force, or the last ones.
    var settings: MirrorTarget
    /// Counts and what is shown.
    var figures: TargetFigures
    /// Copies that wait.
    var waiting = FirstInFirstOut<MirrorCopy>()
    /// Spaces out what is sent.
    var rate: TokenBucket
    var breaker: CircuitBreaker
    var ramp: Ramp
    var backOff = BackOff()
    /// Wakes whoever sends to the target.
    var signal = Signal()

    init(_ settings: MirrorTarget, _ limits: MirrorQueue.Limits) {
        self.settings = settings
        figures = TargetFigures(settings.name, limits)
        rate = Self.bucket(settings)
        breaker = CircuitBreaker(settings.breaker)
        ramp = Ramp(settings.ramp)
    }

    /// Takes over new settings; what has been learned of the target stays where the settings it rests on do.
    mutating func apply(_ new: MirrorTarget) {
        let old = settings
        settings = new
        figures.isActive = true
        if old.ratePerSecond != new.ratePerSecond { rate = Self.bucket(new) }
        if !new.isSamePlace(as: old) { figures.reach = .unknown }
        if old.breaker != new.breaker || !new.isSamePlace(as: old) { breaker = CircuitBreaker(new.breaker) }
        if old.ramp != new.ramp || !new.isSamePlace(as: old) { ramp = Ramp(new.ramp) }
        if !new.isSamePlace(as: old) { backOff = BackOff() }
    }

    /// How many copies may wait: what the rate sends within the backlog, and no more than the limit.
    func capacity(_ limits: MirrorQueue.Limits) -> Int {
        let backlog = Double(limits.backlog.nanoseconds) / 1e9 * settings.ratePerSecond
        return min(limits.copiesPerTarget, max(1, backlog.isFinite ? Int(min(backlog, 1e9)) : limits.copiesPerTarget))
    }

    /// The share of a policy's share that is sent now.
    var share: Double { ramp.share * backOff.share }

    /// Whether all places for requests in flight are taken.
    var isBusy: Bool { figures.busyPlaces >= max(settings.inFlight, 1) }

    private static func bucket(_ settings: MirrorTarget) -> TokenBucket {
        // A tenth of a second's worth at once, so that no second gets much more than the rate.
        TokenBucket(rate: settings.ratePerSecond, capacity: settings.ratePerSecond / 10)
    }
}

extension MirrorTarget {
    /// Whether what was learned of one holds for the other.
    func isSamePlace(as other: MirrorTarget) -> Bool {
        host == other.host && port == other.port && usesTLS == other.usesTLS && hosts == other.hosts
    }
}
