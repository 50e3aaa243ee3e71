// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import KubernetesObjects
import Logging
import OctetText
import PacketCapture
import PacketDecoding
import RouteAttribution
import ServiceLifecycle

/// Follows the API server, and puts what it says in force: routes, and what is captured.
///
/// A node without a gateway pod holds one watch, of its own pods. The watches of routes begin when the first gateway pod is
/// there, and end a while after the last one has gone.
struct ClusterService: Service {
    /// How long changes are awaited that belong to the one just seen.
    private static let settling: Duration = .milliseconds(150)
    /// How often everything is looked at though nothing has changed.
    private static let lookInterval: Duration = .seconds(2)
    /// How long the watches of routes go on without a gateway pod, in nanoseconds: one that is replaced is back sooner.
    private static let idleTime: Int64 = 600_000_000_000
    /// How often the objects are written into the file of the last good ones, in nanoseconds.
    private static let saveInterval: Int64 = 30_000_000_000

    /// What is known of the cluster.
    let cluster: ClusterSource
    /// Makes tables.
    let configuration: ConfigurationKeeper
    /// The tables.
    let routes: RouteKeeper
    /// Changes what is captured; `nil` for pcap files.
    let control: CaptureControl?
    /// Takes the hosts of the cluster, which no shadow traffic may be sent to; `nil` when they are not followed any more.
    let hosts: @Sendable (ClusterHosts?) -> Void
    /// Where changes are logged.
    let logger: Logger
    /// Makes tables of thousands of objects, while the threads that all tasks share stay free.
    private let thread = WorkThread("cluster")

