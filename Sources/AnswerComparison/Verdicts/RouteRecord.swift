// Wingmirror · Apache-2.0

internal import TrafficModel

/// Everything that is known of one target on one route.
struct RouteRecord: Sendable {
    let lane: MirrorLane
    let route: RouteName
    var sampled: UInt64 = 0
    var pairs: UInt64 = 0
    var comparisons: [ComparisonWord: UInt64] = [:]
    var missed: [MissedReason: UInt64] = [:]
    /// Pairs by what the candidate's differences were held against.
    var designs: [VerdictDesign: UInt64] = [:]
    /// Votes of pairs with a reference.
    var paired = VoteCount()
    /// Votes of all pairs on whether the candidate differs from production; `worse` says that it does.
    var unadjusted = VoteCount()
    /// Pairs of answers of one version, and those that differ where it counts.
    var noisePairs: UInt64 = 0
    var noisyPairs: UInt64 = 0
    /// Pairs in which the target turned away what production answered.
    var refused: UInt64 = 0
    /// Pairs whose content could not be read.
    var unread: UInt64 = 0
    var places: PlaceTable
    /// Lists whose order has turned out to mean nothing.
    var unordered: Set<String> = []
    var latency = LatencyRecord()
    var lags = [(pairs: UInt64, mismatches: UInt64)](repeating: (0, 0), count: Self.lagBounds.count + 1)

    /// The upper bounds of the lags told apart, in seconds.
    static let lagBounds = [0.1, 0.3, 1, 3, 10]

    init(lane: MirrorLane, route: RouteName, limits: VerdictLimits) {
        self.lane = lane
        self.route = route
        places = PlaceTable(limit: limits.places)
    }

    // MARK: - Differences that count

    /// The differences that count, as far as the route's noise is known.
    func counted(_ differences: [AnswerDifference], limits: VerdictLimits) -> [AnswerDifference] {
        differences.filter { difference in
            let place = places.record(of: difference.place)
            let noise = difference.kind == .order ? place?.orderNoise : place?.noise
            return Volatility(differing: noise ?? 0, of: noisePairs, limits: limits).counts(difference)
        }
    }

    /// Takes in how two answers of one version differ.
    mutating func noiseObserved(_ comparison: ComparedAnswers, limits: VerdictLimits) {
        let counted = counted(comparison.differences, limits: limits)
        noisePairs += 1
        if !counted.isEmpty { noisyPairs += 1 }
        var seen = Set<Int>()
        for difference in comparison.differences where !difference.isExpected {
            let position = places.position(of: difference.place)
            if difference.kind == .order {
                orderNoiseObserved(at: position, limits: limits)
            } else if seen.insert(position).inserted {
                places[position].noise += 1
            }
        }
    }

    private mutating func orderNoiseObserved(at position: Int, limits: VerdictLimits) {
        places[position].orderNoise += 1
        guard case .content(let path) = places[position].place else { return }
        let volatility = Volatility(differing: places[position].orderNoise, of: noisePairs, limits: limits)
        if volatility == .volatile { unordered.insert(path) }
    }

    /// Counts a pair among those with its lag.
    mutating func lagObserved(_ nanoseconds: Int64, isMismatch: Bool) {
        let seconds = Double(nanoseconds) / 1e9
        let position = Self.lagBounds.firstIndex { seconds <= $0 } ?? Self.lagBounds.count
        lags[position].pairs += 1
        if isMismatch { lags[position].mismatches += 1 }
    }
}
