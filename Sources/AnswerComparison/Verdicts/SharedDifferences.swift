// Wingmirror · Apache-2.0

/// What candidate and baseline say where both differ from production.
///
/// There no vote is possible, since neither is like production, so the two are compared with each other. Values that vary
/// differ there as well, which is why values of one shape count only at places where the two mostly agree.
struct SharedDifferences: Sendable {
    /// What the two say at one place.
    enum Relation: Sendable, Hashable {
        /// The same.
        case equal
        /// Values of the same shape.
        case alike
        /// Another status, kind or shape, or a redirect elsewhere; 1 or −1, by a comparison that favours neither.
        case unlike(Int64)
        /// The same entries in another order.
        case reordered
    }

    /// A place, and what the two say there.
    struct Entry: Sendable {
        let place: AnswerPlace
        let relation: Relation
        /// Whether the candidate says larger numbers, 1, or smaller ones, −1, that are far apart.
        var direction: Int64 = 0
        /// Whether contents were compared as wholes and differ, so that what they say was not compared at all.
        let isOpaque: Bool
        /// Whether production says something there too that is compared whole, and not only where a redirect leads.
        var isInProduction = true
    }

    /// Whether both have another status than production, so that nothing else was held against production's answer.
    let haveOtherStatus: Bool
    let entries: [Entry]

    /// Compares what candidate and baseline say.
    /// - Parameters:
    ///   - candidate: The candidate's differences from production.
    ///   - baseline: The baseline's.
    ///   - direct: The differences of the candidate from the baseline.
    ///   - redirection: How their redirects compare: 0 when both lead to one place, or are none.
    init(
        candidate: [AnswerDifference],
        baseline: [AnswerDifference],
        direct: [AnswerDifference],
        redirection: Int64
    ) {
        let ours = Set(candidate.filter(Self.isTelling).map(\.place))
        let shared = ours.intersection(baseline.filter(Self.isTelling).map(\.place))
        haveOtherStatus = shared.contains(.status)
        var places = shared
        if haveOtherStatus { places.formUnion(direct.filter(Self.isTelling).map(\.place)) }
        // Beside production's entries, which are others, the order of theirs shows nowhere.
        let reordered = Self.places(direct, .order).subtracting(Self.places(candidate + baseline, .order))
        places.formUnion(reordered)
        let location = AnswerPlace.field("location")
        if redirection != 0, haveOtherStatus || shared.contains(location) { places.insert(location) }
        let byPlace = Dictionary(grouping: direct.filter { !$0.isExpected }, by: \.place)
        let more = Self.places(candidate, .extra)
        entries = places.sorted().compactMap { place in
            let differences = byPlace[place] ?? []
            if place == location, redirection != 0 {
                return Entry(place: place, relation: .unlike(redirection), isOpaque: false)
            }
            let isOpaque = differences.contains(where: \.isCoarse)
            if let unlike = differences.first(where: { !$0.hasEqualShape }) {
                let side: Int64 = unlike.production < unlike.candidate ? 1 : -1
                return Entry(place: place, relation: .unlike(side), isOpaque: isOpaque)
            }
            if reordered.contains(place) { return Entry(place: place, relation: .reordered, isOpaque: isOpaque) }
            guard differences.allSatisfy(Self.isTelling) else { return nil }
            return Entry(
                place: place,
                relation: differences.isEmpty ? .equal : .alike,
                direction: differences.reduce(0) { $0 + $1.direction }.signum(),
                isOpaque: isOpaque,
                // Beside another status nothing else is held against production's answer.
                isInProduction: shared.contains(place) && place != location && !more.contains(place)
            )
        }
    }

    private static func places(_ differences: [AnswerDifference], _ kind: DifferenceKind) -> Set<AnswerPlace> {
        Set(differences.filter { $0.kind == kind }.map(\.place))
    }

    /// Whether a difference says more than that values are new each time, or made elsewhere.
    private static func isTelling(_ difference: AnswerDifference) -> Bool {
        guard difference.hasEqualShape else { return !difference.isExpected }
        return difference.expectation == .stable && !difference.isOfEnvironment
    }
}

