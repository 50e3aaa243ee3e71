// Wingmirror · Apache-2.0

internal import TrafficModel

/// What a target was found to do, and when.
struct RecordedFailure: Sendable, Hashable {
    /// `.fail` or `.different`.
    var verdict: Verdict
    /// What it rests on.
    var reason: VerdictReason
    /// When it was first said, in nanoseconds since the Unix epoch.
    var time: Int64
}

/// What the votes say for certain, or nearly.
struct Finding: Sendable, Hashable {
    var verdict: Verdict
    var reason: VerdictReason
}

/// Evidence against a target, and what it must be borne out by.
struct GuardedEvidence: Sendable, Hashable {
    /// Of the votes.
    var votes = 0.0
    /// Of blocks of time.
    var blocks = 0.0
    /// Of keys; as much as of the votes where keys do not matter.
    var keys = 0.0

    /// What all bear out; the least of several pieces of evidence is evidence.
    var least: Double { min(votes, blocks, keys) }
}

extension VerdictRecord {
    /// How the chance of failing a target that is no worse is shared out, so that all tests together keep it.
    enum Share {
        /// Errors by direction, which mostly come one way, so that little is enough.
        static let errors = 0.15
        /// Pairs as wholes, without what differs at volatile places.
        static let whole = 0.15
        /// The breaker of the target, for all its routes.
        static let breaker = 0.05
        /// Pairs as wholes, with everything.
        static let raw = 0.45
        /// Single places.
        static let places = 0.1
        /// The median of latency, and its tail.
        static let latency = 0.1
        /// What the counts since the beginning have of each of these; the rest is for those since later marks.
        static let total = 0.9
    }

    /// Requests that should have become pairs and may all have been equal.
    ///
    /// Those that a breaker held back are not among them: it opens on failures, and what it hides is no sign of health.
    var missingAsEqual: UInt64 {
        MissedReason.allCases.reduce(0) { sum, reason in
            reason.isIndependent || reason == .breaker ? sum : sum + missed[reason, default: 0]
        }
    }

    /// Requests that the target may have failed to answer: those that should have become pairs and did not for such a reason,
    /// those at which it failed and the baseline with it, and those that were answered when they were sent once more, as it may have
    /// closed the connection for being asked.
    var suspects: UInt64 {
        MissedReason.allCases.reduce(sentAgain + unheldFailures) { $1.mayBeFailure ? $0 + missed[$1, default: 0] : $0 }
    }

    /// The logarithm of the evidence that a share of the significance asks for.
    static func logThreshold(_ settings: ComparisonSettings, share: Double) -> Double {
        -(settings.significance * share).logarithm
    }

    /// The evidence that a tally exceeds a margin.
    ///
    /// - Parameters:
    ///   - count: The votes.
    ///   - tally: The same in blocks and keys.
    ///   - margin: The excess that is still allowed.
    ///   - keys: The number of keys seen, `nil` for many.
    ///   - needsKeys: Whether keys must bear it out.
    ///   - least: Less than this is not looked at closely.
    /// - Returns: The evidence; none where the votes alone have less than `least`.
    static func evidence(
        _ count: VoteCount,
        _ tally: Tally,
        margin: Double,
        keys: Int?,
        needsKeys: Bool = true,
        atLeast least: Double
    ) -> GuardedEvidence {
        let votes = ExcessTest(count).logEvidence(above: margin, atLeast: least)
        guard votes >= least else { return GuardedEvidence() }
        let blocks = tally.allBlocks
        return GuardedEvidence(
            votes: votes,
            blocks: SignEvidence.logarithm(worse: blocks.worse, better: blocks.better),
            keys: needsKeys ? KeyEvidence.logarithm(tally.keys, seen: keys) : votes
        )
    }

    // MARK: - Findings

