// Wingmirror · Apache-2.0

internal import AnswerComparison
public import TrafficModel

/// What is known of a sampled request when its exchange is over.
public struct CompletedRequest: Sendable, Hashable {
    /// Whether nothing is missing or wrong: the exchange has no integrity word.
    public var isWhole: Bool
    /// How many octets of content the request had.
    public var contentOctets: Int64
    /// How many of them were kept.
    public var keptOctets: Int
    /// Whether the connection left HTTP with this exchange.
    public var changedProtocol: Bool
    /// Whether it is a gRPC call that no other can be held against, such as a streaming one.
    public var isIncomparableCall: Bool

    /// Makes what is known of its parts.
    public init(
        isWhole: Bool,
        contentOctets: Int64,
        keptOctets: Int,
        changedProtocol: Bool = false,
        isIncomparableCall: Bool = false
    ) {
        self.isWhole = isWhole
        self.contentOctets = contentOctets
        self.keptOctets = keptOctets
        self.changedProtocol = changedProtocol
        self.isIncomparableCall = isIncomparableCall
    }
}

extension MirrorPlan {
    /// How many octets of content to keep for the policies of a selection, of the request and of its answer.
    public func contentLimits(of selection: MirrorSelection) -> (request: Int, response: Int) {
        var limits = (request: 0, response: 0)
        for number in PolicyNumbers(mask: selection.policies) {
            limits.request = max(limits.request, policies[number].maximumContentOctets)
            limits.response = max(limits.response, policies[number].comparison.maximumContentOctets)
        }
        return limits
    }

    /// Says which of the policies that sampled a request get it, now that its exchange is over.
    ///
    /// - Parameters:
    ///   - selection: what `decide` of this plan gave.
    ///   - request: what is known now.
    ///   - tallies: where the policies' decisions are counted.
    /// - Returns: the policies, one bit each.
    public func complete(
        _ selection: MirrorSelection,
        _ request: CompletedRequest,
        tallies: inout MirrorTallies
    ) -> UInt32 {
        precondition(
            selection.isEmpty || selection.edition == edition,
            "MirrorPlan.complete: a selection of another plan"
        )
        var accepted: UInt32 = 0
        for number in PolicyNumbers(mask: selection.policies) {
            if let reason = reason(against: request, policy: number) {
                tallies.requestFiltered(reason, policy: number)
            } else {
                tallies.requestSampled(policy: number)
                accepted |= 1 << UInt32(number)
            }
        }
        return accepted
    }

    private func reason(against request: CompletedRequest, policy: Int) -> FilterReason? {
        guard request.isWhole else { return .integrity }
        if request.changedProtocol { return .unsendable }
        if request.isIncomparableCall { return .notComparable }
        if request.contentOctets > rules.policies[policy].maximumContentOctets { return .size }
        return Int64(request.keptOctets) == request.contentOctets ? nil : .integrity
    }

    /// The exchange as it is handed over for one policy.
    ///
    /// - Parameters:
    ///   - exchange: the exchange, its request whole.
    ///   - policy: one of those that `complete` gave.
    ///   - selection: what `decide` gave.
    ///   - client: the client's address, as `decide` got it.
    /// - Returns: the exchange with the key hash of that policy.
    public func sampledExchange(
        _ exchange: RecordedExchange,
        policy: Int,
        selection: MirrorSelection,
        client: (high: UInt64, low: UInt64)
    ) -> SampledExchange {
        let first = selection.policies.trailingZeroBitCount
        let sharesKey = rules.policies[policy].keyList == rules.policies[first].keyList
        let keyHash =
            sharesKey
            ? selection.keyHash
            : exchange.request.withView { self.keyHash(ofPolicy: policy, $0, client: client, time: exchange.startTime) }
        return SampledExchange(policy: policy, planEdition: Int(edition), exchange: exchange, keyHash: keyHash)
    }
}
