// Wingmirror · Apache-2.0

public import Redaction
public import TrafficModel

/// What policies would send, found out from exchanges without sending anything.
///
/// Every exchange goes through the same decision as on the packet path, and what is sampled through the same builder, so
/// that the forecast counts what mirroring would.
public struct MirrorForecast: Sendable {
    private let plan: MirrorPlan
    private let builders: [ShadowRequestBuilder?]
    private var rowNumbers: [RowKey: Int] = [:]
    private var masks: [RouteName: UInt32] = [:]
    private var recent = RecentRequests()
    private var tallies: MirrorTallies
    /// When the first and the last exchange began, in nanoseconds since the Unix epoch.
    private var times: (first: Int64, last: Int64)?

    /// One row for each policy and route that a policy looked at requests of.
    public private(set) var rows: [Row] = []
    /// Exchanges seen, whether a policy looked at them or not.
    public private(set) var exchanges = 0

    private struct RowKey: Hashable {
        let policy: Int
        let route: RouteName
    }

    /// Makes an empty forecast.
    ///
    /// - Parameters:
    ///   - plan: the policies.
    ///   - targets: what the policies refer to; where one is missing, nothing is known of redaction and octets.
    ///   - node: the name of this node.
    ///   - key: what values are hashed with; nothing of it is shown.
    public init(plan: MirrorPlan, targets: [MirrorTarget], node: String, key: RedactionKey) {
        self.plan = plan
        tallies = MirrorTallies(policyCount: plan.policies.count)
        builders = plan.policies.map { policy in
            targets.first { policy.targets.contains($0.name) }
                .map { ShadowRequestBuilder(policy: policy, target: $0, node: node, key: key) }
        }
    }

    /// From the start of the first exchange to the start of the last, in seconds.
    public var seconds: Double {
        times.map { Double($0.last - $0.first) / 1e9 } ?? 0
    }

    // MARK: - Exchanges

    /// Takes an exchange with its heads and the content of its request.
    ///
    /// - Parameters:
    ///   - exchange: the exchange.
    ///   - client: the client's address, in the two halves of its IPv6 or IPv4-mapped form.
    public mutating func exchangeSeen(_ exchange: RecordedExchange, client: (high: UInt64, low: UInt64)) {
        exchanges += 1
        let known = times ?? (exchange.startTime, exchange.startTime)
        times = (min(known.first, exchange.startTime), max(known.last, exchange.startTime))
        let mask = mask(for: exchange.route)
        guard mask != 0 else { return }
        let selection = exchange.request.withView { request in
            plan.decide(
                request,
                concerned: mask,
                client: client,
                isMarked: ShadowMarker.hops(of: request) > 0,
                time: exchange.startTime,
                recent: &recent,
                tallies: &tallies
            )
        }
        let message = exchange.request.message
        let completed = CompletedRequest(
            isWhole: exchange.integrity.isEmpty,
            contentOctets: message.contentOctets,
            keptOctets: message.content.count,
            changedProtocol: exchange.response?.status == 101,
            isIncomparableCall: exchange.isIncomparableCall
        )
        _ = plan.complete(selection, completed, tallies: &tallies)
        for policy in PolicyNumbers(mask: mask) where tallies.considered(ofPolicy: policy) > 0 {
            note(exchange, policy: policy, client: client)
        }
        tallies.removeAll()
    }

    private mutating func mask(for route: RouteName) -> UInt32 {
        if let mask = masks[route] { return mask }
        let mask = route == RouteName() ? plan.unroutedMask : plan.routeMasks(for: [route])[0]
        masks[route] = mask
        return mask
    }

    private mutating func note(_ exchange: RecordedExchange, policy: Int, client: (high: UInt64, low: UInt64)) {
        let place = rowPlace(RowKey(policy: policy, route: exchange.route))
        rows[place].requestSeen(exchange.request)
        if let reason = tallies.tally(ofPolicy: policy).filtered.keys.first {
            rows[place].filtered[reason, default: 0] += 1
            return
        }
        let key = exchange.request.withView { request in
            plan.key(ofPolicy: policy, request, client: client, time: exchange.startTime)
        }
        rows[place].keySeen(key.key, hash: key.hash)
        if plan.policies[policy].takesCredentials(of: exchange.request) { rows[place].withoutCredentials += 1 }
        guard tallies.sampled(ofPolicy: policy) > 0 else {
            rows[place].notSampled += 1
            return
        }
        guard let builder = builders[policy] else {
            rows[place].sampled += 1
            return
        }
        do throws(FilterReason) {
            rows[place].requestSampled(try builder.build(exchange))
        } catch {
            rows[place].filtered[error, default: 0] += 1
        }
    }

    private mutating func rowPlace(_ key: RowKey) -> Int {
        if let place = rowNumbers[key] { return place }
        let policy = plan.policies[key.policy]
        rows.append(Row(policy: policy, route: key.route))
        rowNumbers[key] = rows.count - 1
        return rows.count - 1
    }

    /// The rows by policy in the order of the plan, then by route with the most requests first.
    public var sortedRows: [Row] {
        let order = Dictionary(uniqueKeysWithValues: plan.policies.enumerated().map { ($1.name, $0) })
        return rows.sorted { first, second in
            let places = (order[first.policy] ?? 0, order[second.policy] ?? 0)
            return places.0 == places.1 ? first.requests > second.requests : places.0 < places.1
        }
    }
}

extension MirrorPolicy {
    /// How many copies are made of a mirrored request on average: one for each target, the baseline, and the repetitions, which
    /// only those with safe methods have.
    var copiesPerRequest: (safe: Double, other: Double) {
        let other = Double(baseline == nil ? targets.count : targets.count + 1)
        return (baseline == nil ? other * (1 + repeatShare) : other, other)
    }
}