    /// What pairs as wholes show in a stretch of time.
    ///
    /// - Parameters:
    ///   - standing: The votes.
    ///   - settings: The margins and the significance.
    ///   - weight: The share that this stretch has of the significance.
    /// - Returns: `nil` when nothing is certain.
    static func finding(_ standing: Standing, settings: ComparisonSettings, weight: Double) -> Finding? {
        func isBeyond(_ question: Question, _ tally: Tally, share: Double, margin: Double) -> Bool {
            let least = logThreshold(settings, share: share * weight)
            let count = standing.count(tally, question, missingAreEqual: true)
            return evidence(
                count,
                tally,
                margin: margin,
                keys: standing.keyCount,
                needsKeys: question != .errors,
                atLeast: least
            ).least >= least
        }
        if isBeyond(.errors, standing[.errors].whole, share: Share.errors, margin: settings.errorMargin) {
            return Finding(verdict: .fail, reason: .errors)
        }
        func differs(_ question: Question, portion: Double, isMirrored: Bool = false) -> Bool {
            let (whole, raw) = (standing[question].whole, standing[question].raw)
            let tallies = isMirrored ? (whole.mirrored, raw.mirrored) : (whole, raw)
            return isBeyond(question, tallies.0, share: Share.whole * portion, margin: settings.margin)
                || isBeyond(question, tallies.1, share: Share.raw * portion, margin: settings.margin)
        }
        if differs(.baseline, portion: 1) { return Finding(verdict: .fail, reason: .beyondMargin) }
        if differs(.repeats, portion: 0.25) { return Finding(verdict: .different, reason: .beyondMargin) }
        if differs(.repeats, portion: 0.25, isMirrored: true) {
            return Finding(verdict: .different, reason: .lessSteady)
        }
        if differs(.naturalRepeats, portion: 0.5) { return Finding(verdict: .different, reason: .beyondMargin) }
        return nil
    }

    /// What everything together shows; `nil` when nothing is certain.
    func finding(settings: ComparisonSettings, limits: VerdictLimits) -> Finding? {
        let standing = Standing(self)
        let total = Self.finding(standing, settings: settings, weight: Share.total)
        if let total, total.verdict == .fail { return total }
        if isDownAlone(settings) { return Finding(verdict: .fail, reason: .breakerAlone) }
        if !failingPlaces(.baseline, settings: settings, limits: limits).isEmpty {
            return Finding(verdict: .fail, reason: .place)
        }
        if let latency = latencyVerdict(settings: settings, limits: limits) {
            if latency.classification == .higher { return Finding(verdict: .fail, reason: .latency) }
            if latency.tail.isHigher { return Finding(verdict: .fail, reason: .latencyTail) }
        }
        let recent = recentFinding(standing, settings: settings)
        if let recent, recent.verdict == .fail || total == nil { return recent }
        if let total { return total }
        for question in [Question.repeats, .naturalRepeats]
        where !failingPlaces(question, settings: settings, limits: limits).isEmpty {
            return Finding(verdict: .different, reason: .place)
        }
        return nil
    }

    /// Whether the target as a whole fails, and this route as far as was seen.
    ///
    /// A breaker lets one request in half a minute through, to any route, so a route may hardly ever see that its target is
    /// still down. Each opening is one event, whichever route's request it was; that this route is meant too follows from its
    /// last pair, in which only the candidate failed, and from the breaker being open still.
    private func isDownAlone(_ settings: ComparisonSettings) -> Bool {
        breaker.isOpen && !breaker.baselineIsOpen && failedLast
            && breaker.logEvidence >= Self.logThreshold(settings, share: Share.breaker)
    }

    /// What the votes since one of the later marks show.
    ///
    /// A new fault among old clean votes is found by the votes since a mark shortly before it. Marks are weighted so that all
    /// that there will ever be share a tenth of the significance.
    func recentFinding(_ standing: Standing, settings: ComparisonSettings) -> Finding? {
        var found: Finding?
        for mark in marks.marks where mark.number > 0 {
            let number = Double(mark.number)
            let weight = (1 - Share.total) / (number * (number + 1))
            guard let finding = Self.finding(standing.since(mark.standing), settings: settings, weight: weight) else {
                continue
            }
            if finding.verdict == .fail { return finding }
            found = finding
        }
        return found
    }

    // MARK: - Places

