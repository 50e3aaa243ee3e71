// Wingmirror · Apache-2.0

internal import TrafficModel

extension VerdictRecord {
    /// About how many more pairs the verdict takes, if they are like those so far; `nil` when none are needed, or no number of
    /// them would do.
    func pairsNeeded(_ judgement: Finding, settings: ComparisonSettings, limits: VerdictLimits) -> UInt64? {
        guard judgement.verdict == .inconclusive, pairs > 0 else { return nil }
        switch judgement.reason {
        case .coverage, .breaker, .throttled: return pairsUntilCovered(settings)
        case .stagingFails where incomparable(limits) == nil:
            return pairsUntilCovered(settings) ?? pairsUntilDecided(settings, limits: limits)
        // That takes blocks of time, and not pairs.
        case .moreNeeded where isSlowSoFar(settings: settings, limits: limits): return nil
        case .moreNeeded, .episode, .unadjusted: return pairsUntilDecided(settings, limits: limits)
        default: return nil
        }
    }

    /// Pairs until what is missing is few enough, when nothing more goes missing.
    private func pairsUntilCovered(_ settings: ComparisonSettings) -> UInt64? {
        guard settings.coverageFloor < 1, settings.errorMargin > 0 else { return nil }
        let missing = Double(expected - min(expected, pairs))
        let enough = max(
            missing * settings.coverageFloor / (1 - settings.coverageFloor),
            Double(hasBaseline ? suspects : suspects + missed[.throttled, default: 0]) / settings.errorMargin,
            settings.margin > 0 ? Double(unheldDifferences) / settings.margin : 0
        )
        return enough > Double(pairs) ? UInt64(enough) - pairs : nil
    }

    private func pairsUntilDecided(_ settings: ComparisonSettings, limits: VerdictLimits) -> UInt64? {
        let standing = Standing(self)
        var factor = 1.0
        // In steps of a fifth up to some ten thousand times as many, which is as good as never.
        for _ in 0..<50 {
            factor *= 1.2
            let scaled = standing.scaled(by: factor)
            let isDecided =
                Self.finding(scaled, settings: settings, weight: Share.total) != nil
                || passes(scaled, settings: settings, limits: limits) != nil
            if isDecided { return UInt64(Double(pairs) * (factor - 1)) + 1 }
        }
        return nil
    }

    // MARK: - Remedies

    /// What there is to do about an open verdict, or one that says that something is wrong.
    func remedy(_ judgement: Finding, settings: ComparisonSettings, limits: VerdictLimits) -> String {
        if limits.isComplete, let remedy = completeRemedy(judgement, settings: settings, limits: limits) {
            return remedy
        }
        return switch judgement.reason {
        case .withinMargin, .likeProduction: ""
        case .errors: "look at the examples; the target fails where the other side answers"
        case .beyondMargin, .place:
            judgement.verdict == .different
                ? "a baseline that runs production's version tells whether that is the version or staging's data"
                : "look at the places that fail and their examples"
        case .lessSteady: "answers vary at the target alone; look at the places, or add a baseline"
        case .latency, .latencyTail: "compare the latency of candidate and baseline by route"
        case .noPairs: "nothing has been compared yet; see what was filtered and not sampled"
        case .moreNeeded where isOffset(settings):
            "look at the examples: the target is worse in some requests and better in more, and the one is no excuse for the other"
        case .moreNeeded where isSlowSoFar(settings: settings, limits: limits):
            "wait for a few minutes: so far the target's median response takes longer than the baseline's by more than latencyMargin"
        case .moreNeeded: moreRemedy + orderRemedy(settings: settings, limits: limits)
        case .unadjusted: "add a baseline, or raise repeatShare, so that differences can be held against something"
        case .coverage:
            coverageRemedy(
                Standing(self).coverage < settings.coverageFloor ? mostMissed : mostMissed(of: \.mayBeFailure)
            )
        case .breaker: "see why \(lane.target) fails or is slow: its breaker opened\(breaker.isAlone ? " alone" : "")"
        case .breakerAlone: "see why \(lane.target) fails; its breaker opens again after each rest"
        case .throttled: "the target answers 429: lower rate or percent, or lift its limit for mirrored requests"
        case .conditional: "production answers from caches; only unconditional requests can be compared"
        case .credentials:
            "answers depend on credentials that copies do not carry: add a baseline, which is answered as a guest too, or keep "
                + "the fields if the target may act for users"
        case .unconfirmed:
            "the target's values vary at \(unconfirmedText(settings: settings, limits: limits)); add a baseline, or ignore "
                + "them if they vary in production too" + orderRemedy(settings: settings, limits: limits)
        case .noisy: "answers vary too much to be judged without a baseline; add one, or ignore the places that vary"
        case .apart:
            2 * delayed > apart
                ? "requests wait at the agent or at the targets: lower percent, or give them more processor time"
                : "give both targets the same rate and inFlight, or lower percent, so that neither waits longer"
        case .episode: "what differs happened within a short time; wait whether it comes back"
        case .fewKeys:
            "what differs comes from few clients; wait for others, or sample by a key that more requests have"
        case .notComparable: "the target turns requests away; give it production's data, or leave the route out"
        case .stagingFails: "see why the baseline fails where production answers; its target has metrics of its own"
        case .manyPlaces:
            "answers differ at more than \(limits.places - 1) places: name those that mean nothing in "
                + "comparison.ignoredPaths, a map of many keys by its own path"
        case .masked: maskedRemedy(settings, limits: limits)
        case .unreadable: "contents are coded in a way that is not read; ask for gzip, or leave the route out"
        case .cut: "raise comparison.maximumContentBytes and the policy's content limit"
        }
    }

