// Wingmirror · Apache-2.0

public import TrafficModel

/// What a policy decided of requests on the capture thread; handed over at the end of each batch of packets.
public struct MirrorTally: Sendable, Hashable {
    /// Requests that the policy looked at and found not eligible.
    public var filtered: [FilterReason: UInt64] = [:]
    /// Eligible requests outside the share.
    public var notSampled: UInt64 = 0

    /// Makes an empty tally.
    public init() {}
}

/// A sampled exchange on its way to the targets of one policy.
public struct SampledExchange: Sendable {
    /// The position of the policy in its plan.
    public var policy: Int
    /// Which plan's; a plan gets the next number when it is replaced.
    public var planEdition: Int
    /// The exchange, with heads and contents.
    public var exchange: RecordedExchange
    /// The sampling hash of the request's key, which is also what has one vote per window.
    public var keyHash: UInt64

    /// Makes a sampled exchange.
    public init(policy: Int, planEdition: Int, exchange: RecordedExchange, keyHash: UInt64) {
        self.policy = policy
        self.planEdition = planEdition
        self.exchange = exchange
        self.keyHash = keyHash
    }
}