    /// The positions of the places that fail on a question.
    ///
    /// The hypotheses are all places that there may be, which is fixed beforehand.
    func failingPlaces(_ question: Question, settings: ComparisonSettings, limits: VerdictLimits) -> Set<Int> {
        let ballot = self[question]
        guard question != .unadjusted, !ballot.places.isEmpty else { return [] }
        let standing = Standing(self)
        let portion = question == .baseline ? 1.0 : 0.5
        let level = settings.significance * Share.places * portion
        return FalseDiscovery.rejected(
            logEvidence: ballot.places.map { tally in
                Self.evidence(
                    standing.count(tally, question, missingAreEqual: true),
                    tally,
                    margin: settings.margin,
                    keys: keyCount,
                    atLeast: -level.logarithm
                ).least
            },
            hypotheses: limits.places,
            level: level
        )
    }

    func latencyVerdict(settings: ComparisonSettings, limits: VerdictLimits) -> LatencyVerdict? {
        latency.verdict(
            margin: settings.latencyMargin,
            tailMargin: settings.tailMargin,
            logThreshold: Self.logThreshold(settings, share: Share.latency / 2),
            leastPairs: limits.latencyPairs
        )
    }

    /// Whether the candidate's median has been higher so far by more than the margin, whether or not that is certain.
    func isSlowSoFar(settings: ComparisonSettings, limits: VerdictLimits) -> Bool {
        latencyVerdict(settings: settings, limits: limits)?.isSlowSoFar ?? false
    }

    // MARK: - The verdict

    /// What is to be thought of the target, and why; what it has been found to do is never taken back.
    func judgement(settings: ComparisonSettings, limits: VerdictLimits) -> Finding {
        let standing = Standing(self)
        let found = finding(settings: settings, limits: limits)
        if let found, found.verdict == .fail { return found }
        if let failure, failure.verdict == .fail { return Finding(verdict: .fail, reason: failure.reason) }
        guard pairs > 0 else { return Finding(verdict: .inconclusive, reason: nothingComparable) }
        if let found { return found }
        if let failure { return Finding(verdict: failure.verdict, reason: failure.reason) }
        if let reason = incomparable(limits) { return Finding(verdict: .inconclusive, reason: reason) }
        if let reason = obstacle(standing, settings: settings, limits: limits) {
            return Finding(
                verdict: .inconclusive,
                reason: reason == .moreNeeded ? openReason(standing, settings: settings, limits: limits) : reason
            )
        }
        if let reason = passes(standing, settings: settings, limits: limits) {
            // A median that is higher so far is no failure yet, and no pass.
            return isSlowSoFar(settings: settings, limits: limits)
                ? Finding(verdict: .inconclusive, reason: .moreNeeded) : Finding(verdict: .pass, reason: reason)
        }
        return Finding(verdict: .inconclusive, reason: openReason(standing, settings: settings, limits: limits))
    }

    /// Why what staging answers says nothing about the target; `nil` when it does.
    func incomparable(_ limits: VerdictLimits) -> VerdictReason? {
        guard pairs >= UInt64(limits.refusedPairs),
            Double(refused + stagingFailures) > limits.refusedShare * Double(pairs)
        else { return nil }
        return refused < stagingFailures ? .stagingFails : .notComparable
    }

    /// Why there is no pair.
    private var nothingComparable: VerdictReason {
        if missed[.breaker, default: 0] > 0 { return .breaker }
        if missed[.throttled, default: 0] > 0 { return .throttled }
        if missed[.conditional, default: 0] > 0 { return .conditional }
        return missed.values.contains { $0 > 0 } ? .coverage : .noPairs
    }

    /// The reason for which most of those are missing that may hide something.
    var mostMissed: MissedReason? { mostMissed(of: { !$0.isIndependent || pairs == 0 }) }

    /// The reason for which most are missing, of some reasons.
    func mostMissed(of isAskedFor: (MissedReason) -> Bool) -> MissedReason? {
        MissedReason.allCases.filter(isAskedFor).max { missed[$0, default: 0] < missed[$1, default: 0] }
    }

