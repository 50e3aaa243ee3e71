// Wingmirror · Apache-2.0

import OctetText
public import TrafficModel

/// Judges the answers of targets, route by route, as they come.
///
/// A plain value without clock or randomness of its own; whoever compares answers owns it, and everything in it is bounded
/// by `VerdictLimits`. For each pair the answers are compared (`AnswerComparator`), differences at places that have turned
/// out to be volatile are set aside, and what remains becomes votes for and against the target.
///
/// **What is held against what.** Answers are compared with one of them as the pivot. With a baseline (D2) the pivot is
/// production's answer P, and the candidate's differences C–P are held against the baseline's B–P. When the candidate
/// answered twice (D1) the pivot is its first answer, and P–C is held against C′–C; when production answered a like request
/// shortly before (D4) the pivot is P, and C–P is held against P′–P. In each case the two ends would be exchangeable if
/// the target were no different, so a pair in which only one of them differs falls either way with equal chance, however
/// noisy the route is. A failure of one end is a difference like any other.
///
/// **What D0 may say.** Differences from production that nothing is held against may be a change, noise or other data, so
/// they never fail a target. But if they are rarer than the margin, whatever their cause, the target is no worse by more
/// than the margin: that passes, in every design but D2 (which has no need of it).
///
/// **What D1 and D4 may say.** That the target differs from production by more than noise. They cannot tell a change of
/// the version from other data in staging; the design is part of the verdict for that reason.
public struct VerdictBook: Sendable {
    let limits: VerdictLimits
    private let secret: String
    private let decoder: ContentDecoder
    private var policies: [String: ConfiguredPolicy] = [:]
    private(set) var records: [RouteRecord] = []
    private var positions: [RecordKey: Int] = [:]
    private var votes: VoteTable
    private var repeats: NaturalRepeats
    private var generator: SeededGenerator
    private var exampleCount = 0

    /// Pairs and requests of routes for which there was no room.
    public private(set) var unjudged: UInt64 = 0

    /// Keys whose vote was forgotten before their window ended.
    public var forgottenVotes: UInt64 { votes.forgotten }

    private struct RecordKey: Hashable, Sendable {
        let lane: MirrorLane
        let route: RouteName
    }

