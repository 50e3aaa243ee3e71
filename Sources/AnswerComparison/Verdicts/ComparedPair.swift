// Wingmirror · Apache-2.0

public import TrafficModel

/// What production and staging answered to one request.
public struct ComparedPair: Sendable {
    /// The policy, and the target that is judged.
    public var lane: MirrorLane
    /// The sampling hash of the request's key, which has one vote per window.
    public var keyHash: UInt64
    /// When the last of the answers was there, in nanoseconds since the Unix epoch.
    public var time: Int64
    /// The request, production's answer, and the route, whose verdict this becomes part of.
    public var production: RecordedExchange
    /// What the target that is judged answered.
    public var candidate: ShadowAnswer
    /// What the same target answered to a second copy (design D1).
    public var repeated: ShadowAnswer?
    /// What the target that runs production's version answered (design D2).
    public var baseline: ShadowAnswer?

    /// Whether credentials were taken out of the copies, so that they are answered as a guest is.
    public var lostCredentials: Bool

    /// Makes a pair of a request's answers.
    public init(
        lane: MirrorLane,
        keyHash: UInt64,
        time: Int64,
        production: RecordedExchange,
        candidate: ShadowAnswer,
        repeated: ShadowAnswer? = nil,
        baseline: ShadowAnswer? = nil,
        lostCredentials: Bool = false
    ) {
        self.lane = lane
        self.keyHash = keyHash
        self.time = time
        self.production = production
        self.candidate = candidate
        self.repeated = repeated
        self.baseline = baseline
        self.lostCredentials = lostCredentials
    }
}
