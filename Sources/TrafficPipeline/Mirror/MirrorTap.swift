// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import ShadowTesting
internal import TrafficModel

/// Takes the sampled exchanges off the packet path, towards the queue.
///
/// The plan is asked twice, when a request's head is complete and when its exchange is. What it sampled is copied then, and
/// waits here, with the counts of all it did not sample, until the batch of packets ends; the queue takes both over in one
/// step, or at the end of a later batch when somebody else holds it.
struct MirrorTap: ~Copyable {
    private let queue: MirrorQueue
    /// The present, in nanoseconds since the Unix epoch.
    private let clock: @Sendable () -> Int64
    private var outbox = MirrorOutbox()
    private var recent = RecentRequests()

    init(_ destination: MirrorDestination) {
        queue = destination.queue
        clock = destination.clock
    }

    // MARK: - Requests

    /// Asks the plan about a request whose head is complete.
    mutating func requestArrived(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        at time: PacketTime,
        route: Int32,
        routing: MirrorRouting
    ) -> (selection: MirrorSelection, retention: Retention) {
        var concerned = routing.mask(ofRoute: route)
        // What a client encrypted is sent elsewhere only where a policy says so.
        if connection.isSecured { concerned &= routing.decryptedMask }
        guard concerned != 0 else { return (.none, .none) }
        if outbox.edition != Int(routing.plan.edition) {
            outbox.planReplaced(edition: Int(routing.plan.edition), policyCount: routing.plan.policies.count)
        }
        let client = connection.originalClient.address
        let selection = routing.plan.decide(
            request,
            concerned: concerned,
            client: (client.high, client.low),
            isMarked: request.traits.contains(.isShadow),
            time: time.nanoseconds,
            recent: &recent,
            tallies: &outbox.tallies
        )
        guard !selection.isEmpty else { return (.none, .none) }
        let limits = routing.plan.contentLimits(of: selection)
        var retention = Retention(heads: .whole)
        retention.requestContentOctets = limits.request
        retention.responseContentOctets = limits.response
        return (selection, retention)
    }

    // MARK: - Exchanges

    /// A sampled exchange is over: keeps it for the policies that may have it.
    mutating func exchangeCompleted(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        selection: MirrorSelection,
        route: Int32,
        routing: MirrorRouting
    ) {
        let completed = CompletedRequest(
            isWhole: facts.integrity.isEmpty && facts.hasResponse && exchange.retainedRequest != nil,
            contentOctets: facts.request.contentOctets,
            keptOctets: exchange.retainedRequest?.content.count ?? 0,
            changedProtocol: facts.successor != .http,
            isIncomparableCall: facts.isIncomparableCall
        )
        let plan = routing.plan
        let accepted = outbox.withTallies(ofEdition: Int(plan.edition), policyCount: plan.policies.count) { tallies in
            plan.complete(selection, completed, tallies: &tallies)
        }
        guard accepted != 0,
            let recorded = RecordedExchange(facts, exchange, route: routing.name(ofRoute: route))
        else { return }
        let client = facts.connection.originalClient.address
        for policy in plan.policies.indices where accepted & 1 << UInt32(policy) != 0 {
            outbox.exchangeSampled(
                plan.sampledExchange(
                    recorded,
                    policy: policy,
                    selection: selection,
                    client: (client.high, client.low)
                )
            )
        }
    }

    // MARK: - Between batches

    /// Hands over what has gathered, if the queue can take it now.
    mutating func batchEnded() {
        guard !outbox.isEmpty else { return }
        queue.deliver(&outbox, now: clock())
    }

    /// Nothing more will come: hands over the rest, waiting for the queue if need be.
    mutating func captureEnded() {
        guard !outbox.isEmpty else { return }
        queue.deliverLast(&outbox, now: clock())
    }
}
