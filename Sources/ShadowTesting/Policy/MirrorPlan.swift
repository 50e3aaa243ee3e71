// Wingmirror · Apache-2.0

import OctetText
public import TrafficModel

/// The policies in the form in which the packet path asks them; never changed once made.
///
/// A decision has two halves. When the head of a request is complete, `decide` says which policies sampled it, and
/// so whether heads and content are kept. When the exchange is over, `complete` says which of these policies may have it,
/// now that it is known whether it was seen whole and how large it was. Each policy that looked at a request counts it once,
/// in the half in which its fate becomes known:
///
///     looked at = filtered (by reason) + not sampled + sampled
///
/// Reasons are asked in the order marked, method, method override, path, unsendable, size; then the sampling; then whether
/// the octets can be sent, and whether the request was sampled before; then, in `complete`, integrity, protocol, streaming
/// calls and size. All of it is asked of the request as the client sent it, before anything is rewritten.
///
/// Nothing here allocates, and with no policy concerned nothing of the request is read.
public final class MirrorPlan: Sendable {
    /// The policies; a policy's number is its index.
    public let policies: [MirrorPolicy]
    /// Counts the plans of a process.
    public let edition: UInt32

    /// How many policies a plan may have: one bit each in a selection.
    public static let maximumPolicyCount = 32

    let rules: PolicyRules
    private let denied: DeniedPaths
    /// The sampling hash of nothing, under the plan's secret.
    private let emptyHash: KeyedHash
    /// What copies of this agent, and of others with the same key, are known by; without one none is.
    private let seal: ShadowSeal?

    /// Checks and compiles policies.
    ///
    /// - Parameters:
    ///   - policies: at most 32.
    ///   - targets: the names that policies may refer to.
    ///   - secret: what the sampling hash is keyed with; it must be the same on all nodes, and known to no client that
    ///     should not be able to choose whether it is sampled.
    ///   - edition: the number of the plan.
    ///   - seal: what copies are known by when they come back.
    /// - Throws: what is wrong with one of the policies, or with their number.
    public init(
        policies: [MirrorPolicy],
        targets: Set<String>,
        secret: String = "",
        edition: UInt32 = 0,
        seal: ShadowSeal? = nil
    ) throws(MirrorPlanError) {
        try PolicyValidation(targets: targets).validate(policies)
        self.policies = policies
        self.edition = edition
        self.seal = seal
        rules = try PolicyRules(policies)
        denied = DeniedPaths(policies.map(\.deniedPaths), parameters: policies.map(\.deniedParameters))
        emptyHash = KeyedHash(secret: secret)
    }

    // MARK: - Routes

    /// For each route the policies that may concern its requests, as a mask.
    public func routeMasks(for routes: [RouteName]) -> [UInt32] {
        routes.map { route in
            mask { $0.concerns(route) }
        }
    }

    /// The policies that may concern requests that no route took.
    public var unroutedMask: UInt32 {
        mask { $0.virtualService == nil && $0.route == nil }
    }

    private func mask(where isConcerned: (MirrorMatch) -> Bool) -> UInt32 {
        var mask: UInt32 = 0
        for (number, policy) in policies.enumerated() where isConcerned(policy.match) { mask |= 1 << UInt32(number) }
        return mask
    }

    // MARK: - When the head is complete

    /// Whether a request that bears the marker is a copy of this agent, or of another with the same key.
    ///
    /// - Parameters:
    ///   - request: the head, borrowed for the call.
    ///   - time: when it was captured, in nanoseconds since the Unix epoch.
    /// - Returns: whether it is one; never without a key.
    public func verifiesMarker(of request: borrowing RequestView, at time: Int64) -> Bool {
        seal?.verifies(request, at: time) ?? false
    }

    /// Says which policies sample a request.
    ///
    /// - Parameters:
    ///   - request: the head, borrowed for the call.
    ///   - concerned: the policies that may concern its route, of `routeMasks(for:)` or `unroutedMask`.
    ///   - client: the client's address, in the two halves of its IPv6 or IPv4-mapped form.
    ///   - isMarked: whether the request is shadow traffic.
    ///   - time: when it was captured, in nanoseconds since the Unix epoch.
    ///   - recent: what this capture thread sampled lately.
    ///   - tallies: where the policies' decisions are counted.
    /// - Returns: the policies to ask again when the exchange is complete.
    public func decide(
        _ request: borrowing RequestView,
        concerned: UInt32,
        client: (high: UInt64, low: UInt64),
        isMarked: Bool,
        time: Int64,
        recent: inout RecentRequests,
        tallies: inout MirrorTallies
    ) -> MirrorSelection {
        guard concerned != 0 else { return .none }
        let target = RequestTargetParts(request.octets, request.target)
        var facts: RequestFacts?
        var key = (list: -1, hash: UInt64(0))
        var sampled: UInt32 = 0
        for number in PolicyNumbers(mask: concerned) {
            let rule = rules.policies[number]
            guard rules.matches(rule, request, target) else { continue }
            let known = facts ?? RequestFacts(request, target, denied: denied)
            facts = known
            if let reason = reason(against: request, known, policy: number, isMarked: isMarked) {
                tallies.requestFiltered(reason, policy: number)
                continue
            }
            if key.list != rule.keyList {
                let trace = known.traceparent
                let hash = rules.keyHash(
                    list: rule.keyList,
                    request,
                    client: client,
                    time: time,
                    trace: trace,
                    hash: emptyHash
                )
                key = (rule.keyList, hash)
            }
            if rule.share.includes(key.hash) {
                sampled |= 1 << UInt32(number)
            } else {
                tallies.requestNotSampled(policy: number)
            }
        }
        guard sampled != 0 else { return .none }
        if let reason = reason(againstSampled: request, target, time: time, recent: &recent) {
            for number in PolicyNumbers(mask: sampled) { tallies.requestFiltered(reason, policy: number) }
            return .none
        }
        return MirrorSelection(
            policies: sampled,
            edition: edition,
            keyHash: keyHash(ofPolicy: sampled.trailingZeroBitCount, request, client: client, time: time)
        )
    }