    /// How there come to be more pairs; where most that is sampled is left out, sampling more brings none.
    private var moreRemedy: String {
        missed[.thinned, default: 0] > pairs
            ? "wait for more pairs: most copies are left out by ramp, back-off, the target's rate or a pause; "
                + "wingmirror_mirror_dropped_total says which"
            : "wait for more pairs, or raise percent"
    }

    /// What there is to do where nothing more comes by itself; `nil` where that makes no difference.
    private func completeRemedy(
        _ judgement: Finding,
        settings: ComparisonSettings,
        limits: VerdictLimits
    ) -> String? {
        switch judgement.reason {
        case .moreNeeded where isOffset(settings): nil
        case .moreNeeded:
            "replay more requests, and report on all recordings together"
                + orderRemedy(settings: settings, limits: limits)
        case .unadjusted: "replay each request twice: the second response shows what varies by itself"
        case .throttled: "the target answers 429: replay at a lower rate, or lift its limit for replayed requests"
        case .episode: "what differs happened within a short time: replay again, and see whether it comes back"
        default: nil
        }
    }

    private func maskedRemedy(_ settings: ComparisonSettings, limits: VerdictLimits) -> String {
        let hidden = hasBaseline ? maskedPlaces(settings, limits: limits) : coarsePlaces(settings)
        let what = hidden.prefix(3).map { places[$0].place.text }.joined(separator: ", ")
        guard hasBaseline else {
            return "\(what) is compared as a whole only, and differs: ignore the place, or add a baseline if "
                + "production and staging answer alike"
        }
        if hidden.allSatisfy({ places[$0].shared.isPoorer }) {
            return
                "at \(what) the baseline's values take turns, and the target's do less: where it names a server, give "
                + "both as many replicas or ignore the place; else see why the target's hardly changes"
        }
        if hidden.allSatisfy({ isReordered($0, settings) }) {
            return
                "at \(what) staging has other entries than production, and the target has them in another order than the "
                + "baseline: where that means nothing, name the list in comparison.unorderedPaths (without the last []), "
                + "else see why"
        }
        return "at \(what) target and baseline both differ from production, and from each other: give staging "
            + "production's data, or ignore the place, as of what counts from a server's start"
    }

    /// What to do about most of what is missing.
    private func coverageRemedy(_ reason: MissedReason?) -> String {
        if 2 * sentAgain > suspects, reason.map(\.mayBeFailure) ?? true {
            return "see why \(lane.target) closes connections with requests on them; it should keep idle ones for more "
                + "than a second, or say that it does not (Connection: close)"
        }
        switch reason {
        case .dropped, .lag:
            return "not all could be sent in time: lower percent, or raise the target's rate and inFlight"
        case .baseline: return "see why the baseline gives no response; its target has metrics of its own"
        case .slow: return "raise the timeout of \(lane.target): production takes that long too"
        case .production: return "production's responses were not captured whole: see the metrics of the capture"
        case .thinned: return "all are left out by ramp, back-off, rate or a pause; see wingmirror_mirror_dropped_total"
        case .cancelled:
            return "the agent gave them up: a pause, or no processor time, file descriptors, ports or memory left"
        case .unanswered:
            return "replay all requests, and see why the target did not respond to some: it may have failed"
        default: return "see what was missed; requests that never became pairs may hide failures"
        }
    }

    /// What to do about lists whose order varies, which take many pairs; empty without any.
    private func orderRemedy(settings: ComparisonSettings, limits: VerdictLimits) -> String {
        let ballot = self[.unadjusted]
        let paths = ballot.places.indices.compactMap { position -> String? in
            guard hasVolatileOrder(position, limits: limits), !hasVolatileValues(position, limits: limits),
                ballot.places[position].worse > settings.margin * ballot.votes,
                case .content(let path) = places.records[position].place
            else { return nil }
            return path.hasSuffix("[]") ? String(path.dropLast(2)) : path
        }
        guard !paths.isEmpty else { return "" }
        return "; where the order of a list means nothing (\(paths.prefix(3).joined(separator: ", "))), name it in "
            + "comparison.unorderedPaths"
    }

    private func unconfirmedText(settings: ComparisonSettings, limits: VerdictLimits) -> String {
        let names = unconfirmedPlaces(settings: settings, limits: limits).sorted().prefix(3)
            .map { places.records[$0].place.text }
        return names.joined(separator: ", ")
    }
}

extension Standing {
    /// The same with so many times the votes.
    fileprivate func scaled(by factor: Double) -> Standing {
        var scaled = self
        for question in Question.allCases {
            scaled[question].votes *= factor
            scaled[question].whole.scale(by: factor)
            scaled[question].raw.scale(by: factor)
        }
        scaled.pairs = UInt64(Double(pairs) * factor)
        scaled.missing = UInt64(Double(missing) * factor)
        scaled.suspects = UInt64(Double(suspects) * factor)
        scaled.uncompared = UInt64(Double(uncompared) * factor)
        scaled.expected = UInt64(Double(expected) * factor)
        return scaled
    }
}

extension Tally {
    fileprivate mutating func scale(by factor: Double) {
        worse *= factor
        better *= factor
        pairs.scale(by: factor)
        keys.scale(by: factor)
        scaleBlocks(by: factor)
    }
}
