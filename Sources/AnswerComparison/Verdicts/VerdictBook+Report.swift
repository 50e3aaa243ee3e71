// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

extension VerdictBook {
    /// Every verdict so far, ordered by policy, target and route; what a target is found to do is noted, and stays.
    ///
    /// Costs some milliseconds for a route with many differences; asking often changes nothing about its validity.
    /// - Parameter isExact: Whether verdicts are made anew that hardly anything has been added to since the last time.
    /// - Returns: The verdicts.
    public mutating func report(isExact: Bool = true) -> [RouteVerdict] {
        for index in records.indices {
            guard let settings = settings(of: records[index].lane.policy) else { continue }
            // What has come to rest is shown as it is.
            let isAtRest = records[index].sampledBefore == records[index].sampled
            records[index].sampledBefore = records[index].sampled
            if !isExact, let shown = records[index].shown, !records[index].hasGrown(since: shown, isAtRest: isAtRest) {
                continue
            }
            note(at: index, settings: settings)
            records[index].shown = records[index].verdict(settings: settings, limits: limits)
        }
        return records.compactMap(\.shown)
            .sorted { Self.sortKey($0).lexicographicallyPrecedes(Self.sortKey($1)) }
    }

    private static func sortKey(_ verdict: RouteVerdict) -> [String] {
        let route = verdict.route
        return [
            verdict.lane.policy, verdict.lane.target, route.virtualServiceNamespace, route.virtualService, route.route,
        ]
    }
}

extension VerdictRecord {
    /// Whether a verdict has become old: by a hundredth more of requests, or ten seconds, or by anything once no more come.
    func hasGrown(since shown: RouteVerdict, isAtRest: Bool) -> Bool {
        guard breaker == shown.breaker else { return true }
        let count = sampled - shown.sampled
        guard count > 0, !isAtRest else { return count > 0 || pairs != shown.pairs }
        return Double(count) > 0.01 * Double(shown.sampled)
            || (until ?? 0) >= shown.until.advanced(by: .seconds(10))
    }

    /// The strongest design that any pair had.
    private var design: VerdictDesign { mainQuestion.design ?? .unadjusted }

    /// The question of that design.
    var mainQuestion: Question {
        if hasBaseline { return .baseline }
        return [Question.repeats, .naturalRepeats].first { self[$0].votes > 0 } ?? .unadjusted
    }

    /// The verdict with the numbers behind it.
    func verdict(settings: ComparisonSettings, limits: VerdictLimits) -> RouteVerdict {
        var verdict = RouteVerdict(lane: lane, route: route, design: design)
        fillCounts(&verdict, settings: settings)
        fillVotes(&verdict, settings: settings)
        let judgement = judgement(settings: settings, limits: limits)
        (verdict.verdict, verdict.reason) = (judgement.verdict, judgement.reason)
        verdict.places = placeVerdicts(
            settings: settings,
            limits: limits,
            errorsFail: [.errors, .breakerAlone].contains(judgement.reason)
        )
        verdict.latency = latencyVerdict(settings: settings, limits: limits)
        verdict.examples = clearestExamples(verdict.places)
        if [.fail, .different].contains(verdict.verdict) {
            verdict.lasting = LastingFinding(
                time: failure?.time ?? until ?? 0,
                lastSeen: lastSeen(judgement)
            )
        }
        verdict.recent = recentVerdict(settings: settings, limits: limits)
        verdict.pairsNeeded = pairsNeeded(judgement, settings: settings, limits: limits)
        verdict.remedy = remedy(judgement, settings: settings, limits: limits)
        return verdict
    }