    /// Why a policy that looks at a request may not have it.
    private func reason(
        against request: borrowing RequestView,
        _ facts: RequestFacts,
        policy: Int,
        isMarked: Bool
    ) -> FilterReason? {
        if isMarked { return .marked }
        let rule = rules.policies[policy]
        switch facts.method {
        case .safe: break
        case .other: guard rules.contains(rule.allowedMethods, request) else { return .method }
        case .never: return .method
        }
        if facts.isDisguised { return .methodOverride }
        if facts.deniedBy & 1 << UInt32(policy) != 0 { return .path }
        if facts.isUnsendable { return .unsendable }
        if facts.announcedOctets > rule.maximumContentOctets { return .size }
        return nil
    }

    /// Why nobody may have a request that was sampled.
    private func reason(
        againstSampled request: borrowing RequestView,
        _ target: RequestTargetParts,
        time: Int64,
        recent: inout RecentRequests
    ) -> FilterReason? {
        guard RequestFacts.isText(request) else { return .unsendable }
        guard let identity = identityHash(request, target), recent.isCopy(identity, at: time) else { return nil }
        return .duplicate
    }

    // MARK: - Hashes

    /// The sampling hash of a request under a policy's key.
    func keyHash(
        ofPolicy policy: Int,
        _ request: borrowing RequestView,
        client: (high: UInt64, low: UInt64),
        time: Int64
    ) -> UInt64 {
        rules.keyHash(
            list: rules.policies[policy].keyList,
            request,
            client: client,
            time: time,
            trace: nil,
            hash: emptyHash
        )
    }

    /// The key of a policy that a request is sampled by, and its hash.
    ///
    /// - Returns: the key; `.exchange` where the request has none of the policy's.
    func key(
        ofPolicy policy: Int,
        _ request: borrowing RequestView,
        client: (high: UInt64, low: UInt64),
        time: Int64
    ) -> (key: SamplingKey, hash: UInt64) {
        let list = rules.policies[policy].keyList
        let found = rules.key(list: list, request, client: client, time: time, trace: nil, hash: emptyHash)
        return (found.place.map { policies[policy].key[$0] } ?? .exchange, found.hash)
    }

    /// The hash of what makes two sightings one request; `nil` for a request that says nothing of the kind.
    private func identityHash(_ request: borrowing RequestView, _ target: RequestTargetParts) -> UInt64? {
        var hash = emptyHash
        if let context = TraceContext(of: request, allowsB3: true) {
            hash.combine(word: context.traceHigh)
            hash.combine(word: context.traceLow)
            hash.combine(word: context.span)
        } else if let requestID = Self.requestID(request) {
            hash.combine(request.octets.extracting(requestID))
        } else {
            return nil
        }
        hash.combine(0)
        hash.combine(request.octets.extracting(request.method))
        hash.combine(0)
        hash.combine(request.octets.extracting(target.path.lowerBound..<request.target.upperBound))
        return hash.value
    }

    private static func requestID(_ request: borrowing RequestView) -> Range<Int>? {
        for index in request.fields.indices {
            let line = request.fields[index]
            // Shorter ones are counters or constants, which many requests share.
            if line.value.count >= 16, request.octets.matches(line.name, "x-request-id") {
                return line.value
            }
        }
        return nil
    }
}

extension MirrorMatch {
    /// Whether requests of a route can match, as far as the route decides.
    func concerns(_ route: RouteName) -> Bool {
        if let virtualService, !Self.names(virtualService, route) { return false }
        return self.route == nil || self.route == route.route
    }

    /// Whether `namespace/name` is a route's; no text is made to compare, since there may be very many routes.
    private static func names(_ virtualService: String, _ route: RouteName) -> Bool {
        let namespace = route.virtualServiceNamespace
        let name = route.virtualService
        // With nothing else of this length between them there is just the one slash, which no part contains.
        return virtualService.utf8.count == namespace.utf8.count + 1 + name.utf8.count
            && virtualService.hasPrefix(namespace) && virtualService.hasSuffix(name)
    }
}
