// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import JSONSyntax
import Logging
import MirrorDispatch
import PacketDecoding
import Redaction
import RouteAttribution
import ServiceLifecycle
import ShadowTesting
import TrafficModel
import TrafficPipeline

/// The mirroring half of an agent: plan, queue, dispatcher, judge and guard, and the switches that stop them.
///
/// It is there also when nothing is mirrored, so that a reload can begin to; it costs nothing then.
struct Mirroring: Sendable {
    /// The plan in force, and the queue.
    let plans: MirrorPlanKeeper
    /// The verdicts.
    let judge: MirrorJudge
    /// What must not be sent to.
    let production: KnownProduction
    /// Has targets looked at again when more is known of production.
    private let looks = TargetLooks()
    /// Counts shadow traffic that arrives at the gateway.
    let arrivals = ShadowArrivals()
    private let notices = PolicyNotices()

    private let node: String
    private let key: RedactionKey

    /// Where sampled exchanges wait.
    var queue: MirrorQueue { plans.queue }

    /// Whether anything can be sent.
    var isActive: Bool { plans.configuration.isActive }

    /// Makes the parts, without a plan.
    init(_ configuration: Configuration) {
        var bounded = configuration.mirror
        let budget = MemoryBudget.shared(configuration)
        bounded.memory = min(bounded.memory, ByteSize(MemoryShare.shadows.octets(of: budget.octets)))
        plans = MirrorPlanKeeper(bounded)
        node = configuration.mirror.node.isEmpty ? Self.machineName : configuration.mirror.node
        var generator = SystemRandomNumberGenerator()
        key = RedactionKey(using: &generator)
        judge = MirrorJudge(queue: plans.queue, node: node, key: key)
        production = KnownProduction(configuration)
    }

    private static var machineName: String {
        guard let octets = try? FileContents.read("/proc/sys/kernel/hostname", limit: 4096) else { return "unknown" }
        return String(decoding: octets.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    // MARK: - Policies

    /// Takes up what the tables say of production.
    func tablesReplaced(_ tables: RouteTables) {
        production.tablesReplaced(tables)
        judge.configure(plans.configuration)
        notices.replace(with: warnings(for: tables))
    }

    /// Takes up what the cluster has; `nil` while that is not known, so that nothing is sent to any target.
    func clusterChanged(_ hosts: ClusterHosts?) {
        if production.clusterChanged(hosts) { looks.lookAgain() }
    }

    /// Looks the destinations of routes up; targets are looked at again at once when that was the first time.
    func lookUpDestinations() async {
        let isFirst = production.isFirstLookUpDue
        await production.lookUpDestinations()
        if isFirst { looks.lookAgain() }
    }

    /// What somebody who starts the agent, or changes its policies or the routes, should know, in sentences.
    var warnings: [String] { notices.sentences }

    private func warnings(for tables: RouteTables) -> [String] {
        guard isActive else { return [] }
        return PolicyWarnings.sentences(
            for: plans.configuration.policies,
            routes: tables.routes.map { RouteName($0) },
            hosts: Array(Set(tables.routes.flatMap(\.hosts)))
        )
    }

    /// Refuses to start with a target that is production, or whose traffic this agent captures.
    ///
    /// - Throws: `CommandFailure` with a sentence for each such target.
    func refuseForbiddenTargets() async throws {
        guard isActive else { return }
        let refusals = await targetRefusals(of: plans.configuration)
        guard refusals.isEmpty else { throw CommandFailure(.usage, refusals) }
    }

    /// Why targets that policies name may not be sent to, in sentences; their names are looked up now.
    func targetRefusals(of configuration: MirrorConfiguration) async -> [String] {
        var refusals: [String] = []
        for target in configuration.usedTargets {
            if let refusal = await production.examine(target) { refusals.append("mirror: \(refusal)") }
        }
        return refusals
    }

    // MARK: - Switches

    /// Stops sending at once, until `resume`.
    ///
    /// - Returns: What came of it, in a sentence.
    func pause() -> String {
        queue.pause(.request, now: WallClock.now())
        return "mirroring is paused"
    }

    /// Takes sending up again; also after a loop was noticed, before its pause ends by itself.
    ///
    /// - Returns: What came of it, in a sentence.
    func resume() -> String {
        queue.resume(.request)
        queue.resume(.loop)
        let reasons = queue.pauseReasons(now: WallClock.now()).map(\.rawValue).sorted()
        return reasons.isEmpty ? "mirroring goes on" : "mirroring stays paused: \(reasons.joined(separator: ", "))"
    }

    /// Stops sending, or takes it up again, for a peer that asks for it.
    ///
    /// - Returns: What came of it, in a sentence; that it is missing where nothing is mirrored.
    func setPaused(_ isPaused: Bool) -> AdminAnswer {
        if let reason = reasonForBeingOff { return .missing(reason) }
        return .document(Array((isPaused ? pause() : resume()).utf8))
    }

    /// Why nothing is mirrored, in a sentence; `nil` where something is.
    private var reasonForBeingOff: String? {
        if isActive { return nil }
        return plans.configuration.enabled
            ? "nothing is mirrored: there are no mirror.policies" : "mirroring is off (mirror.enabled)"
    }

    /// Begins verdicts anew: votes so far, and what targets were found to do, are forgotten.
    ///
    /// - Parameter policy: Whose verdicts; `nil` for all.
    /// - Returns: What came of it, in a sentence; that it is missing where nothing is mirrored.
    func judgeAgain(policy: String?) -> AdminAnswer {
        if let reason = reasonForBeingOff { return .missing(reason) }
        guard let count = judge.judgeAgain(policy: policy) else {
            return .missing("there is no mirror policy \(policy ?? "")")
        }
        let verdicts = count == 1 ? "1 verdict begins" : "\(count) verdicts begin"
        return .document(Array("\(verdicts) anew".utf8))
    }

    // MARK: - Services

    /// Sends what is sampled.
    func dispatcher(_ logger: Logger) -> MirrorDispatcher {
        MirrorDispatcher(
            queue: queue,
            node: node,
            key: key,
            seal: { [plans] in plans.seal },
            check: { [production, arrivals] target, addresses in
                if let refusal = production.refusal(of: target, resolvedTo: addresses) { return refusal }
                // Known before the first copy leaves, which the capture may see.
                for address in addresses.compactMap({ IPAddress($0) }) {
                    guard let port = UInt16(exactly: target.port) else { continue }
                    arrivals.targetFound(at: Endpoint(address: address, port: port))
                }
                return nil
            },
            looks: looks,
            judge: { [judge] finished in await judge.judge(finished) },
            logger: logger,
            now: { WallClock.now() }
        )
    }

    /// Supplies the mirroring families.
    var collector: MirrorCollector {
        MirrorCollector(
            queue: queue,
            verdicts: { [judge] in judge.verdicts },
            forgottenVotes: { [judge] in judge.forgottenVotes },
            unjudged: { [judge] in judge.unjudged }
        )
    }

    /// Where a pipeline's sampled exchanges go.
    var destination: MirrorDestination {
        MirrorDestination(queue: queue) { WallClock.now() }
    }
}
