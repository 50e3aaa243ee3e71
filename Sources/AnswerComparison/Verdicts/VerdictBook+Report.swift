// Wingmirror · Apache-2.0

internal import TrafficModel

extension VerdictBook {
    /// Every verdict so far, ordered by policy, target and route.
    ///
    /// Costs about a millisecond for a route with many differences; asking often changes nothing about its validity.
    public func report() -> [RouteVerdict] {
        records.compactMap { record in
            settings(of: record.lane.policy).map { record.verdict(settings: $0, limits: limits) }
        }
        .sorted { Self.sortKey($0).lexicographicallyPrecedes(Self.sortKey($1)) }
    }

    private static func sortKey(_ verdict: RouteVerdict) -> [String] {
        let route = verdict.route
        return [
            verdict.lane.policy, verdict.lane.target, route.virtualServiceNamespace, route.virtualService, route.route,
        ]
    }
}

extension RouteRecord {
    /// How the chance of failing a target that is no worse is shared out: half for pairs as wholes, a quarter each for single
    /// places and for latency, so that the three together keep it.
    private enum Share {
        static let pairs = 0.5
        static let places = 0.25
        static let latency = 0.25
    }

    /// The strongest design that any pair had.
    private var design: VerdictDesign {
        [VerdictDesign.baseline, .repeats, .naturalRepeats].first { designs[$0, default: 0] > 0 } ?? .unadjusted
    }

    /// The votes that a verdict shows: those with a reference, or all where there is none.
    private var shownVotes: VoteCount { design == .unadjusted ? unadjusted : paired }

    private var coverage: Double { sampled > 0 ? min(1, Double(pairs) / Double(sampled)) : 1 }

    /// The verdict with the numbers behind it.
    func verdict(settings: ComparisonSettings, limits: VerdictLimits) -> RouteVerdict {
        var verdict = RouteVerdict(lane: lane, route: route, design: design)
        fillCounts(&verdict)
        verdict.margin = settings.margin
        verdict.significance = settings.significance
        let shown = shownVotes
        let test = ExcessTest(shown)
        let logThreshold = Self.logThreshold(settings, share: Share.pairs)
        (verdict.votes, verdict.worse, verdict.better) = (shown.votes, shown.worse, shown.better)
        verdict.excess = test.excess
        verdict.excessLower = test.lowerBound(logThreshold: logThreshold)
        verdict.excessUpper = test.upperBound(logThreshold: logThreshold)
        if design != .unadjusted {
            verdict.logEvidence = SignEvidence.logarithm(worse: paired.worse, better: paired.better)
            verdict.fixedLook.midP = SignTest.midP(worse: paired.worse, better: paired.better)
            verdict.fixedLook.fails =
                verdict.fixedLook.midP <= settings.significance && test.excess > settings.margin
        }
        verdict.places = placeVerdicts(settings: settings, limits: limits)
        verdict.latency = latencyVerdict(settings: settings, limits: limits)
        verdict.examples = clearestExamples(verdict.places)
        (verdict.verdict, verdict.reason) = judgement(settings: settings, limits: limits)
        return verdict
    }

    private static func logThreshold(_ settings: ComparisonSettings, share: Double) -> Double {
        -(settings.significance * share).logarithm
    }

    private func fillCounts(_ verdict: inout RouteVerdict) {
        verdict.sampled = sampled
        verdict.pairs = pairs
        verdict.coverage = coverage
        verdict.comparisons = comparisons
        verdict.missed = missed
        verdict.noisePairs = noisePairs
        verdict.noiseFloor = noisePairs > 0 ? Double(noisyPairs) / Double(noisePairs) : nil
        verdict.mismatches = unadjusted.worse
        verdict.mismatchVotes = unadjusted.votes
        verdict.unread = unread
        verdict.overflowed = places.overflowed
        verdict.lags = lags.enumerated().map { index, lag in
            LagShare(
                upperSeconds: index < Self.lagBounds.count ? Self.lagBounds[index] : nil,
                pairs: lag.pairs,
                mismatches: lag.mismatches
            )
        }
    }

    // MARK: - The verdict