    struct ConfiguredPolicy: Sendable {
        let policy: ComparisonPolicy
        let comparator: AnswerComparator
    }

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
        self.secret = secret
        self.decoder = decoder
        votes = VoteTable(limit: limits.votes)
        repeats = NaturalRepeats(limits: limits, hash: KeyedHash(secret: secret))
        generator = SeededGenerator(seed: seed)
    }

    // MARK: - Policies

    /// Takes up a policy, or its new settings.
    ///
    /// Votes so far stay, unless the policy got another baseline or compares otherwise: then it begins anew. Verdicts on
    /// targets that it no longer has are forgotten.
    /// - Parameters:
    ///   - policy: The policy; without it, its pairs are skipped.
    ///   - hosts: The authorities that production and the targets are known by; links to them are no difference.
    public mutating func policyConfigured(_ policy: ComparisonPolicy, hosts: [String] = []) {
        if let earlier = policies[policy.name]?.policy,
            earlier.baseline != policy.baseline || earlier.settings != policy.settings
        {
            policyRemoved(policy.name)
        }
        forget { $0.policy == policy.name && !policy.targets.contains($0.target) }
        policies[policy.name] = ConfiguredPolicy(
            policy: policy,
            comparator: AnswerComparator(policy: policy, hosts: hosts, secret: secret, decoder: decoder)
        )
    }

    /// Forgets a policy and its verdicts.
    public mutating func policyRemoved(_ name: String) {
        policies[name] = nil
        forget { $0.policy == name }
    }

    private mutating func forget(_ isGone: (MirrorLane) -> Bool) {
        guard records.contains(where: { isGone($0.lane) }) else { return }
        records.removeAll { isGone($0.lane) }
        positions = Dictionary(
            uniqueKeysWithValues: records.enumerated().map { (RecordKey(lane: $1.lane, route: $1.route), $0) }
        )
        exampleCount = records.reduce(0) { sum, record in
            sum + record.places.records.reduce(0) { $0 + $1.examples.count }
        }
        // Votes name records by position. Keys may vote again, once.
        votes.removeAll()
    }

    /// The settings that a policy's verdicts are made with.
    func settings(of policy: String) -> ComparisonSettings? { policies[policy]?.policy.settings }

    private mutating func position(_ lane: MirrorLane, _ route: RouteName) -> Int? {
        let key = RecordKey(lane: lane, route: route)
        if let position = positions[key] { return position }
        guard policies[lane.policy]?.policy.targets.contains(lane.target) == true, records.count < limits.routes else {
            unjudged += 1
            return nil
        }
        records.append(RouteRecord(lane: lane, route: route, limits: limits))
        positions[key] = records.count - 1
        return records.count - 1
    }

    // MARK: - Requests

    /// Counts requests that were sampled for a target.
    public mutating func sampled(_ lane: MirrorLane, route: RouteName, count: UInt64 = 1) {
        guard let position = position(lane, route) else { return }
        records[position].sampled += count
    }

    /// Counts sampled requests of which there will be no pair.
    public mutating func missed(_ lane: MirrorLane, route: RouteName, reason: MissedReason, count: UInt64 = 1) {
        guard let position = position(lane, route) else { return }
        records[position].missed[reason, default: 0] += count
    }

    // MARK: - Pairs

    /// Compares the answers to a request and lets them vote.
    /// - Parameters:
    ///   - pair: The answers.
    ///   - curl: A line that repeats the request, redacted; asked for only when the pair becomes an example.
    /// - Returns: How the candidate's answer compares with production's.
    @discardableResult
    public mutating func compared(_ pair: ComparedPair, curl: () -> String) -> ComparisonWord {
        guard let configured = policies[pair.lane.policy], let position = position(pair.lane, pair.production.route)
        else {
            return .skipped
        }
        if let reason = Self.exclusion(of: pair, policy: configured.policy) {
            records[position].missed[reason, default: 0] += 1
            records[position].comparisons[.skipped, default: 0] += 1
            return .skipped
        }
        let earlier = repeats.answered(pair.production, lane: pair.lane)
        var answers = PairComparison(
            pair,
            repeatOfProduction: earlier,
            comparator: configured.comparator,
            unordered: records[position].unordered
        )
        answers.keepCounted { records[position].counted($0, limits: limits) }
        vote(answers, pair: pair, position: position, policy: configured.policy, curl: curl)
        for noise in answers.noise { records[position].noiseObserved(noise, limits: limits) }
        let word = answers.word
        records[position].comparisons[word, default: 0] += 1
        return word
    }

    /// Why a pair says nothing; `nil` when it does.
    private static func exclusion(of pair: ComparedPair, policy: ComparisonPolicy) -> MissedReason? {
        guard pair.production.response != nil, pair.production.integrity.isEmpty else { return .production }
        if case .failure(.cancelled) = pair.candidate.result { return .cancelled }
        if pair.lag > policy.settings.maximumLag.nanoseconds { return .lag }
        guard policy.baseline != nil else { return nil }
        switch (pair.baseline?.result, pair.candidate.result) {
        case (nil, _), (.failure(.cancelled), _), (.failure, .failure): return .baseline
        default: return nil
        }
    }

    private mutating func vote(
        _ answers: PairComparison,
        pair: ComparedPair,
        position: Int,
        policy: ComparisonPolicy,
        curl: () -> String
    ) {
        let key = VoteTable.Key(record: position, keyHash: pair.keyHash)
        var (vote, isNew) = votes.vote(key, time: pair.time, window: policy.settings.voteWindow)
        records[position].pairs += 1
        records[position].designs[answers.design, default: 0] += 1
        if answers.isRefused { records[position].refused += 1 }
        if answers.contentIsUnread { records[position].unread += 1 }
        records[position].lagObserved(pair.lag, isMismatch: !answers.candidate.isEmpty)
        records[position].voted(answers, vote: &vote, isNew: isNew)
        votes.keep(vote, for: key)
        if isNew, let baseline = pair.baseline, baseline.response != nil, pair.candidate.response != nil {
            records[position].latency.observed(
                candidate: pair.candidate.durationNanoseconds,
                baseline: baseline.durationNanoseconds,
                margin: policy.settings.latencyMargin,
                limit: limits.latencies,
                generator: &generator
            )
        }
        if !answers.clearDifferences.isEmpty { keepExample(answers, pair: pair, position: position, curl: curl) }
    }

    // MARK: - Examples

    /// Gives the pair a chance to be an example of each place at which it differs, all pairs of a place the same chance.
    private mutating func keepExample(
        _ answers: PairComparison,
        pair: ComparedPair,
        position: Int,
        curl: () -> String
    ) {
        var example: AnswerExample?
        var seen = Set<Int>()
        for difference in answers.clearDifferences {
            let place = records[position].places.position(of: difference.place)
            guard seen.insert(place).inserted else { continue }
            records[position].places[place].exampleCandidates += 1
            let kept = records[position].places[place].examples.count
            let hasRoom = kept < limits.examplesPerPlace && exampleCount < limits.examples
            let drawn = generator.next() % records[position].places[place].exampleCandidates
            guard hasRoom || drawn < UInt64(kept) else { continue }
            let made = example ?? AnswerExample(answers, pair: pair, curl: curl(), limit: limits.exampleOctets)
            example = made
            if hasRoom {
                records[position].places[place].examples.append(made)
                exampleCount += 1
            } else {
                records[position].places[place].examples[Int(drawn)] = made
            }
        }
    }
}
