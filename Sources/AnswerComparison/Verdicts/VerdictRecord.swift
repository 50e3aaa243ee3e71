// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// Everything that is known of one target on one route.
struct VerdictRecord: Sendable {
    let lane: MirrorLane
    let route: RouteName
    /// When the record began, in nanoseconds since the Unix epoch: with its first pair.
    var since: Int64?
    /// When its last pair was there.
    var until: Int64?
    var sampled: UInt64 = 0
    var pairs: UInt64 = 0
    var comparisons: [ComparisonWord: UInt64] = [:]
    var missed: [MissedReason: UInt64] = [:]
    /// Whether a baseline was asked too.
    var hasBaseline = false
    /// The votes, by question.
    var ballots = [Ballot](repeating: Ballot(), count: Question.allCases.count)
    /// Pairs of answers of one version, and those that differ where it counts.
    var noisePairs: UInt64 = 0
    var noisyPairs: UInt64 = 0
    /// Those that are not of the candidate's answers, by which it is known whether a number is 0 now and then.
    var zeroPairs: UInt64 = 0
    /// Pairs of production's own answers.
    var productionPairs: UInt64 = 0
    /// Pairs in which the target turned away with 401, 403 or 404 what production answered to credentials that copies lack, or
    /// redirected or refused it in any way as the baseline did.
    var refused: UInt64 = 0
    /// Pairs in which the baseline failed where production answered, whatever the candidate did.
    var stagingFailures: UInt64 = 0
    /// Requests that production answered and the candidate failed, which is held against nothing: the baseline failed too, or
    /// was not asked.
    var unheldFailures: UInt64 = 0
    /// Pairs in which the candidate's answer differs from production's, which is held against nothing, as the baseline failed.
    var unheldDifferences: UInt64 = 0
    /// Pairs in which candidate and baseline were asked at the same time, and neither waited.
    var together: UInt64 = 0
    /// Those of them in which both have another status than production.
    var otherStatus: UInt64 = 0
    /// Pairs in which the candidate was asked once more, and the baseline was not.
    var sentAgain: UInt64 = 0
    /// Pairs that differ at places for which there was no room.
    var overflowedPairs: UInt64 = 0
    /// Pairs whose content could not be read.
    var unread: UInt64 = 0
    /// Pairs whose content was compared only as far as it was kept.
    var cut: UInt64 = 0
    /// Pairs that differ and whose request lost credentials on its way, so that nothing follows.
    private(set) var ambiguous: UInt64 = 0
    /// Which of candidate and baseline was asked first.
    var order = AskingOrder()
    /// Pairs whose values differ at one of candidate and baseline only.
    var skewed: UInt64 = 0
    /// Those of them that did not vote, or not at all places, because time may explain how they differ.
    var apart: UInt64 = 0
    /// Those of these that were asked at the same time, and waited at the agent or the targets.
    var delayed: UInt64 = 0
    /// How quickly candidate and baseline answer when nothing waits.
    var quickest = (candidate: QuickestAnswer(), baseline: QuickestAnswer())
    /// How much time lay between answers.
    var exposure = TimeExposure()
    /// Whether only the candidate failed in the last pair.
    var failedLast = false
    /// What the breakers of candidate and baseline have come to since the record began.
    var breaker = BreakerCount()
    var places: PlaceTable
    /// Lists whose order varies among answers of one version: their entries are compared as sets, and their order apart.
    var unordered: Set<String> = []
    var latency = LatencyRecord()
    /// Which of the two was asked first in pairs whose latencies count.
    var latencyOrder = AskingOrder()
    var lags = [(pairs: UInt64, mismatches: UInt64)](repeating: (0, 0), count: Self.lagBounds.count + 1)
    /// Keys seen, until there are many.
    var fewKeys: Set<UInt64> = []
    var hasManyKeys = false
    /// When the block of time began.
    private var blockStart: Int64?
    /// The counts at earlier times.
    var marks = TimeMarks()
    /// What the target failed for, and when; stays until the record begins anew.
    var failure: RecordedFailure?
    /// Requests when verdicts were last asked for.
    var sampledBefore: UInt64 = 0
    /// The verdict as it was last shown.
    var shown: RouteVerdict?