    /// The votes, by question, and the interval of the excess of the one that counts most.
    private func fillVotes(_ verdict: inout RouteVerdict, settings: ComparisonSettings) {
        verdict.margin = settings.margin
        verdict.errorMargin = settings.errorMargin
        verdict.significance = settings.significance
        let ballot = self[mainQuestion]
        let count = ballot.count(ballot.whole)
        let test = ExcessTest(count)
        let logThreshold = Self.logThreshold(settings, share: 0.5)
        (verdict.votes, verdict.worse, verdict.better) = (count.votes, count.worse, count.better)
        (verdict.worsePairs, verdict.betterPairs) = (ballot.whole.pairs.worse, ballot.whole.pairs.better)
        verdict.excess = test.excess
        verdict.excessLower = test.lowerBound(logThreshold: logThreshold)
        verdict.excessUpper = test.upperBound(logThreshold: logThreshold)
        if mainQuestion != .unadjusted {
            let sides = ballot.whole.pairs
            verdict.logEvidence = wholeEvidence(mainQuestion, margin: settings.margin)
            verdict.fixedLook.midP = SignTest.midP(worse: sides.worse, better: sides.better)
            verdict.fixedLook.fails =
                verdict.fixedLook.midP <= settings.significance && test.excess > settings.margin
        }
        verdict.errors = errorCount(settings)
        verdict.designs = Question.allCases.compactMap { question in
            guard let design = question.design, self[question].pairs > 0 else { return nil }
            let sides = self[question].whole.pairs
            return DesignCount(
                design: design,
                pairs: self[question].pairs,
                votes: self[question].votes,
                worse: sides.worse,
                better: sides.better
            )
        }
    }

    private func errorCount(_ settings: ComparisonSettings) -> ErrorCount {
        let ballot = self[.errors]
        let count = ballot.count(ballot.whole)
        let test = ExcessTest(count)
        let logThreshold = Self.logThreshold(settings, share: 0.5)
        return ErrorCount(
            pairs: ballot.pairs,
            worse: ballot.whole.pairs.worse,
            better: ballot.whole.pairs.better,
            votes: ballot.votes,
            excess: test.excess,
            excessLower: test.lowerBound(logThreshold: logThreshold),
            excessUpper: test.upperBound(logThreshold: logThreshold),
            logEvidence: wholeEvidence(.errors, margin: settings.errorMargin)
        )
    }

    /// The evidence on pairs as wholes, what is missing counted as equal, as far as blocks of time and keys bear it out.
    ///
    /// Below 0 where it speaks for the target, so that in the mean over nodes one weighs against another.
    private func wholeEvidence(_ question: Question, margin: Double) -> Double {
        let tally = self[question].whole
        let votes = ExcessTest(Standing(self).count(tally, question, missingAreEqual: true))
            .wholeLogEvidence(above: margin)
        let blocks = tally.allBlocks
        let byBlocks = SignEvidence.logarithm(worse: blocks.worse, better: blocks.better)
        guard question != .errors else { return min(votes, byBlocks) }
        return min(votes, byBlocks, KeyEvidence.logarithm(tally.keys, seen: keyCount))
    }

    private func fillCounts(_ verdict: inout RouteVerdict, settings: ComparisonSettings) {
        verdict.since = since ?? 0
        verdict.until = until ?? 0
        verdict.sampled = sampled
        verdict.pairs = pairs
        verdict.coverage = Standing(self).coverage
        verdict.comparisons = comparisons
        verdict.missed = missed
        verdict.noisePairs = noisePairs
        verdict.noiseFloor = noisePairs > 0 ? Double(noisyPairs) / Double(noisePairs) : nil
        verdict.mismatches = self[.unadjusted].whole.pairs.worse
        verdict.mismatchPairs = self[.unadjusted].pairs
        verdict.unread = unread
        verdict.cut = cut
        verdict.ambiguous = ambiguous
        verdict.breaker = breaker
        verdict.apart = apart
        verdict.delayed = delayed
        verdict.overflowed = places.overflowed
        let shared = sharedPlaces(settings)
        verdict.shared = shared.map { places[$0].place }.sorted()
        verdict.sharedShapes = shared.filter(isMostlyUnequal).map { places[$0].place }.sorted()
        verdict.lags = lags.enumerated().map { index, lag in
            LagShare(
                upperSeconds: index < Self.lagBounds.count ? Self.lagBounds[index] : nil,
                pairs: lag.pairs,
                mismatches: lag.mismatches
            )
        }
    }