    /// Makes a service that follows nothing yet.
    init(
        cluster: ClusterSource,
        configuration: ConfigurationKeeper,
        routes: RouteKeeper,
        control: CaptureControl?,
        hosts: @escaping @Sendable (ClusterHosts?) -> Void,
        logger: Logger
    ) {
        self.cluster = cluster
        self.configuration = configuration
        self.routes = routes
        self.control = control
        self.hosts = hosts
        self.logger = logger
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await cancelWhenGracefulShutdown {
                    let (looks, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
                    await withTaskGroup(of: Void.self) { group in
                        group.addTask { for await _ in cluster.store.changes { bell.yield() } }
                        group.addTask { for await _ in cluster.hosts.changes { bell.yield() } }
                        group.addTask {
                            while (try? await Task.sleep(for: Self.lookInterval)) != nil { bell.yield() }
                        }
                        group.addTask { await follow(looks) }
                        group.addTask { await watchPods() }
                        await group.waitForAll()
                    }
                }
            }
            await tasks.waitForAll()
        }
        cluster.transport.close()
    }

    private func watchPods() async {
        guard cluster.settings.findsGateways else { return }
        let scope = ClusterWatch.Scope(kinds: [], collections: [cluster.pods])
        await watch(scope, into: cluster.store)
    }

    private func watch(_ scope: ClusterWatch.Scope, into store: ObjectStore) async {
        await ClusterWatch(scope, over: cluster.transport, into: store, clock: cluster.clock, logger: logger).run()
    }

    // MARK: - Changes

    /// What has been put in force.
    private struct InForce {
        var generation = -1
        var isComplete = false
        var pods: [NodePod] = []
        var nodeAddresses: [IPAddress] = []
        var missingKinds: [MissingKind] = []
        var target: CaptureTarget?
        var hostGenerations: [Int] = []
        var missingHosts: [MissingKind] = []
        var savedGeneration = -1
        var savedPods: [NodePod] = []
        var savedAt: Int64 = 0
        var lastGatewayAt: Int64 = 0
    }

    /// Takes up changes until the task is cancelled.
    private func follow(_ looks: AsyncStream<Void>) async {
        var inForce = InForce()
        var watching: Task<Void, Never>?
        var watchingHosts: Task<Void, Never>?
        defer {
            watching?.cancel()
            watchingHosts?.cancel()
        }
        for await _ in looks {
            guard (try? await Task.sleep(for: Self.settling)) != nil else { return }
            let now = cluster.clock.now()
            // Asked before whether there is a gateway, so that a list that comes meanwhile is not taken for one without.
            let knowsPods = cluster.knowsPods
            if isGatewayNode { inForce.lastGatewayAt = now }
            let isWanted = inForce.lastGatewayAt > 0 && now - inForce.lastGatewayAt < Self.idleTime
            if isWanted, watching == nil {
                logger.info("following routes")
                watching = Task { await watchRoutes() }
            } else if !isWanted, let running = watching {
                logger.info("no gateway pod on this node, routes are not followed any more")
                running.cancel()
                await running.value
                watching = nil
            }
            // The policies may have come with a reload, and may go with the next.
            if isWanted, mirrors, watchingHosts == nil {
                logger.info("following the hosts of the cluster")
                watchingHosts = Task { await watchHosts() }
            } else if !isWanted || !mirrors, let running = watchingHosts {
                running.cancel()
                await running.value
                watchingHosts = nil
                cluster.hosts.forget()
                inForce.hostGenerations = []
                hosts(nil)
            }
            if !isWanted, watching == nil, knowsPods, cluster.holdsRoutes {
                // Without the watches the objects would grow old, and nothing on this node is routed by them.
                cluster.forgetRoutes()
                inForce.isComplete = false
                inForce.hostGenerations = []
                guard await thread.run({ [self] in _ = configuration.reloadRoutes() }) != nil else { return }
            }
            guard let took = await rebuild(&inForce, at: now) else { return }
            capture(&inForce)
            guard let tookHosts = await publishHosts(&inForce, at: now) else { return }
            guard await save(&inForce, at: now) else { return }
            // At most half of one core is for tables, however fast objects change.
            guard (try? await Task.sleep(for: took + tookHosts)) != nil else { return }
        }
    }

    /// Whether this node runs a gateway, or may.
    private var isGatewayNode: Bool {
        guard cluster.settings.findsGateways else { return true }
        return !cluster.gatewayPods(orLabels: chosenLabels).isEmpty
    }

    /// The labels of the gateway workload, where one was chosen.
    private var chosenLabels: [String: String]? {
        let chosen = configuration.current.configuration.gateway
        return chosen.isChosen ? chosen.labels : nil
    }

    /// Whether copies may be sent, so that it matters which hosts are the cluster's.
    private var mirrors: Bool { configuration.current.configuration.mirror.isActive }

    private func watchRoutes() async {
        await watch(
            ClusterWatch.Scope(
                kinds: WatchedKind.routing,
                namespaces: cluster.settings.namespaces,
                collections: [cluster.mesh],
                startDelay: 0
            ),
            into: cluster.store
        )
    }

    private func watchHosts() async {
        let scope = ClusterWatch.Scope(
            kinds: WatchedKind.production,
            namespaces: cluster.settings.namespaces,
            startDelay: 0
        )
        await watch(scope, into: cluster.hosts)
    }

    /// Makes tables if the objects have changed; returns how long that took, or `nil` when the task was cancelled first.
    private func rebuild(_ inForce: inout InForce, at now: Int64) async -> Duration? {
        let generation = cluster.store.generation(besides: cluster.pods)
        let pods = cluster.gatewayPods(orLabels: chosenLabels)
        let nodeAddresses = pods.contains(where: \.usesHostNetwork) ? NodeAddresses.current : []
        let isComplete = cluster.isComplete(at: now)
        let missing = cluster.missingKinds(at: now)
        guard isComplete || cluster.hasObjects,
            generation != inForce.generation || isComplete != inForce.isComplete || pods != inForce.pods
                || nodeAddresses != inForce.nodeAddresses
                || missing.map(\.name) != inForce.missingKinds.map(\.name)
        else { return .zero }
        if !missing.isEmpty, missing.map(\.name) != inForce.missingKinds.map(\.name) {
            logger.warning(
                "kinds that cannot be read, the routes are made without them",
                metadata: [
                    "kinds": "\(missing.map { "\($0.name) (\($0.trouble.rawValue))" }.joined(separator: ", "))"
                ]
            )
        }
        inForce.generation = generation
        inForce.isComplete = isComplete
        inForce.pods = pods
        inForce.nodeAddresses = nodeAddresses
        inForce.missingKinds = missing
        return await thread.run { [self] in
            let started = ContinuousClock.now
            _ = configuration.reloadRoutes()
            return ContinuousClock.now - started
        }
    }

    /// Says which hosts are the cluster's once all have come, and when they have changed; returns how long that took, or `nil`
    /// when the task was cancelled first.
    private func publishHosts(_ inForce: inout InForce, at now: Int64) async -> Duration? {
        let generations = [cluster.store.generation, cluster.hosts.generation]
        // What cannot be read is no change of an object, and may be read again at any time.
        guard mirrors, let missing = cluster.missingHosts(at: now),
            generations != inForce.hostGenerations || missing != inForce.missingHosts
        else { return .zero }
        inForce.hostGenerations = generations
        inForce.missingHosts = missing
        return await thread.run { [self] in
            let started = ContinuousClock.now
            let domain = configuration.current.configuration.environment.clusterDomain
            hosts(cluster.hosts(domain: domain, without: missing))
            return ContinuousClock.now - started
        }
    }

    /// Captures where the gateway is now, if that has changed.
    private func capture(_ inForce: inout InForce) {
        let configuration = configuration.current.configuration
        guard configuration.findsGateways, let control else { return }
        let target = CaptureTarget(routes.gateways, routes.tables.tables, configuration)
        guard target != inForce.target else { return }
        do throws(CaptureError) {
            try control.change(to: target.interfaces, filter: target.filter)
            inForce.target = target
            let pods = routes.gateways.flatMap(\.pods)
            logger.info(
                "capturing the gateways of this node",
                metadata: [
                    "pods": "\(pods.isEmpty ? "none" : pods.joined(separator: ", "))",
                    "interfaces": "\(target.interfaces.joined(separator: ", "))",
                    "addresses": "\(target.filter.addresses.map(\.description).joined(separator: ", "))",
                    "ports": "\(target.filter.ports.map(String.init).joined(separator: ", "))",
                ]
            )
        } catch {
            logger.warning("what is captured cannot be changed", metadata: ["reason": "\(error)"])
        }
    }

    /// Saves the objects now and then; answers `false` when the task was cancelled first.
    private func save(_ inForce: inout InForce, at now: Int64) async -> Bool {
        guard inForce.isComplete, cluster.isWhole(at: now),
            inForce.generation != inForce.savedGeneration || inForce.pods != inForce.savedPods,
            now - inForce.savedAt >= Self.saveInterval
        else { return true }
        inForce.savedGeneration = inForce.generation
        inForce.savedPods = inForce.pods
        inForce.savedAt = now
        let labels = chosenLabels
        return await thread.run { [cluster] in cluster.save(orLabels: labels) } != nil
    }
}