    /// The upper bounds of the lags told apart, in seconds.
    static let lagBounds = [0.1, 0.3, 1, 3, 10]
    /// From how many keys on it does not matter how many there are.
    static let manyKeys = 64

    init(lane: MirrorLane, route: RouteName, limits: VerdictLimits) {
        self.lane = lane
        self.route = route
        places = PlaceTable(limit: limits.places)
    }

    subscript(question: Question) -> Ballot {
        get { ballots[question.rawValue] }
        _modify { yield &ballots[question.rawValue] }
    }

    /// The keys seen; `nil` when they are many.
    var keyCount: Int? { hasManyKeys ? nil : fewKeys.count }

    /// Requests that should have become pairs: all that were sampled, but those that are missing for a reason that has nothing
    /// to do with what the target answers.
    var expected: UInt64 {
        let independent = MissedReason.allCases.reduce(0) { $1.isIndependent ? $0 + missed[$1, default: 0] : $0 }
        return sampled > independent ? sampled - independent : 0
    }

    // MARK: - Differences that count

    /// The differences that count for a pair as a whole, as far as the route's noise is known.
    func counted(_ differences: [AnswerDifference], _ question: Question, limits: VerdictLimits) -> [AnswerDifference] {
        differences.filter { difference in
            guard isWeighty(difference, question, limits: limits) else { return false }
            return volatility(of: difference, limits: limits).counts(difference)
                || isUnusualZero(difference, limits: limits)
        }
    }

    /// Whether a number is 0 where those of the other side's answers hardly ever are, however much they vary.
    private func isUnusualZero(_ difference: AnswerDifference, limits: VerdictLimits) -> Bool {
        guard difference.isOfZero, let place = places.record(of: difference.place) else { return false }
        return Volatility(differing: place.zeroNoise, of: zeroPairs, limits: limits) == .stable
    }

    /// The differences that count at their places.
    func weighty(_ differences: [AnswerDifference], _ question: Question, limits: VerdictLimits) -> [AnswerDifference] {
        differences.filter { isWeighty($0, question, limits: limits) }
    }

    /// Whether a difference counts at its place: what is learned of a place says how noisy it is, and takes no votes from it.
    func isWeighty(_ difference: AnswerDifference, _ question: Question, limits: VerdictLimits) -> Bool {
        guard !difference.isExpected else { return false }
        guard question != .baseline, difference.hasEqualShape else { return true }
        // Without a baseline staging's own times and validators are no news, however steady they are.
        if difference.isOfEnvironment { return false }
        guard difference.expectation == .presumedVolatile else { return true }
        return volatility(of: difference, limits: limits) == .stable
            || isStableInProduction(difference.place, limits: limits)
    }

    /// Whether production's own repeats show that what is at a place does not vary, the order of entries included.
    func isStableInProduction(_ place: AnswerPlace, limits: VerdictLimits) -> Bool {
        let known = places.record(of: place)
        return [known?.productionNoise, known?.productionOrderNoise].allSatisfy { noise in
            Volatility(differing: noise ?? 0, of: productionPairs, limits: limits) == .stable
        }
    }

    private func volatility(of difference: AnswerDifference, limits: VerdictLimits) -> Volatility {
        let place = places.record(of: difference.place)
        let noise = difference.kind == .order ? place?.orderNoise : place?.noise
        return Volatility(differing: noise ?? 0, of: noisePairs, limits: limits)
    }

    /// Takes in how two answers of one version differ.
    mutating func noiseObserved(_ comparison: ComparedAnswers, limits: VerdictLimits) {
        let counted = counted(comparison.differences, .baseline, limits: limits)
        noisePairs += 1
        if !counted.isEmpty { noisyPairs += 1 }
        for position in differing(comparison, inOrder: false) { places[position].noise += 1 }
        for position in differing(comparison, inOrder: true) { orderNoiseObserved(at: position, limits: limits) }
    }

