// Wingmirror · Apache-2.0

/// How requests were answered that arrived at the gateway and that no route accounts for.
public struct UnmatchedAnswers: Sendable, Hashable {
    /// Those that were answered with 5xx.
    public var failures: UInt64
    /// Those whose answer was not seen, which is the observer's fault.
    public var unseen: UInt64
    /// Those that were answered with 2xx although the table has no route for them.
    ///
    /// Envoy answers a request without a route with 404 itself: the gateway has routes that the table lacks.
    public var served: UInt64

    /// Makes the counts of their parts.
    init(failures: UInt64 = 0, unseen: UInt64 = 0, served: UInt64 = 0) {
        self.failures = failures
        self.unseen = unseen
        self.served = served
    }

    /// What was counted since older counts; counters that are lower than before began again at zero.
    func counted(since older: UnmatchedAnswers) -> UnmatchedAnswers {
        func difference(_ part: KeyPath<UnmatchedAnswers, UInt64>) -> UInt64 {
            let (now, before) = (self[keyPath: part], older[keyPath: part])
            return now >= before ? now - before : now
        }
        return UnmatchedAnswers(
            failures: difference(\.failures),
            unseen: difference(\.unseen),
            served: difference(\.served)
        )
    }

    /// Adds what was counted at another time or place.
    mutating func add(_ other: UnmatchedAnswers) {
        failures &+= other.failures
        unseen &+= other.unseen
        served &+= other.served
    }
}

extension GatewayCells {
    /// How the requests were answered that arrived and that no route accounts for.
    var unmatchedAnswers: UnmatchedAnswers {
        var answers = UnmatchedAnswers(unseen: unseenAnswers)
        for reason in UnmatchedReason.allCases where reason.isArrival {
            // 2^64 requests are out of reach.
            answers.failures &+= requestsUnmatched(reason, .serverError)
            if reason.isNotInTable { answers.served &+= requestsUnmatched(reason, .success) }
        }
        return answers
    }
}

extension MetricsRegistry {
    /// How the requests of all Gateways were answered so far that no route accounts for.
    public var unmatchedAnswers: UnmatchedAnswers {
        var answers = UnmatchedAnswers()
        for cells in gatewayCells { answers.add(cells.unmatchedAnswers) }
        return answers
    }

    /// How many messages had no partner so far.
    public func unpairedMessageCount(_ kind: UnpairedMessageKind) -> UInt64 {
        shards.reduce(0) { $0 &+ $1.unpairedMessageCount(kind) }
    }

    /// How many responses came whose requests were not captured: not those to requests that cannot be read.
    public var responsesAlone: UInt64 {
        let unreadable = shards.reduce(0) { $0 &+ $1.unreadableRequestCount }
        let alone = unpairedMessageCount(.response)
        return alone - min(alone, unreadable)
    }

    /// The cells of all Gateways in all shards.
    private var gatewayCells: [GatewayCells] {
        withState { $0.gateways.records }.compactMap { $0 }.flatMap(\.cells) + shards.map(\.overflowGateway)
    }
}