    /// What is to be thought of the target, and why.
    func judgement(settings: ComparisonSettings, limits: VerdictLimits) -> (Verdict, VerdictReason) {
        guard pairs > 0 else { return (.inconclusive, .noPairs) }
        guard pairs < UInt64(limits.refusedPairs) || Double(refused) <= limits.refusedShare * Double(pairs) else {
            return (.inconclusive, .notComparable)
        }
        guard coverage >= settings.coverageFloor else { return (.inconclusive, .coverage) }
        if design != .unadjusted, let reason = failure(settings: settings, limits: limits) { return (.fail, reason) }
        guard Double(unread) <= (1 - settings.coverageFloor) * Double(pairs) else {
            return (.inconclusive, .unreadable)
        }
        let logThreshold = Self.logThreshold(settings, share: Share.pairs)
        if design != .unadjusted, ExcessTest(paired).isBelow(settings.margin, logThreshold: logThreshold) {
            return (.pass, .withinMargin)
        }
        let mismatch = ExcessTest(unadjusted)
        if design != .baseline, mismatch.isBelow(settings.margin, logThreshold: logThreshold) {
            return (.pass, .likeProduction)
        }
        let isUnadjusted = design == .unadjusted && mismatch.excess > settings.margin
        return (.inconclusive, isUnadjusted ? .unadjusted : .moreNeeded)
    }

    /// Why the target fails; `nil` when it does not.
    private func failure(settings: ComparisonSettings, limits: VerdictLimits) -> VerdictReason? {
        let logThreshold = Self.logThreshold(settings, share: Share.pairs)
        if ExcessTest(paired).isAbove(settings.margin, logThreshold: logThreshold) { return .beyondMargin }
        if !failingPlaces(places.records, settings: settings, limits: limits).isEmpty { return .place }
        let latency = latencyVerdict(settings: settings, limits: limits)
        return latency?.classification == .higher ? .latency : nil
    }

    private func latencyVerdict(settings: ComparisonSettings, limits: VerdictLimits) -> LatencyVerdict? {
        latency.verdict(
            margin: settings.latencyMargin,
            logThreshold: Self.logThreshold(settings, share: Share.latency),
            leastPairs: limits.latencyPairs
        )
    }

    // MARK: - Places

    /// The positions of the places that fail.
    ///
    /// The hypotheses are all places that there may be, which is fixed beforehand.
    private func failingPlaces(
        _ records: [PlaceRecord],
        settings: ComparisonSettings,
        limits: VerdictLimits
    ) -> Set<Int> {
        let level = settings.significance * Share.places
        return FalseDiscovery.rejected(
            logEvidence: records.map { record in
                ExcessTest(VoteCount(votes: paired.votes, worse: record.worse, better: record.better))
                    .logEvidence(above: settings.margin, atLeast: -level.logarithm)
            },
            hypotheses: limits.places,
            level: level
        )
    }

    private func placeVerdicts(settings: ComparisonSettings, limits: VerdictLimits) -> [PlaceVerdict] {
        let shown = places.records.filter { $0.worse + $0.better + $0.mismatches > 0 }
        let failing = failingPlaces(shown, settings: settings, limits: limits)
        let midPs = shown.map { SignTest.midP(worse: $0.worse, better: $0.better) }
        let failingFixedLook = FalseDiscovery.rejected(pValues: midPs, level: settings.significance)
        return shown.enumerated().map { index, record in
            PlaceVerdict(
                place: record.place,
                kinds: record.kinds.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }.map(\.key),
                worse: record.worse,
                better: record.better,
                mismatches: record.mismatches,
                logEvidence: SignEvidence.logarithm(worse: record.worse, better: record.better),
                midP: midPs[index],
                isVolatile: Volatility(differing: record.noise, of: noisePairs, limits: limits) == .volatile,
                fails: failing.contains(index),
                failsFixedLook: failingFixedLook.contains(index)
            )
        }
        .sorted { first, second in
            if first.fails != second.fails { return first.fails }
            if first.logEvidence != second.logEvidence { return first.logEvidence > second.logEvidence }
            if first.mismatches != second.mismatches { return first.mismatches > second.mismatches }
            return first.place < second.place
        }
    }

    /// Five examples: one of each place in the order of the verdicts, then the second of each, and so on.
    private func clearestExamples(_ verdicts: [PlaceVerdict]) -> [AnswerExample] {
        let shelves = verdicts.compactMap { places.record(of: $0.place)?.examples }
        var chosen: [AnswerExample] = []
        for rank in 0..<(shelves.map(\.count).max() ?? 0) {
            for shelf in shelves where rank < shelf.count && !chosen.contains(shelf[rank]) {
                chosen.append(shelf[rank])
                if chosen.count == 5 { return chosen }
            }
        }
        return chosen
    }
}