    /// What stands in the way of passing, however many votes there are; `nil` when nothing does, and `.moreNeeded` where a few
    /// pairs do, which say nothing yet.
    func obstacle(_ standing: Standing, settings: ComparisonSettings, limits: VerdictLimits) -> VerdictReason? {
        let tolerated = (1 - settings.coverageFloor) * Double(pairs)
        // Whatever there was before, nobody knows what the target would answer now.
        if breaker.isOpen { return .breaker }
        if Double(stillAmbiguous(limits: limits)) > settings.margin * Double(pairs) { return .credentials }
        // In random order a few may not vote; where most may not, one is mostly asked later.
        let isApart = 2 * apart > skewed && Double(apart) > settings.margin * Double(pairs)
        if isApart, isMostlyApart(limits) { return .apart }
        if standing.coverage < settings.coverageFloor {
            // What the target itself asks for comes before what follows from it.
            if Double(missed[.throttled, default: 0]) > tolerated { return .throttled }
            switch mostMissed {
            case .throttled: return .throttled
            case .breaker: return .breaker
            default: return .coverage
            }
        }
        // Each of them may be a failure, so that no more may be missing than may fail.
        if Double(standing.suspects) > settings.errorMargin * Double(standing.pairs) {
            return 2 * unheldFailures > suspects ? .stagingFails : .coverage
        }
        if !hasBaseline, Double(missed[.throttled, default: 0]) > settings.errorMargin * Double(pairs) {
            return .throttled
        }
        if Double(unheldDifferences) > settings.margin * Double(pairs) { return .stagingFails }
        if Double(unread) > settings.margin * Double(pairs) { return .unreadable }
        if Double(cut) > settings.margin * Double(pairs) { return .cut }
        if Double(overflowedPairs) > settings.margin * Double(pairs) { return .manyPlaces }
        if hasBaseline ? !maskedPlaces(settings, limits: limits).isEmpty : !coarsePlaces(settings).isEmpty {
            return .masked
        }
        return isApart ? .moreNeeded : nil
    }

    /// Whether the moments of asking are what most differences are set aside for, and not a few of them beside others.
    private func isMostlyApart(_ limits: VerdictLimits) -> Bool {
        apart >= UInt64(limits.apartPairs) && apart >= self[mainQuestion].whole.pairs.worse
    }

    /// Why the target passes; `nil` when it does not.
    ///
    /// All that is asked for must hold, each at the full significance: a target passes wrongly only if every one of the tests
    /// is wrong at once. What is not known counts against the target (`Standing.countAtWorst`).
    ///
    /// Of a stretch of time places are not known apart; there everything that differs must be within the margin.
    func passes(
        _ standing: Standing,
        settings: ComparisonSettings,
        limits: VerdictLimits,
        isStretch: Bool = false
    ) -> VerdictReason? {
        let logThreshold = Self.logThreshold(settings, share: 0.5)
        func isWithin(_ question: Question, _ tally: Tally, margin: Double) -> Bool {
            ExcessTest(standing.countAtWorst(tally, question)).isBelow(margin, logThreshold: logThreshold)
        }
        guard isWithin(.errors, standing[.errors].whole, margin: settings.errorMargin) else { return nil }
        if hasBaseline {
            guard isWithin(.baseline, standing[.baseline].whole, margin: settings.margin),
                isStretch
                    ? isWithin(.baseline, standing[.baseline].raw, margin: settings.margin)
                    : placesAreWithin(.baseline, settings: settings, limits: limits)
            else { return nil }
            return .withinMargin
        }
        guard unconfirmedPlaces(settings: settings, limits: limits).isEmpty,
            sharedByVolatile(settings: settings, limits: limits).allSatisfy({ position in
                isWithinByRepeats(position, margin: settings.margin, logThreshold: logThreshold)
            })
        else { return nil }
        // What production's own repeats made volatile is not set aside blindly where nothing else says that it varies.
        let restsOnNatural = standing[.repeats].votes == 0 && standing[.naturalRepeats].votes > 0
        let naturalIsEven =
            !restsOnNatural || placesAreWithin(.naturalRepeats, isBothWays: true, settings: settings, limits: limits)
        if naturalIsEven, isWithin(.unadjusted, standing[.unadjusted].whole, margin: settings.margin) {
            return .likeProduction
        }
        // Where answers differ often, equal patterns say little: a value that is random at the candidate alone can be as often
        // unlike production as unlike itself.
        let mismatches = standing[.unadjusted]
        guard mismatches.whole.worse <= limits.steadyShare * mismatches.votes else { return nil }
        let repeats = standing[.repeats]
        let natural = standing[.naturalRepeats]
        let repeatsAreWithin =
            isWithin(.repeats, repeats.whole, margin: settings.margin)
            && isWithin(.repeats, repeats.whole.mirrored, margin: settings.margin)
            && placesAreWithin(.repeats, settings: settings, limits: limits)
        if repeatsAreWithin { return .withinMargin }
        let naturalIsWithin =
            isWithin(.naturalRepeats, natural.whole, margin: settings.margin)
            && placesAreWithin(.naturalRepeats, settings: settings, limits: limits)
            // The addresses that are asked for again and again say nothing of all others.
            && natural.votes >= limits.naturalShare * mismatches.votes
            // And nothing else may point the other way.
            && ExcessTest(standing.count(repeats.whole, .repeats, missingAreEqual: false)).excess.magnitude
                <= settings.margin
        return naturalIsWithin ? .withinMargin : nil
    }

