// Wingmirror · Apache-2.0

/// Bounds on what sending may take; the bounds on waiting are the queue's.
public struct DispatchLimits: Sendable, Hashable {
    /// The most octets of an answer's content that are read; a longer one is an answer all the same, whose rest is not read.
    ///
    /// What lies beyond the comparison limit is counted and thrown away as it comes, so this bounds traffic, not memory. A gRPC
    /// call whose answer is longer is given up, since its status comes last.
    public var answerOctets: Int64 = 64 << 20
    /// Octets of all answers that are kept until they are judged; an answer that does not fit is given up.
    public var keptOctets = 64 << 20
    /// How often a target's name is looked up and checked again.
    public var recheckInterval: Duration = .seconds(30)
    /// The shortest time between two looks that failing connections cause.
    public var recheckPause: Duration = .seconds(1)
    /// How long a connection without requests is kept.
    ///
    /// Shorter than servers keep theirs (Node.js 5 seconds, Tomcat 20), since a request that meets the end of an idle connection
    /// looks like one that the target failed to answer.
    public var idleTimeout: Duration = .seconds(1)
    /// How long what is in flight may take once the agent ends.
    public var drainTime: Duration = .seconds(2)

    /// Makes the defaults.
    public init() {}
}
