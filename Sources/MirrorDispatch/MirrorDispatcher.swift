// Wingmirror · Apache-2.0

internal import AnswerComparison
public import Logging
import NIOCore
import NIOPosix
public import Redaction
public import ServiceLifecycle
public import ShadowTesting
import TrafficModel

/// Sends what the queue holds to the targets, and hands the answers to the judge.
///
/// Each target has a task that takes copies from the queue as rate, places in flight, breaker and pauses allow, and another
/// that keeps looking up and checking the target's address. Answers are read up to what is compared; all else is counted and
/// thrown away. Redirects are not followed, and content is neither decoded nor interpreted here. A copy is sent twice where the
/// policy asks for repeats, and once more where a connection that had been used before closed instead of answering.
///
/// It runs until its service group shuts down gracefully or its task is cancelled. Then the queue ends, and what is in flight
/// has a short while before it is given up.
public struct MirrorDispatcher: Service {
    private let queue: MirrorQueue
    private let requests: RequestFactory
    private let limits: DispatchLimits
    private let resolver: any HostResolver
    private let check: TargetCheck
    private let looks: TargetLooks
    private let judge: @Sendable (FinishedExchange) async -> Void
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let budget: AnswerBudget

    /// Makes a dispatcher that sends nothing yet.
    ///
    /// - Parameters:
    ///   - queue: What is to be sent, and all counts.
    ///   - node: The name of this node, for the marker.
    ///   - key: What redacted values are hashed with.
    ///   - seal: What agents know copies by, at the moment; asked for each copy.
    ///   - limits: Bounds on what sending may take.
    ///   - resolver: Knows the addresses of the targets.
    ///   - check: Says which targets are refused; asked at each look at a name.
    ///   - looks: Who wants another look before it is time.
    ///   - judge: Gets the exchanges that were sent, one after the other, never on an event loop. While it is busy, what is
    ///     sent meanwhile keeps its place in the queue's budget.
    ///   - logger: Where the dispatcher logs.
    ///   - now: The time in nanoseconds since the Unix epoch.
    public init(
        queue: MirrorQueue,
        node: String,
        key: RedactionKey,
        seal: @escaping @Sendable () -> ShadowSeal? = { nil },
        limits: DispatchLimits = DispatchLimits(),
        resolver: any HostResolver = SystemResolver(),
        check: @escaping TargetCheck,
        looks: TargetLooks = TargetLooks(),
        judge: @escaping @Sendable (FinishedExchange) async -> Void,
        logger: Logger,
        now: @escaping @Sendable () -> Int64
    ) {
        self.queue = queue
        requests = RequestFactory(node: node, key: key, seal: seal)
        self.limits = limits
        self.resolver = resolver
        self.check = check
        self.looks = looks
        self.judge = judge
        self.logger = logger
        self.now = now
        budget = AnswerBudget(octets: limits.keptOctets)
    }

    /// Sends until shut down.
    public func run() async throws {
        // A thread of its own, so that no other part of the agent waits for answers to be read.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        await withTaskCancellationOrGracefulShutdownHandler {
            // Not a child task: when this one is cancelled there are still answers to come, and to be judged.
            let judging = Task { await judgeAnswers() }
            await TargetSupervisor(queue: queue, limits: limits) { runner(for: $0, on: group) }.run()
            judging.cancel()
            await judging.value
        } onCancelOrGracefulShutdown: {
            queue.end()
        }
        try await group.shutdownGracefully()
    }

    private func runner(for target: MirrorTarget, on group: any EventLoopGroup) -> TargetRunner {
        let address = TargetAddress(
            of: target,
            resolver: resolver,
            check: check,
            limits: limits,
            looks: looks,
            makeConnections: { [budget, limits] address in
                TargetConnections(to: target, at: address, on: group, sharing: budget, limits: limits)
            },
            found: { [queue, logger] reach in
                guard queue.found(target.name, reach) else { return }
                Self.log(reach, of: target, to: logger)
            }
        )
        return TargetRunner(target: target, queue: queue, address: address, requests: requests, now: now)
    }

    /// Says once that something is wrong with a target, and at a closer look where it is.
    private static func log(_ reach: TargetReach, of target: MirrorTarget, to logger: Logger) {
        switch reach {
        case .unknown: break
        case .allowed(let address):
            logger.debug("a mirror target was found", metadata: ["target": "\(target.name)", "address": "\(address)"])
        case .unresolved(let why):
            logger.warning(
                "a mirror target has no address",
                metadata: ["target": "\(target.name)", "reason": "\(why)"]
            )
        case .refused(let why):
            logger.warning("a mirror target is refused", metadata: ["target": "\(target.name)", "reason": "\(why)"])
        }
    }

    /// Judges what is finished until the task is cancelled, and then what is finished already.
    private func judgeAnswers() async {
        while true {
            while let finished = queue.takeFinished() {
                await judge(finished)
                budget.release(finished.keptOctets)
                queue.judged(finished)
            }
            guard !Task.isCancelled else { return }
            await queue.finishedChange()
        }
    }
}

extension FinishedExchange {
    /// Octets of answers that are kept.
    fileprivate var keptOctets: Int {
        fates.reduce(0) { octets, fate in
            var octets = octets + (fate.repeated?.keptOctets ?? 0)
            if case .sent(let answer) = fate.outcome { octets += answer.keptOctets }
            return octets
        }
    }
}

extension ShadowAnswer {
    fileprivate var keptOctets: Int { response?.message.content.count ?? 0 }
}