/// How often candidate and baseline have said what at a place where both differ from production.
struct SharedCount: Sendable {
    /// Pairs in which they say the same.
    var equal: UInt64 = 0
    /// Those in which they say something else of the same shape.
    var alike: UInt64 = 0
    /// Those of these in which production says something there too.
    var instead: UInt64 = 0
    /// Those in which they say something of another shape, by side.
    var unlike = Tally.Sides()
    /// Those in which they say the same entries in another order.
    var reordered: UInt64 = 0
    /// Those in which they say numbers that are far apart, by whose are the larger.
    var ahead = Tally.Sides()
    /// Those in which only one of them says again what it said before, of a few values.
    var repeated = Tally.Sides()
    /// Those that were compared as wholes, and differ.
    var opaque: UInt64 = 0
    /// Those in which both had another status, of pairs asked at the same time.
    var otherStatus: UInt64 = 0
    /// Pairs in which production says something there, and not both say something else.
    var elsewhere: UInt64 = 0

    /// All of them.
    var pairs: UInt64 { equal + alike + unlike.worse + unlike.better }

    /// Whether neither side is ahead among those of another shape, within three standard deviations: shapes that vary at both
    /// are as often the one way as the other.
    var isEven: Bool { unlike.isEven(within: 3) }

    /// Whether the numbers of one of them are nearly always the larger ones: numbers that vary at both are not.
    var isOneSided: Bool {
        !ahead.isEven(within: 3) && 4 * min(ahead.worse, ahead.better) <= ahead.worse + ahead.better
    }

    /// Whether the candidate has fewer values than the baseline, where either has a few only.
    var isPoorer: Bool { repeated.worse > repeated.better && !repeated.isEven(within: 3) }
}

extension VerdictRecord {
    /// Fewer pairs in which the two agree say nothing of how steady a place is.
    private static let leastEqual: UInt64 = 20

    /// Whether candidate and baseline were asked at the same time, and neither took so long that the time of its answer is
    /// not known; so when nothing is known of either.
    func areTogether(_ moments: AskingMoments?) -> Bool {
        guard let moments else { return true }
        let delay = max(
            quickest.candidate.delay(of: moments.candidateLatency),
            quickest.baseline.delay(of: moments.baselineLatency)
        )
        return moments.asked.magnitude < UInt64(AskingOrder.least) && delay < AskingOrder.least
    }

    /// Takes in what candidate and baseline say where both differ from production.
    /// - Parameters:
    ///   - shared: What they say.
    ///   - isTogether: Whether they answered at the same time, so that time is no reason for other values.
    mutating func sharedObserved(_ shared: SharedDifferences, isTogether: Bool) {
        if shared.haveOtherStatus, isTogether { otherStatus += 1 }
        for entry in shared.entries {
            let position = places.position(of: entry.place)
            if entry.isOpaque { places[position].shared.opaque += 1 }
            switch entry.relation {
            case .equal where isTogether: places[position].shared.equal += 1
            case .alike where isTogether:
                places[position].shared.alike += 1
                if entry.isInProduction { places[position].shared.instead += 1 }
            case .equal, .alike: continue
            case .unlike(let side): places[position].shared.unlike.count(side)
            case .reordered: places[position].shared.reordered += 1
            }
            if isTogether { places[position].shared.ahead.count(entry.direction) }
            if shared.haveOtherStatus, isTogether { places[position].shared.otherStatus += 1 }
        }
    }