    /// Takes in where two answers that are not the candidate's, whose own zeros excuse none, differ by a number that is 0.
    mutating func zerosObserved(_ comparison: ComparedAnswers) {
        zeroPairs += 1
        for difference in comparison.differences where difference.isOfZero {
            places[places.position(of: difference.place)].zeroNoise += 1
        }
    }

    /// Takes in a pair that differs and whose request lost its credentials.
    mutating func ambiguityObserved(_ differences: [AnswerDifference]) {
        ambiguous += 1
        var seen: [Int: Bool] = [:]
        for difference in differences {
            let isAlike = difference.hasEqualShape && difference.kind != .order
            let position = places.position(of: difference.place)
            seen[position] = seen[position, default: true] && isAlike
        }
        for (position, isAlike) in seen {
            if isAlike { places[position].ambiguous.alike += 1 } else { places[position].ambiguous.unlike += 1 }
        }
    }

    /// Pairs of which nothing follows because their request lost its credentials, by what is known of places by now.
    ///
    /// Values that turned out to vary by themselves were no sign of other credentials before that was known either. A pair
    /// that differs at several places is counted at each, but no more pairs than there were.
    func stillAmbiguous(limits: VerdictLimits) -> UInt64 {
        let sum = places.records.enumerated().reduce(UInt64(0)) { sum, known in
            let (position, place) = known
            return sum + place.ambiguous.unlike
                + (hasVolatileValues(position, limits: limits) ? 0 : place.ambiguous.alike)
        }
        return min(sum, ambiguous)
    }

    /// Takes in how two of production's answers differ.
    mutating func productionNoiseObserved(_ comparison: ComparedAnswers) {
        productionPairs += 1
        for position in differing(comparison, inOrder: false) { places[position].productionNoise += 1 }
        for position in differing(comparison, inOrder: true) { places[position].productionOrderNoise += 1 }
    }

    /// The places at which two answers differ in the order of entries, or otherwise.
    private mutating func differing(_ comparison: ComparedAnswers, inOrder: Bool) -> Set<Int> {
        var seen = Set<Int>()
        for difference in comparison.differences where !difference.isExpected && (difference.kind == .order) == inOrder
        {
            seen.insert(places.position(of: difference.place))
        }
        return seen
    }

    private mutating func orderNoiseObserved(at position: Int, limits: VerdictLimits) {
        places[position].orderNoise += 1
        guard case .content(let path) = places[position].place, hasVolatileOrder(position, limits: limits) else {
            return
        }
        unordered.insert(path)
    }

    // MARK: - Time

    /// Lets a pair's time end blocks, and mark the counts so far.
    mutating func timePassed(_ time: Int64, settings: ComparisonSettings) {
        since = min(since ?? time, time)
        until = max(until ?? time, time)
        if let start = blockStart {
            // A clock that was set back begins a block too; answers that come out of order do not.
            let isBefore = time < start.advanced(by: .zero - max(settings.timeBlock, TimeMarks.mostLate))
            if isBefore || time >= start.advanced(by: settings.timeBlock) {
                for index in ballots.indices { ballots[index].blockEnded() }
                latency.blockEnded()
                blockStart = time
            }
        } else {
            blockStart = time
        }
        if marks.isDue(time, window: settings.recentWindow) {
            marks.append(TimeMark(time: time, record: self), window: settings.recentWindow)
        }
    }

    /// Notes a key, until there are many.
    mutating func keySeen(_ keyHash: UInt64) {
        guard !hasManyKeys else { return }
        fewKeys.insert(keyHash)
        guard fewKeys.count >= Self.manyKeys else { return }
        hasManyKeys = true
        fewKeys = []
    }

    /// Counts a pair among those with its lag.
    mutating func lagObserved(_ nanoseconds: Int64, isMismatch: Bool) {
        let seconds = Double(nanoseconds) / 1e9
        let position = Self.lagBounds.firstIndex { seconds <= $0 } ?? Self.lagBounds.count
        lags[position].pairs += 1
        if isMismatch { lags[position].mismatches += 1 }
    }
}