    /// Whether no place exceeds the margin: those whose differences count in pairs as wholes by what has been seen, and those
    /// that were set aside as volatile for certain.
    private func placesAreWithin(
        _ question: Question,
        isBothWays: Bool = false,
        settings: ComparisonSettings,
        limits: VerdictLimits
    ) -> Bool {
        let ballot = self[question]
        let logThreshold = Self.logThreshold(settings, share: 0.5)
        return ballot.places.enumerated().allSatisfy { position, tally in
            let tallies = question == .repeats || isBothWays ? [tally, tally.mirrored] : [tally]
            return tallies.allSatisfy { tally in
                let test = ExcessTest(ballot.count(tally).withoutCredit)
                guard isVolatile(position, limits: limits) else { return test.excess <= settings.margin }
                return test.isBelow(settings.margin, logThreshold: logThreshold)
            }
        }
    }

    /// Whether differences at a place are set aside in pairs as wholes, be it those of values or those of their order.
    func isVolatile(_ position: Int, limits: VerdictLimits) -> Bool {
        hasVolatileValues(position, limits: limits) || hasVolatileOrder(position, limits: limits)
    }

    /// Whether values at a place vary among answers of one version.
    func hasVolatileValues(_ position: Int, limits: VerdictLimits) -> Bool {
        guard position < places.records.count else { return false }
        return Volatility(differing: places.records[position].noise, of: noisePairs, limits: limits) == .volatile
    }

    /// Whether the order of entries at a place does.
    func hasVolatileOrder(_ position: Int, limits: VerdictLimits) -> Bool {
        guard position < places.records.count else { return false }
        return Volatility(differing: places.records[position].orderNoise, of: noisePairs, limits: limits) == .volatile
    }

    /// Whether repeats, the target's or production's, show that a place is within the margin.
    private func isWithinByRepeats(_ position: Int, margin: Double, logThreshold: Double) -> Bool {
        [Question.repeats, .naturalRepeats].contains { question in
            let tally = self[question].place(position)
            return (question == .repeats ? [tally, tally.mirrored] : [tally]).allSatisfy { tally in
                ExcessTest(self[question].count(tally).withoutCredit).isBelow(margin, logThreshold: logThreshold)
            }
        }
    }

    /// The positions of places that several values share of which one varies at least, and that are set aside in pairs as wholes: only
    /// repeats show whether it is the same ones that differ.
    func sharedByVolatile(settings: ComparisonSettings, limits: VerdictLimits) -> [Int] {
        places.records.indices.filter { position in
            Double(places[position].several) > settings.margin * Double(pairs)
                && hasVolatileValues(position, limits: limits)
        }
    }

    /// The positions of places whose contents were compared as wholes without a baseline, and differ too often for what they
    /// say to be known.
    func coarsePlaces(_ settings: ComparisonSettings) -> [Int] {
        let tolerated = (1 - settings.coverageFloor) * Double(pairs)
        return places.records.indices.filter { Double(places[$0].coarse) > tolerated }
    }

