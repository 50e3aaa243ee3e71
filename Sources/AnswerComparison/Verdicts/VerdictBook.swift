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
/// noisy the route is. Each design has its own votes (`Question`).
///
/// **Errors have a direction.** A 5xx, a reset or a timeout is worse than an answer, whatever the design: the candidate's
/// are held against the baseline's, or production's, with a margin of their own. Pairs with an error vote on nothing else.
///
/// **What may be said.** D2 tells a change of the version from everything else, so it may fail a target. D1 and D4 say that
/// it is different: from production by more than noise, or less steady than production. They cannot tell a change
/// from other data in staging, and times, validators, names of pods and what is answered to requests without their credentials
/// are no difference to them. D0 passes a target whose answers differ more rarely than the margin, whatever the cause.
///
/// **What evidence must stand.** Weighted votes of keys within windows, borne out by blocks of time and by keys (`Tally`);
/// requests that are missing for reasons that may depend on the answers count as equal, and if it holds even so the target
/// fails. What it failed for stays said until it is judged anew.
public struct VerdictBook: Sendable {
    let limits: VerdictLimits
    private let secret: String
    private let decoder: ContentDecoder
    private var policies: [String: ConfiguredPolicy] = [:]
    var records: [VerdictRecord] = []
    private var positions: [RecordKey: Int] = [:]
    private var votes: VoteTable
    private var keys: KeyTable
    private var versions: [MirrorLane: VersionWatch] = [:]
    private var repeats: NaturalRepeats
    private var generator: SeededGenerator
    private var exampleCount = 0
    private var breakers: [String: BreakerState] = [:]

    /// Sampled requests of routes for which there was no room.
    public private(set) var unjudged: UInt64 = 0

    /// Keys whose vote was forgotten before their window ended.
    public var forgottenVotes: UInt64 { votes.forgotten }

    private struct RecordKey: Hashable, Sendable {
        let lane: MirrorLane
        let route: RouteName
    }

    struct ConfiguredPolicy: Sendable {
        let policy: ComparisonPolicy
        let addresses: [String: String]
        let origins: [String: TargetOrigin]
        /// By the name of a target, what compares its answers.
        let comparators: [String: AnswerComparator]

        /// What compares the answers of a pair.
        func comparator(of pair: ComparedPair) -> AnswerComparator? {
            comparators[pair.lane.target]?.facing(schemes(of: pair))
        }

        /// The schemes by which servers were asked, where candidate and baseline, or production without one, were asked by the same:
        /// what a proxy in front says in the request, and so in its copies, or else that of the connection.
        private func schemes(of pair: ComparedPair) -> LinkHosts.Schemes? {
            if let scheme = pair.production.request.forwardedScheme {
                return LinkHosts.Schemes(asked: scheme, targets: scheme)
            }
            // Of a recording nothing is known; what is on the web speaks TLS.
            guard let candidate = origins[pair.lane.target] else {
                return LinkHosts.Schemes(asked: .https, targets: .https)
            }
            let isSecured = pair.production.isSecured
            let baseline = policy.baseline.flatMap { origins[$0]?.isSecured } ?? isSecured
            let other = pair.baseline == nil ? isSecured : baseline
            guard candidate.isSecured == other else { return nil }
            return LinkHosts.Schemes(asked: isSecured ? .https : .http, targets: other ? .https : .http)
        }
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
        keys = KeyTable(limit: limits.keys)
        repeats = NaturalRepeats(limits: limits, hash: KeyedHash(secret: secret))
        generator = SeededGenerator(seed: seed)
    }

    // MARK: - Policies

