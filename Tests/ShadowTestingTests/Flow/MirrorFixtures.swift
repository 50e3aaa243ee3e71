// Wingmirror · Apache-2.0

import AnswerComparison
import ShadowTesting
import TrafficModel

/// Exchanges and plans for tests of the flow.
enum MirrorFixtures {
    static let second: Int64 = 1_000_000_000

    /// A request with so many octets of content.
    static func exchange(
        _ method: String = "POST",
        octets: Int = 10,
        status: Int? = 200,
        route: String = "#1"
    ) -> RecordedExchange {
        let content = [UInt8](repeating: 0x61, count: octets)
        return RecordedExchange(
            request: RecordedRequest(
                method: method,
                target: Array("/orders".utf8),
                message: RecordedMessage(fields: [RecordedField(name: "Host", value: "shop.example")], content: content)
            ),
            response: status.map { RecordedResponse(status: $0, message: RecordedMessage(fields: [])) },
            route: RouteName(virtualServiceNamespace: "shop", virtualService: "orders", route: route),
            startTime: 0
        )
    }

    static func sampled(_ exchange: RecordedExchange = exchange(), policy: Int = 0, edition: Int = 1, key: UInt64 = 7)
        -> SampledExchange
    {
        SampledExchange(policy: policy, planEdition: edition, exchange: exchange, keyHash: key)
    }

    static func target(_ name: String, rate: Double = 1e6) -> MirrorTarget {
        var target = MirrorTarget(name: name, host: "\(name).example", port: 80)
        target.ratePerSecond = rate
        return target
    }

    static func policy(_ name: String = "orders", to targets: [String], baseline: String? = nil) -> MirrorPolicy {
        var policy = MirrorPolicy(name: name, targets: targets)
        policy.percent = 50
        policy.baseline = baseline
        policy.repeatShare = 0
        return policy
    }

    /// A queue with one policy and its targets, which are all known to be allowed.
    static func queue(
        policies: [MirrorPolicy],
        targets: [MirrorTarget],
        limits: MirrorQueue.Limits = MirrorQueue.Limits(),
        seed: UInt64 = 1
    ) -> MirrorQueue {
        let queue = MirrorQueue(limits: limits, seed: seed)
        queue.replacePlan(edition: 1, policies: policies, targets: targets)
        for target in targets { queue.found(target.name, .allowed(address: "192.0.2.1")) }
        return queue
    }

    static func answer(_ status: Int, milliseconds: Int64 = 5) -> ShadowAnswer {
        ShadowAnswer(
            result: .success(RecordedResponse(status: status, message: RecordedMessage(fields: []))),
            durationNanoseconds: milliseconds * 1_000_000
        )
    }
}

extension MirrorQueue {
    /// Delivers exchanges as one batch.
    func deliver(_ exchanges: [SampledExchange], now: Int64) {
        var outbox = MirrorOutbox(edition: exchanges.first?.planEdition ?? 1, policyCount: 1)
        for exchange in exchanges { outbox.exchangeSampled(exchange) }
        deliverLast(&outbox, now: now)
    }

    /// Takes a copy and begins to send it; `nil` when there is nothing to send now.
    func send(to target: String, octets: Int = 100, now: Int64) -> MirrorCopy? {
        guard case .copy(let copy) = take(for: target, now: now) else { return nil }
        return beginSending(copy, octets: octets, redactedValues: 0, now: now) ? copy : nil
    }

    /// The counts of one lane.
    func lane(_ policy: String, _ target: String, now: Int64 = 0) -> LaneFigures? {
        figures(now: now).lanes.first { $0.lane == MirrorLane(policy: policy, target: target) }
    }
}