    /// The positions of places at which candidate and baseline both differ from production and disagree with each other, in
    /// more pairs than the margin, so that a change may hide there.
    func maskedPlaces(_ settings: ComparisonSettings, limits: VerdictLimits) -> [Int] {
        let most = settings.margin * Double(pairs)
        let uncompared = (1 - settings.coverageFloor) * Double(pairs)
        return places.records.indices.filter { position in
            let shared = places[position].shared
            if Double(shared.unlike.worse + shared.unlike.better) > most, !shared.isEven { return true }
            if Double(shared.ahead.worse + shared.ahead.better) > settings.margin * Double(together), shared.isOneSided
            {
                return true
            }
            if Double(shared.repeated.worse + shared.repeated.better) > most, shared.isPoorer { return true }
            if Double(shared.opaque) > uncompared { return true }
            if isReordered(position, settings) { return true }
            let mostTogether = settings.margin * Double(together)
            if Double(shared.instead) > mostTogether, isSaidAgain(position, limits) { return true }
            return Double(shared.alike) > mostTogether
                && (isSteady(position) || isOfSomeRequests(position))
        }
    }

    /// Whether production says again to a like request what the two say otherwise: it does not vary, so that one of them has
    /// changed it.
    ///
    /// What varies in few answers, as few have it, differs in few of production's own pairs too, but no less often.
    private func isSaidAgain(_ position: Int, _ limits: VerdictLimits) -> Bool {
        let place = places[position]
        let noise = place.productionNoise + place.productionOrderNoise
        return isStableInProduction(place.place, limits: limits)
            && 2 * Double(noise) * Double(together) < Double(place.shared.instead) * Double(productionPairs)
    }

    /// Whether candidate and baseline say the same entries in another order, in more pairs than the margin, and that order is not
    /// known to vary.
    func isReordered(_ position: Int, _ settings: ComparisonSettings) -> Bool {
        guard Double(places[position].shared.reordered) > settings.margin * Double(pairs) else { return false }
        guard case .content(let path) = places[position].place else { return true }
        return !unordered.contains(path)
    }

    /// Takes in places at which production says something in a pair, and not both others something else, asked at the same time.
    mutating func elsewhereObserved(_ found: [AnswerPlace]) {
        for place in found {
            guard let position = places.position(ofKnown: place) else { continue }
            places[position].shared.elsewhere += 1
        }
    }

    /// The places at which candidate and baseline have said something else than production, and than each other.
    var placesOfTheirOwn: [AnswerPlace] { places.records.filter { $0.shared.alike > 0 }.map(\.place) }

    /// Whether candidate and baseline say something else than production, and than each other, for some requests only of those to
    /// which production says something there, and for those always both: values that vary by chance differ now and then at one of
    /// the two alone, and those that are new each time differ wherever there are any.
    private func isOfSomeRequests(_ position: Int) -> Bool {
        let shared = places[position].shared
        let sides = self[.baseline].place(position).pairs
        return shared.otherStatus == 0 && 9 * shared.elsewhere > shared.pairs
            && 20 * (sides.worse + sides.better) < shared.alike
    }

    /// Whether staging has values of its own at a place, instead of values that vary: candidate and baseline are then like each other
    /// more often than either is like production.
    private func isSteady(_ position: Int) -> Bool {
        let shared = places[position].shared
        let equal = shared.equal + unlistedEqual(position)
        let sides = self[.baseline].place(position).pairs
        return equal >= Self.leastEqual && equal > 2 * (sides.worse + sides.better) && 2 * equal > shared.alike
    }

    /// Pairs in which the two were equal at a place without being listed: where both had another status, places that were equal were
    /// not; others never differ there.
    private func unlistedEqual(_ position: Int) -> UInt64 {
        let shared = places[position].shared
        return shared.otherStatus > 0 && otherStatus > shared.otherStatus ? otherStatus - shared.otherStatus : 0
    }

    /// Whether candidate and baseline mostly say something else at a place where both differ from production.
    func isMostlyUnequal(_ position: Int) -> Bool {
        let shared = places[position].shared
        return shared.equal + unlistedEqual(position) < shared.alike + shared.unlike.worse + shared.unlike.better
    }

    /// The positions of places at which candidate and baseline were compared with each other, in more pairs than the margin.
    func sharedPlaces(_ settings: ComparisonSettings) -> [Int] {
        places.records.indices.filter { Double(places[$0].shared.pairs) > settings.margin * Double(pairs) }
    }
}