    /// Takes up a policy, or its new settings.
    ///
    /// Votes so far stay, unless the policy got another baseline, or the baseline another address, or the policy compares
    /// otherwise: then it begins anew. Verdicts on targets that it no longer has, or that have moved, are forgotten.
    /// - Parameters:
    ///   - policy: The policy; without it, its pairs are skipped.
    ///   - origins: By the name of a target, by what it is asked; links of its answers to itself, or of the baseline's to the
    ///     baseline, are like those of production's answers to the host that was asked.
    ///   - addresses: By the name of a target, where it is and as what it is asked.
    public mutating func policyConfigured(
        _ policy: ComparisonPolicy,
        origins: [String: TargetOrigin] = [:],
        addresses: [String: String] = [:]
    ) {
        if let earlier = policies[policy.name] {
            let baselineMoved = policy.baseline.map { earlier.addresses[$0] != addresses[$0] } ?? false
            if earlier.policy.baseline != policy.baseline || earlier.policy.settings != policy.settings || baselineMoved
            {
                policyRemoved(policy.name)
            }
            forget { $0.policy == policy.name && earlier.addresses[$0.target] != addresses[$0.target] }
        }
        forget { $0.policy == policy.name && !policy.targets.contains($0.target) }
        let comparators = policy.targets.map { target in
            let hosts = [target, policy.baseline].compactMap { $0.flatMap { origins[$0]?.authority } }
            return (target, AnswerComparator(policy: policy, hosts: hosts, secret: secret, decoder: decoder))
        }
        policies[policy.name] = ConfiguredPolicy(
            policy: policy,
            addresses: addresses,
            origins: origins,
            comparators: Dictionary(comparators) { $1 }
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
        // Votes and keys name records by position. Keys may vote again, once.
        votes.removeAll()
        keys.removeAll()
    }

    /// Begins the verdicts of a policy anew, or of all; what was learned of routes is learned again too.
    /// - Returns: How many verdicts began anew.
    @discardableResult
    public mutating func judgedAnew(policy: String? = nil) -> Int {
        let count = records.count { policy == nil || $0.lane.policy == policy }
        forget { policy == nil || $0.policy == policy }
        return count
    }

    /// The policies whose pairs are taken.
    public var policyNames: [String] { policies.keys.sorted() }

    /// Whether a policy is known.
    public func hasPolicy(_ name: String) -> Bool { policies[name] != nil }

    /// Looks at the version that a target says it has; a new one begins its verdicts anew.
    private mutating func versionSeen(_ pair: ComparedPair, field: String) {
        guard !field.isEmpty, let value = pair.candidate.response?.message.values(of: field).first else { return }
        guard versions[pair.lane, default: VersionWatch()].isNew(value, after: limits.versionAnswers) else { return }
        let lane = pair.lane
        forget { $0 == lane }
    }

    /// Notes what a target is found to do, unless that is noted already; a failure replaces a difference.
    mutating func note(at index: Int, settings: ComparisonSettings) {
        let known = records[index].failure?.verdict
        guard known != .fail, let found = records[index].finding(settings: settings, limits: limits) else { return }
        guard known != found.verdict, records[index].pairs > 0 || found.verdict == .fail else { return }
        records[index].failure = RecordedFailure(
            verdict: found.verdict,
            reason: found.reason,
            time: records[index].until ?? 0
        )
    }

    /// Takes in what the breakers of targets, by name, have come to.
    /// - Parameters:
    ///   - states: What they have come to.
    ///   - time: When, in nanoseconds since the Unix epoch.
    public mutating func breakersSeen(_ states: [String: BreakerState], at time: Int64) {
        for (target, state) in states { breakers[target] = state }
        for index in records.indices {
            guard let policy = policies[records[index].lane.policy]?.policy else { continue }
            records[index].breaker.seen(
                candidate: breakers[records[index].lane.target],
                baseline: policy.baseline.flatMap { breakers[$0] },
                at: time,
                apart: max(policy.settings.timeBlock, limits.breakerRest)
            )
        }
    }

    /// The settings that a policy's verdicts are made with.
    func settings(of policy: String) -> ComparisonSettings? { policies[policy]?.policy.settings }

    private func hasTarget(of lane: MirrorLane) -> Bool {
        policies[lane.policy]?.policy.targets.contains(lane.target) == true
    }

    private mutating func position(_ lane: MirrorLane, _ route: RouteName) -> Int? {
        let key = RecordKey(lane: lane, route: route)
        if let position = positions[key] { return position }
        guard hasTarget(of: lane), records.count < limits.routes else { return nil }
        var record = VerdictRecord(lane: lane, route: route, limits: limits)
        record.breaker = BreakerCount(
            candidate: breakers[lane.target],
            baseline: policies[lane.policy]?.policy.baseline.flatMap { breakers[$0] }
        )
        records.append(record)
        positions[key] = records.count - 1
        return records.count - 1
    }

    // MARK: - Requests

    /// Counts requests that were sampled for a target.
    public mutating func sampled(_ lane: MirrorLane, route: RouteName, count: UInt64 = 1) {
        guard let position = position(lane, route) else {
            if hasTarget(of: lane) { unjudged += count }
            return
        }
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
        guard let configured = policies[pair.lane.policy] else { return .skipped }
        versionSeen(pair, field: configured.policy.settings.versionField)
        guard let comparator = configured.comparator(of: pair),
            let position = position(pair.lane, pair.production.route)
        else { return .skipped }
        if let reason = Self.exclusion(of: pair, policy: configured.policy) {
            records[position].missed[reason, default: 0] += 1
            records[position].comparisons[.skipped, default: 0] += 1
            let fails = Self.candidateFails(pair, settings: configured.policy.settings)
            if reason == .baseline, fails, !areDown(pair, records[position].breaker) {
                records[position].unheldFailures += 1
            }
            return .skipped
        }
        let earlier = repeats.answered(pair.production, lane: pair.lane)
        var answers = PairComparison(
            pair,
            repeatOfProduction: earlier,
            comparator: comparator,
            unordered: records[position].unordered,
            watched: pair.baseline == nil ? [] : records[position].placesOfTheirOwn
        )
        let design: Question = pair.baseline == nil ? answers.readings.first?.question ?? .unadjusted : .baseline
        answers.counted = records[position].counted(answers.differences, design, limits: limits)
        vote(answers, pair: pair, position: position, policy: configured.policy, curl: curl)
        for noise in answers.noise { records[position].noiseObserved(noise, limits: limits) }
        for noise in answers.noiseOfOthers { records[position].zerosObserved(noise) }
        // What a signed-in client is told twice, such as the token of its session, copies as guests are told anew.
        let isGuest = pair.baseline == nil || !pair.lostCredentials
        if isGuest, let noise = answers.productionNoise { records[position].productionNoiseObserved(noise) }
        let word = answers.word
        records[position].comparisons[word, default: 0] += 1
        return word
    }

    /// Why a pair says nothing; `nil` when it does.
    private static func exclusion(of pair: ComparedPair, policy: ComparisonPolicy) -> MissedReason? {
        guard let production = pair.production.response, pair.production.integrity.isEmpty else { return .production }
        if production.answersCondition { return .conditional }
        if case .failure(.cancelled) = pair.candidate.result { return .cancelled }
        if pair.lag > policy.settings.maximumLag.nanoseconds { return .lag }
        guard policy.baseline != nil else {
            if pair.candidate.ranOutOfTime(beside: pair.production) { return .slow }
            return pair.candidate.isThrottled(beside: production) ? .throttled : nil
        }
        let areSlow = [pair.candidate, pair.baseline].allSatisfy { $0?.ranOutOfTime(beside: pair.production) ?? false }
        if areSlow { return .slow }
        switch (pair.baseline?.result, pair.candidate.result) {
        case (nil, _), (.failure(.cancelled), _), (.failure, .failure): return .baseline
        default: return nil
        }
    }

    /// Whether the candidate gave no answer, or an error where production did not.
    private static func candidateFails(_ pair: ComparedPair, settings: ComparisonSettings) -> Bool {
        let statuses = settings.grpcErrorStatuses
        guard let production = pair.production.response, !production.isFailure(statuses) else { return false }
        return pair.candidate.response?.isFailure(statuses) ?? true
    }

    /// Whether neither candidate nor baseline could be reached, as when staging is switched off, so that neither was asked.
    private func areDown(_ pair: ComparedPair, _ breaker: BreakerCount) -> Bool {
        guard case .failure(.connect) = pair.candidate.result else { return false }
        guard let baseline = pair.baseline else { return breaker.baselineIsOpen }
        if case .failure(.connect) = baseline.result { return true }
        return false
    }

    private mutating func vote(
        _ answers: PairComparison,
        pair: ComparedPair,
        position: Int,
        policy: ComparisonPolicy,
        curl: () -> String
    ) {
        let settings = policy.settings
        records[position].timePassed(pair.time, settings: settings)
        records[position].keySeen(pair.keyHash)
        let isAmbiguous =
            policy.baseline == nil && pair.lostCredentials && !answers.counted.isEmpty && answers.errors == 0
        if isAmbiguous { records[position].ambiguityObserved(answers.counted) }
        count(answers, pair: pair, position: position, settings: settings)
        let key = VoteTable.Key(record: position, keyHash: pair.keyHash)
        let (vote, isNew) = votes.vote(key, time: pair.time, window: settings.voteWindow)
        // The table moves in and out, so that it is never copied.
        var voter = Voter(key: key, vote: vote, keys: KeyTable(limit: 0))
        swap(&voter.keys, &keys)
        let worse = records[position].voted(
            answers,
            isAmbiguous: isAmbiguous,
            moments: pair.moments,
            time: pair.time,
            voter: &voter,
            limits: limits
        )
        swap(&voter.keys, &keys)
        votes.keep(voter.vote, for: key)
        if isNew { observeLatency(of: pair, position: position, settings) }
        let clear = answers.clearDifferences { place in
            records[position].places.position(ofKnown: place).map { worse & 1 << UInt64($0) != 0 } ?? false
        }
        if !clear.isEmpty { keepExample(clear, pair: pair, position: position, curl: curl) }
    }

    /// Counts what the pair is, whatever its vote.
    private mutating func count(
        _ answers: PairComparison,
        pair: ComparedPair,
        position: Int,
        settings: ComparisonSettings
    ) {
        if answers.isThrottled {
            records[position].missed[.throttled, default: 0] += 1
            if answers.errors == 0, Self.candidateFails(pair, settings: settings) {
                records[position].unheldFailures += 1
            }
        } else {
            records[position].pairs += 1
            // Of a gRPC call a failure looks like a refusal.
            if answers.stagingFails {
                records[position].stagingFailures += 1
                if answers.errors == 0 {
                    records[position].unheldFailures += 1
                } else if !answers.counted.isEmpty {
                    records[position].unheldDifferences += 1
                }
            } else if answers.isRefused {
                records[position].refused += 1
            }
        }
        if pair.baseline != nil { records[position].hasBaseline = true }
        if pair.baseline != nil, !answers.isThrottled {
            let isTogether = records[position].areTogether(pair.moments)
            if isTogether {
                records[position].together += 1
                records[position].elsewhereObserved(answers.elsewhere)
            }
            if let shared = answers.shared { records[position].sharedObserved(shared, isTogether: isTogether) }
        }
        records[position].failedLast = answers.errors > 0
        if pair.candidate.isOfSecondSending, pair.baseline?.isOfSecondSending != true {
            records[position].sentAgain += 1
        }
        if answers.contentIsUnread { records[position].unread += 1 }
        if answers.contentIsCut { records[position].cut += 1 }
        records[position].lagObserved(pair.lag, isMismatch: !answers.counted.isEmpty)
    }

    /// Compares how long candidate and baseline took, once for each vote.
    private mutating func observeLatency(of pair: ComparedPair, position: Int, _ settings: ComparisonSettings) {
        guard let baseline = pair.baseline, baseline.response != nil, pair.candidate.response != nil,
            records[position].latencyOrder.admits(pair.moments?.asked ?? 0)
        else { return }
        records[position].latency.observed(
            LatencyRecord.Sample(
                candidate: pair.candidate.latencyNanoseconds,
                baseline: baseline.latencyNanoseconds,
                wait: max(pair.candidate.queueNanoseconds, baseline.queueNanoseconds),
                time: pair.time
            ),
            margin: settings.latencyMargin,
            limit: limits.latencies,
            generator: &generator
        )
    }

    // MARK: - Examples

    /// Gives the pair a chance to be an example of each place at which it differs, all pairs of a place the same chance.
    private mutating func keepExample(
        _ differences: [AnswerDifference],
        pair: ComparedPair,
        position: Int,
        curl: () -> String
    ) {
        var example: AnswerExample?
        var seen = Set<Int>()
        for difference in differences {
            let place = records[position].places.position(of: difference.place)
            guard seen.insert(place).inserted else { continue }
            records[position].places[place].exampleCandidates += 1
            let kept = records[position].places[place].examples.count
            let hasRoom = kept < limits.examplesPerPlace && exampleCount < limits.examples
            let drawn = generator.next() % records[position].places[place].exampleCandidates
            guard hasRoom || drawn < UInt64(kept) else { continue }
            let made = example ?? AnswerExample(differences, pair: pair, curl: curl(), limit: limits.exampleOctets)
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

/// Which version a target says it has, and since when.
private struct VersionWatch: Sendable {
    private var known: [UInt8]?
    private var next: [UInt8] = []
    private var count = 0

    /// Whether another version has answered so many times in a row.
    mutating func isNew(_ value: [UInt8], after answers: Int) -> Bool {
        guard let known else {
            self.known = value
            return false
        }
        guard value != known else {
            count = 0
            return false
        }
        count = value == next ? count + 1 : 1
        next = value
        guard count >= answers else { return false }
        self.known = value
        count = 0
        return true
    }
}

extension ShadowAnswer {
    /// From the end of the request to the first octet of the answer, or to its end where that is not known.
    fileprivate var latencyNanoseconds: Int64 { firstByteNanoseconds > 0 ? firstByteNanoseconds : durationNanoseconds }

    /// Whether the target asked for fewer requests where production did not.
    func isThrottled(beside production: RecordedResponse) -> Bool {
        response?.asksForLess == true && !production.asksForLess
    }
}

extension RecordedRequest {
    /// The scheme that a proxy says the client asked by, the first of several; `nil` where it says none.
    fileprivate var forwardedScheme: LinkHosts.Scheme? {
        let value = message.firstText(of: "x-forwarded-proto")?.split(separator: ",").first
        switch value?.trimmed(of: " \t").lowercased() {
        case "https", "wss": return .https
        case "http", "ws": return .http
        default: return nil
        }
    }
}

extension Substring {
    /// The text without some characters around it.
    fileprivate func trimmed(of characters: String) -> Substring {
        let start = drop { characters.contains($0) }
        guard let end = start.lastIndex(where: { !characters.contains($0) }) else { return "" }
        return start[...end]
    }
}