/// What is captured for the gateways that were found.
struct CaptureTarget: Sendable, Equatable {
    /// The interfaces.
    let interfaces: [String]
    /// What the kernel hands over.
    let filter: CaptureFilter

    /// Chooses interfaces and filter.
    ///
    /// - Parameters:
    ///   - gateways: The gateways; without any, nothing is captured.
    ///   - tables: Their tables, whose listeners say on which pod ports.
    ///   - configuration: The interfaces that were named, and the filter.
    ///   - routes: By which interface an address is reached.
    init(
        _ gateways: [FoundGateway],
        _ tables: [RouteTable],
        _ configuration: Configuration,
        routes: NodeRoutes = NodeRoutes()
    ) {
        let named: [String]? =
            switch configuration.capture.interfaces {
            case .named(let names): names
            case .automatic: nil
            }
        // A gateway that nothing listens on has nothing to be captured.
        let served = zip(gateways, tables).filter { !$1.podPorts.isEmpty }
        let ports = Set(served.flatMap(\.1.podPorts)).sorted()
        let addresses = served.flatMap(\.0.addresses)
        guard !served.isEmpty else {
            interfaces = named ?? ["lo"]
            filter = configuration.capture.filter.expression.map { CaptureFilter(expression: $0) } ?? .nothing
            return
        }
        filter = configuration.liveFilter(ports: ports, addresses: addresses)
        if let named {
            interfaces = named
        } else if served.contains(where: \.0.usesHostNetwork) {
            // Pods of this node reach such a gateway by their own interfaces, others by the node's.
            interfaces = ["any"]
        } else {
            let found = addresses.map { routes.interface(to: $0) }
            let names = found.compactMap(\.self)
            // An address without a route of its own is reached in a way that only `any` is sure to see.
            interfaces = names.count == found.count ? Set(names).sorted() : ["any"]
        }
    }
}
