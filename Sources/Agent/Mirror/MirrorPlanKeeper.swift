// Wingmirror · Apache-2.0

import AgentConfiguration
import RouteAttribution
import ShadowTesting
import Synchronization
import TrafficModel
import TrafficPipeline

/// Keeps the mirroring plan in force, and says what it means for each route table.
///
/// A plan is compiled from the configuration when that is read; which policies can concern which routes is worked out for
/// each table, on the slow side, so that the capture thread only looks it up.
final class MirrorPlanKeeper: Sendable {
    /// Where sampled exchanges wait, with all counts of mirroring.
    let queue: MirrorQueue

    private let state: Mutex<State>

    /// The key of this process, for when no secret gives all nodes the same.
    private let ownSeal: ShadowSeal

    private struct State {
        var edition: UInt32 = 0
        var plan: MirrorPlan?
        var seal: ShadowSeal?
        var configuration = MirrorConfiguration()
    }

    /// Makes a keeper without a plan.
    ///
    /// - Parameter configuration: The bounds of the queue, which stay while the agent runs.
    init(_ configuration: MirrorConfiguration) {
        var limits = MirrorQueue.Limits()
        limits.octets = configuration.memory.octets
        limits.egressOctetsPerSecond = configuration.egress.octets
        limits.countForHistograms()
        queue = MirrorQueue(limits: limits, seed: UInt64.random(in: .min ... .max))
        state = Mutex(State())
        var generator = SystemRandomNumberGenerator()
        ownSeal = ShadowSeal(using: &generator)
    }

    /// What agents know copies by under the plan in force; `nil` when nothing is mirrored.
    var seal: ShadowSeal? { state.withLock { $0.seal } }

    /// The configuration of the plan in force.
    var configuration: MirrorConfiguration { state.withLock { $0.configuration } }

    /// Puts a plan into force, or none when mirroring is off.
    ///
    /// - Throws: `CommandFailure` when no plan can be made of the policies; the plan before stays in force then.
    func configure(_ configuration: MirrorConfiguration) throws(CommandFailure) {
        let edition = state.withLock { $0.edition } + 1
        var plan: MirrorPlan?
        let secret = configuration.samplingSecret
        let seal = secret.isEmpty ? ownSeal : ShadowSeal(secret: secret)
        if configuration.isActive {
            do throws(MirrorPlanError) {
                plan = try MirrorPlan(
                    policies: configuration.policies,
                    targets: Set(configuration.targets.map(\.name)),
                    secret: secret,
                    edition: edition,
                    seal: seal
                )
            } catch {
                throw CommandFailure(.usage, "mirror: \(error)")
            }
        }
        queue.replacePlan(
            edition: Int(edition),
            policies: plan?.policies ?? [],
            targets: plan == nil ? [] : configuration.usedTargets
        )
        if configuration.paused {
            queue.pause(.request, now: WallClock.now())
        } else if self.configuration.paused {
            queue.resume(.request)
        }
        state.withLock { [plan] state in
            state.edition = edition
            state.plan = plan
            state.seal = plan == nil ? nil : seal
            state.configuration = configuration
        }
    }

    /// What the plan in force means for tables; `nil` when nothing is mirrored.
    func routing(for tables: RouteTables) -> MirrorRouting? {
        state.withLock { $0.plan }.map { MirrorRouting($0, for: tables) }
    }
}

extension MirrorConfiguration {
    /// The targets that policies name; others are sent nothing and looked up never.
    var usedTargets: [MirrorTarget] {
        let names = Set(policies.flatMap { $0.targets + [$0.baseline].compactMap(\.self) })
        return targets.filter { names.contains($0.name) }
    }
}
