// Wingmirror · Apache-2.0

/// The way of copies from one policy to one target: what is counted, queued and bounded separately.
public struct MirrorLane: Sendable, Hashable {
    /// The label `policy`.
    public var policy: String
    /// The label `target`.
    public var target: String

    /// Makes a lane.
    public init(policy: String, target: String) {
        self.policy = policy
        self.target = target
    }
}