    /// Places whose differences were set aside because the candidate differs from itself there, when nothing shows that
    /// production does.
    ///
    /// It may be the change that made them so. Of values that are new each time by their format it is enough that they vary at the
    /// target, unless production's own repeats say that they do not.
    func unconfirmedPlaces(settings: ComparisonSettings, limits: VerdictLimits) -> Set<Int> {
        guard !hasBaseline else { return [] }
        let ballot = self[.unadjusted]
        func isConfirmed(_ noise: UInt64) -> Bool {
            Volatility(differing: noise, of: productionPairs, limits: limits) == .volatile
        }
        let presumed = places.records.indices.filter { position in
            guard Double(places[position].presumed) > settings.margin * Double(pairs) else { return false }
            return
                switch Volatility(
                    differing: places[position].productionNoise,
                    of: productionPairs,
                    limits: limits
                )
            {
            case .volatile: false
            case .stable: true
            case .unknown: !hasVolatileValues(position, limits: limits)
            }
        }
        return Set(presumed).union(
            ballot.places.indices.filter { position in
                guard position < places.records.count, ballot.places[position].worse > settings.margin * ballot.votes
                else { return false }
                let place = places.records[position]
                return hasVolatileValues(position, limits: limits)
                    && !(isConfirmed(place.productionNoise) && zerosAreUsual(position, settings, limits))
                    || hasVolatileOrder(position, limits: limits) && !isConfirmed(place.productionOrderNoise)
            }
        )
    }

    /// Whether production is known to say 0 now and then at a place as well; it makes no difference where hardly any pair has a 0.
    private func zerosAreUsual(_ position: Int, _ settings: ComparisonSettings, _ limits: VerdictLimits) -> Bool {
        let place = places.records[position]
        return Double(place.zeros) <= settings.margin * Double(pairs)
            || Volatility(differing: place.zeroNoise, of: zeroPairs, limits: limits) == .volatile
    }

    /// Whether candidate and baseline both fail where production answers, each in more than the margin: what the one fails in does
    /// not weigh up the other's.
    private func hidesErrors(_ settings: ComparisonSettings) -> Bool {
        let most = settings.errorMargin * Double(pairs)
        return Double(stagingFailures) > most && Double(self[.errors].whole.pairs.worse) > most
    }

    /// Whether the candidate is worse in more than the margin, and what it is held against in more still, which is no excuse.
    func isOffset(_ settings: ComparisonSettings) -> Bool {
        [(Question.errors, settings.errorMargin), (mainQuestion, settings.margin)].contains { question, margin in
            guard question != .repeats else { return false }
            let tally = self[question].whole
            return tally.worse > margin * self[question].votes && tally.better > tally.worse
                && !tally.pairs.isEven(within: 3)
        }
    }

    /// What an open verdict waits for.
    private func openReason(
        _ standing: Standing,
        settings: ComparisonSettings,
        limits: VerdictLimits
    ) -> VerdictReason {
        for (question, margin) in [(Question.errors, settings.errorMargin), (.baseline, settings.margin)] {
            let tally = standing[question].whole
            let least = Self.logThreshold(settings, share: Share.whole)
            let evidence = Self.evidence(
                standing.count(tally, question, missingAreEqual: true),
                tally,
                margin: margin,
                keys: standing.keyCount,
                needsKeys: question != .errors,
                atLeast: least
            )
            guard evidence.votes >= least else { continue }
            return evidence.keys < evidence.blocks ? .fewKeys : .episode
        }
        if hasBaseline { return hidesErrors(settings) ? .stagingFails : .moreNeeded }
        if !unconfirmedPlaces(settings: settings, limits: limits).isEmpty { return .unconfirmed }
        let mismatches = standing[.unadjusted]
        let isNoisy = mismatches.whole.worse > limits.steadyShare * mismatches.votes
        if standing[.repeats].votes + standing[.naturalRepeats].votes == 0 {
            return mismatches.whole.worse > settings.margin * mismatches.votes ? .unadjusted : .moreNeeded
        }
        return isNoisy && mismatches.votes > 100 ? .noisy : .moreNeeded
    }
}
