// Wingmirror · Apache-2.0

public import AnswerComparison
public import TrafficModel

/// All counts of mirroring at one moment.
public struct MirrorFigures: Sendable {
    /// By lane, in the order of their first appearance; a lane whose policy or target went away keeps its counts.
    public var lanes: [LaneFigures] = []
    /// By target, in the order of their first appearance.
    public var targets: [TargetFigures] = []
    /// Why mirroring is paused.
    public var pauseReasons: Set<PauseReason> = []
    /// Octets of exchanges that wait, are in flight or are to be judged.
    public var heldOctets = 0
    /// The most that `heldOctets` may be.
    public var budgetOctets = 0
    /// Exchanges that wait, are in flight or are to be judged.
    public var heldExchanges = 0
    /// Exchanges whose plan was replaced so long ago that no lane can be told; they are in no other count.
    public var staleExchanges: UInt64 = 0
}

/// The counts of one policy for one target.
public struct LaneFigures: Sendable, Hashable {
    /// Whose counts these are.
    public let lane: MirrorLane
    /// Whether the plan in force has this lane.
    public var isActive = true
    /// Whether the target is the policy's baseline.
    public var isBaseline = false
    /// Requests that the policy has decided on.
    public var considered: UInt64 = 0
    /// Requests that are not eligible.
    public var filtered: [FilterReason: UInt64] = [:]
    /// Eligible requests outside the share.
    public var notSampled: UInt64 = 0
    /// Sampled requests that were not sent.
    public var dropped: [DropReason: UInt64] = [:]
    /// Copies that wait, or are being built.
    public var queued: UInt64 = 0
    /// Copies handed to a connection.
    public var sent: UInt64 = 0
    /// Copies that were answered.
    public var answered: UInt64 = 0
    /// Copies that were sent and got no answer.
    public var failed: [ShadowFailure: UInt64] = [:]
    /// Copies that were sent and have no outcome yet.
    public var inFlight: UInt64 = 0
    /// Second copies that were answered.
    public var repeatsAnswered: UInt64 = 0
    /// Second copies that got no answer.
    public var repeatsFailed: [ShadowFailure: UInt64] = [:]
    /// Copies, and second copies, that went out once more because a connection that had been used before was closed.
    public var sentAgain: UInt64 = 0
    /// Values that were taken out of copies or replaced.
    public var redactedValues: UInt64 = 0
    /// Sampled requests of which no finished exchange tells, by route and by what that means for a verdict.
    ///
    /// Those that a full outbox left out are not among them, because their route is not known here.
    public var droppedByRoute: [RouteName: [MissedReason: UInt64]] = [:]
    /// The share that the policy asks for, 0 to 1.
    public var configuredRatio = 0.0
    /// The share that is sent now, 0 to 1.
    public var samplingRatio = 0.0

    init(_ lane: MirrorLane) {
        self.lane = lane
    }

    /// Whether every request is exactly one of filtered, not sampled, dropped, queued and sent, and every one that was sent
    /// exactly one of answered, failed and in flight.
    var isConserved: Bool {
        considered == filtered.values.reduce(0, +) + notSampled + dropped.values.reduce(0, +) + queued + sent
            && sent == answered + failed.values.reduce(0, +) + inFlight
    }
}

/// The counts and state of one target.
public struct TargetFigures: Sendable, Hashable {
    /// The target's name.
    public let name: String
    /// Whether the plan in force has this target.
    public var isActive = true
    /// Octets of heads and content that were sent, second copies among them.
    public var sentOctets: UInt64 = 0
    /// Copies that may wait.
    public var queueCapacity = 0
    /// Octets of the copies that wait.
    public var queuedOctets = 0
    /// Requests that hold one of the places for requests in flight.
    public var busyPlaces = 0
    /// Whether the target has a rest, or is being probed after one.
    public var breakerIsOpen = false
    /// How often it got a rest, those after a probe that failed among them.
    public var breakerOpenings: UInt64 = 0
    /// The share that the ramp lets through, 0 to 1.
    public var rampShare = 1.0
    /// The share that the back-off lets through, 0 to 1.
    public var backOffShare = 1.0
    /// Whether it is known where the target is, and whether it may be sent to.
    public var reach = TargetReach.unknown
    /// From the moment a copy was to be sent to its sending, in nanoseconds.
    public var queueWait: BucketCounts
    /// From sending to the last octet of the answer, in nanoseconds, by route.
    public var durations: [RouteName: BucketCounts] = [:]
    /// Content of the sampled requests that were sent, in octets.
    public var sentSizes: BucketCounts
    /// Content of the sampled requests that were dropped, in octets.
    public var droppedSizes: BucketCounts

    init(_ name: String, _ limits: MirrorQueue.Limits) {
        self.name = name
        queueWait = BucketCounts(bounds: limits.durationBounds)
        sentSizes = BucketCounts(bounds: limits.sizeBounds)
        droppedSizes = BucketCounts(bounds: limits.sizeBounds)
    }
}

/// Whether a target can be sent to.
public enum TargetReach: Sendable, Hashable {
    /// Not looked up yet; copies wait. May be followed by all others.
    case unknown
    /// Looked up and allowed; copies are sent to the address. May be followed by `refused`, or another address.
    case allowed(address: String)
    /// Its name has no address, and why; copies fail to connect. May be followed by `allowed` and `refused`.
    case unresolved(why: String)
    /// May not be sent to, and why; copies are dropped. May be followed by `allowed` and `unresolved`.
    case refused(why: String)
}