    /// The questions by which a target may be found to differ.
    private var designs: [Question] { hasBaseline ? [.baseline] : [.repeats, .naturalRepeats] }

    /// When a pair last showed what the target was found to do.
    private func lastSeen(_ judgement: Finding) -> Int64? {
        let ballot = self[mainQuestion]
        switch judgement.reason {
        case .errors, .breakerAlone: return self[.errors].whole.lastWorse
        case .lessSteady: return ballot.whole.lastBetter ?? ballot.raw.lastBetter
        case .latency, .latencyTail: return until
        default:
            // Any design may have found it, and not only the one whose counts are shown.
            return designs.flatMap { [self[$0].whole.lastWorse, self[$0].raw.lastWorse] }.compactMap(\.self).max()
        }
    }

    /// What the votes of the last hours say by themselves.
    private func recentVerdict(settings: ComparisonSettings, limits: VerdictLimits) -> RecentVerdict? {
        guard let mark = marks.marks.first else { return nil }
        let standing = Standing(self)
        let rest = standing.since(mark.standing)
        let found =
            mark.number == 0
            ? Self.finding(standing, settings: settings, weight: Share.total)
                ?? recentFinding(standing, settings: settings)
            : recentFinding(standing, settings: settings)
        // Like the verdict since the beginning: what was found comes before what is not comparable.
        let incomparable = found == nil ? incomparable(limits) : nil
        // Latencies are not known apart for a stretch, unless it is all there is.
        let isSlow = mark.number == 0 && isSlowSoFar(settings: settings, limits: limits)
        let passing =
            !isSlow && obstacle(rest, settings: settings, limits: limits) == nil
            ? passes(rest, settings: settings, limits: limits, isStretch: true) : nil
        let judgement =
            incomparable.map { Finding(verdict: .inconclusive, reason: $0) }
            ?? found ?? passing.map { Finding(verdict: .pass, reason: $0) }
            ?? Finding(verdict: .inconclusive, reason: rest.pairs == 0 ? .noPairs : .moreNeeded)
        let sides = rest[mainQuestion].whole.pairs
        return RecentVerdict(
            since: mark.time,
            verdict: judgement.verdict,
            reason: judgement.reason,
            pairs: rest.pairs,
            errorsWorse: rest[.errors].whole.pairs.worse,
            worse: sides.worse,
            better: sides.better
        )
    }

    // MARK: - Places

    private func placeVerdicts(
        settings: ComparisonSettings,
        limits: VerdictLimits,
        errorsFail: Bool
    ) -> [PlaceVerdict] {
        let question = mainQuestion
        let failing = designs.reduce(into: Set<Int>()) { failing, design in
            failing.formUnion(failingPlaces(design, settings: settings, limits: limits))
        }
        let shown = places.records.indices.filter {
            let sides = self[question].place($0).pairs
            return places.records[$0].mismatches + sides.worse + sides.better > 0
        }
        let sides = shown.map { self[question].place($0).pairs }
        let midPs = sides.map { SignTest.midP(worse: $0.worse, better: $0.better) }
        let failingFixedLook = FalseDiscovery.rejected(pValues: midPs, level: settings.significance)
        return zip(shown, sides).enumerated().map { index, known in
            let (position, sides) = known
            let record = places.records[position]
            let isOfErrors = record.place == .outcome || record.kinds[.statusClass] != nil
            return PlaceVerdict(
                place: record.place,
                kinds: record.kinds.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }.map(\.key),
                worse: sides.worse,
                better: sides.better,
                mismatches: record.mismatches,
                repeats: min(record.stuck, sides.worse),
                logEvidence: question == .unadjusted
                    ? 0 : SignEvidence.logarithm(worse: sides.worse, better: sides.better),
                midP: midPs[index],
                isVolatile: isVolatile(position, limits: limits),
                fails: failing.contains(position) || errorsFail && isOfErrors,
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
