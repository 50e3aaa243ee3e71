// Wingmirror · Apache-2.0

/// Judges the answers of targets, route by route, as they come.
///
/// A plain value without clock or randomness of its own; whoever compares answers owns it, and everything in it is bounded
/// by `VerdictLimits`. For each pair the answers are compared (`AnswerComparator`), differences at places that have turned
/// out to be volatile are set aside, and what remains becomes votes for and against the target (`RouteVerdict`).
public struct VerdictBook: Sendable {
    let limits: VerdictLimits
    let decoder: ContentDecoder

    /// Makes an empty book.
    /// - Parameters:
    ///   - secret: The key of the hashes by which values are shown; one for the agent.
    ///   - seed: Where the random choice of examples starts.
    ///   - limits: How much it may hold.
    ///   - decoder: Takes a content coding off, up to a number of octets.
    public init(
        secret: String = "",
        seed: UInt64 = 0,
        limits: VerdictLimits = VerdictLimits(),
        decoder: @escaping ContentDecoder
    ) {
        self.limits = limits
        self.decoder = decoder
    }

    /// Takes up a policy, or its new settings; votes so far stay.
    /// - Parameters:
    ///   - policy: Without it, pairs of the policy are skipped.
    ///   - hosts: The authorities that production and the targets are known by; links to them are no difference.
    public mutating func policyConfigured(_ policy: MirrorPolicy, hosts: [String] = []) {}

    /// Forgets a policy and its verdicts.
    public mutating func policyRemoved(_ name: String) {}

    /// Counts a request that was sampled for a target.
    public mutating func sampled(_ lane: MirrorLane, route: RouteIdentity) {}

    /// Counts a sampled request of which there will be no pair.
    public mutating func missed(_ lane: MirrorLane, route: RouteIdentity, reason: MissedReason) {}

    /// Compares the answers to a request and lets them vote.
    /// - Parameters:
    ///   - pair: The answers.
    ///   - curl: A line that repeats the request, redacted; asked for only when the pair becomes an example.
    /// - Returns: What the candidate's answer is compared with production's.
    @discardableResult
    public mutating func compared(_ pair: ComparedPair, curl: () -> String) -> ComparisonWord { .skipped }

    /// Every verdict so far, ordered by policy, target and route.
    public func report() -> [RouteVerdict] { [] }
}

/// Takes a content coding off octets; `nil` when the coding is unknown, the octets are none of it, or more than `limit`
/// octets come out.
public typealias ContentDecoder = @Sendable (_ coding: String, _ octets: [UInt8], _ limit: Int) -> [UInt8]?
