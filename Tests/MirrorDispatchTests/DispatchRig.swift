// Wingmirror · Apache-2.0

import AnswerComparison
import Foundation
import Logging
import MirrorDispatch
import Redaction
import ShadowTesting
import Synchronization
import TestSupport
import Testing
import TrafficModel

/// A dispatcher with its queue, and what the judge got.
///
/// Its clock stands still: under load a dispatcher can start a minute after a test delivered its first copy, which would be too
/// old to be sent by then. A test that wants time to pass turns the clock.
struct DispatchRig: Sendable {
    let queue: MirrorQueue
    let clock: HandClock
    /// Rings whenever the queue has changed or the judge got something.
    let bell: ChangeBell
    private let judged: JudgedExchanges

    /// The usual limits, but for an end that waits for nobody long, and connections that stay between two requests however busy the
    /// machine is.
    static var quickLimits: DispatchLimits {
        var limits = DispatchLimits()
        limits.drainTime = .milliseconds(50)
        limits.idleTimeout = .seconds(600)
        return limits
    }

    /// Runs a dispatcher for as long as `body` takes, and then until it has ended.
    static func run<Result>(
        policies: [MirrorPolicy],
        targets: [MirrorTarget],
        queueLimits: MirrorQueue.Limits = MirrorQueue.Limits(),
        limits: DispatchLimits = quickLimits,
        resolver: any HostResolver = FixedResolver(["127.0.0.1"]),
        check: @escaping TargetCheck = { _, _ in nil },
        looks: TargetLooks = TargetLooks(),
        _ body: (DispatchRig) async throws -> Result
    ) async throws -> Result {
        let bell = ChangeBell()
        let clock = HandClock()
        let judged = JudgedExchanges()
        let queue = MirrorQueue(limits: queueLimits, seed: 1) { bell.ring() }
        queue.replacePlan(edition: 1, policies: policies, targets: targets)
        let dispatcher = MirrorDispatcher(
            queue: queue,
            node: "node-1",
            key: RedactionKey(high: 1, low: 2),
            limits: limits,
            resolver: resolver,
            check: check,
            looks: looks,
            judge: { judged.append($0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { clock.now }
        )
        let running = Task { try await dispatcher.run() }
        let result: Result
        do {
            result = try await body(DispatchRig(queue: queue, clock: clock, bell: bell, judged: judged))
        } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        running.cancel()
        try await running.value
        return result
    }

    /// Hands over exchanges as one batch of the capture thread.
    func deliver(_ exchanges: [RecordedExchange], policy: Int = 0, edition: Int = 1) {
        var outbox = MirrorOutbox(edition: edition, policyCount: policy + 1)
        for (index, exchange) in exchanges.enumerated() {
            outbox.exchangeSampled(
                SampledExchange(policy: policy, planEdition: edition, exchange: exchange, keyHash: UInt64(index))
            )
        }
        queue.deliverLast(&outbox, now: clock.now)
    }

    /// Hands over an exchange and waits for its end.
    func outcome(of exchange: RecordedExchange, at location: SourceLocation = #_sourceLocation) async
        -> FinishedExchange?
    {
        deliver([exchange])
        return await nextFinished(at: location)
    }

    /// Waits for the next exchange that was sent and has ended.
    ///
    /// - Returns: The exchange; `nil`, and an issue that says where the copies went, once none can come any more because all that
    ///   was delivered was dropped or filtered.
    func nextFinished(at location: SourceLocation = #_sourceLocation) async -> FinishedExchange? {
        var next: FinishedExchange?
        await bell.wait {
            // In this order: what the queue no longer holds the judge has had.
            let isHolding = holdsExchanges
            next = judged.popFirst()
            return next != nil || !isHolding
        }
        if next == nil { Issue.record("no copy has an outcome: \(lane)", sourceLocation: location) }
        return next
    }

    /// Waits until every copy was dropped, filtered or sent, and the judge is done with those that were sent.
    func allEnded() async {
        await bell.wait { !holdsExchanges }
    }

    /// Waits until so many requests have arrived at a server, or none can arrive any more.
    func arrivals(_ count: Int, at requests: ReceivedRequests) async {
        requests.ring(bell)
        await bell.wait { requests.all.count >= count || !holdsExchanges }
    }

    /// Waits until what is known of the first target is this.
    func reaches(_ reach: TargetReach) async {
        await bell.wait { self.reach == reach }
    }

    private var holdsExchanges: Bool { queue.figures(now: clock.now).heldExchanges > 0 }

    /// What is known of the first target.
    var reach: TargetReach { queue.figures(now: clock.now).targets[0].reach }

    /// The counts of the first lane.
    var lane: LaneFigures { queue.figures(now: clock.now).lanes[0] }
}

/// What the judge got, until a test takes it.
private final class JudgedExchanges: Sendable {
    private let exchanges = Mutex<[FinishedExchange]>([])

    func append(_ exchange: FinishedExchange) {
        exchanges.withLock { $0.append(exchange) }
    }

    func popFirst() -> FinishedExchange? {
        exchanges.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}

/// Gives each name the same addresses, until a test changes them.
final class FixedResolver: HostResolver {
    private let answer: Mutex<Result<[String], HostResolverError>>

    init(_ addresses: [String]) {
        answer = Mutex(.success(addresses))
    }

    func change(to new: Result<[String], HostResolverError>) {
        answer.withLock { $0 = new }
    }

    func addresses(of host: String) async throws -> [String] {
        try answer.withLock(\.self).get()
    }
}

/// Exchanges, targets and policies for tests of sending.
enum DispatchFixtures {
    static func exchange(
        _ method: String = "GET",
        _ target: String = "/orders",
        fields: [(String, String)] = [],
        content: [UInt8] = []
    ) -> RecordedExchange {
        let all = [("Host", "shop.example")] + fields
        return RecordedExchange(
            request: RecordedRequest(
                method: method,
                target: Array(target.utf8),
                message: RecordedMessage(fields: all.map { RecordedField(name: $0.0, value: $0.1) }, content: content)
            ),
            response: RecordedResponse(status: 200, message: RecordedMessage(fields: [])),
            route: RouteName(virtualServiceNamespace: "shop", virtualService: "orders", route: "#1"),
            startTime: 0
        )
    }

    static func target(_ name: String = "staging", port: Int, timeout: Duration = .seconds(600)) -> MirrorTarget {
        var target = MirrorTarget(name: name, host: "staging.test", port: port)
        target.ratePerSecond = 100_000
        target.timeout = timeout
        target.connectTimeout = .seconds(60)
        target.breaker.window = 1_000_000
        return target
    }

    static func policy(_ name: String = "orders", to targets: [String] = ["staging"], baseline: String? = nil)
        -> MirrorPolicy
    {
        var policy = MirrorPolicy(name: name, targets: targets)
        policy.percent = 100
        policy.methods = ["POST", "PUT"]
        policy.baseline = baseline
        policy.repeatShare = 0
        return policy
    }
}

extension FinishedExchange {
    /// The answer of the first target, or why there is none.
    var result: Result<RecordedResponse, ShadowFailure>? {
        guard case .sent(let answer)? = fates.first?.outcome else { return nil }
        return answer.result
    }

    /// The answer of the first target.
    var response: RecordedResponse? { try? result?.get() }

    /// Why the first target gave no answer.
    var failure: ShadowFailure? {
        guard case .failure(let failure)? = result else { return nil }
        return failure
    }
}
