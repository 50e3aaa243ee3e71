// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import FoundationEssentials
import JSONSyntax
import KubernetesObjects
import Logging
import RouteAttribution
import Synchronization

/// What the API server has told so far, and what an earlier run has left of it.
final class ClusterSource: Sendable {
    /// After how long without contact routes may be out of date, in nanoseconds: longer than a server takes to restart.
    private static let patience: Int64 = 300_000_000_000

    /// Where the objects are of which routes are made, and the pods of this node.
    let store = ObjectStore()
    /// Where the objects are that say which other hosts the cluster has; empty while nothing is mirrored.
    let hosts = ObjectStore()
    /// The way to the API server.
    let transport: HTTPTransport
    /// What is known of time.
    let clock: WatchClock
    /// The pods of this node.
    let pods: ResourceCollection
    /// Istio's mesh configuration.
    let mesh: ResourceCollection
    /// The settings.
    let settings: KubernetesConfiguration

    private let decoder: ObjectDecoder
    private let state: Mutex<State>
    private let podCache = Mutex<PodCache?>(nil)
    private let logger: Logger

    private struct State: Sendable {
        /// What an earlier run has left, until what takes its place has come.
        var saved: Saved?
        /// Whether everything has come once since routes are followed.
        var isComplete = false
    }

    /// What an earlier run has left.
    private struct Saved: Sendable {
        /// Objects of which routes are made; once the API server has listed its own, those of kinds that it does not list.
        var objects: [JSONValue]
        /// The ConfigMap with the mesh configuration.
        var mesh: JSONValue?
        /// The pods of this node that ran a gateway, or might.
        var pods: [JSONValue]
        var savedAt: Int64
    }

    /// The pods that may run a gateway, as of one state of the store.
    private struct PodCache: Sendable {
        var generation: Int
        var labels: [String: String]?
        var pods: [NodePod]
    }

    /// Reads what an earlier run has left, and asks the API server nothing yet; `nil` where it is not to be asked.
    ///
    /// - Throws: `.usage` where it is not known which API server is meant, or which node this is.
    init?(
        _ configuration: Configuration,
        logger: Logger,
        clock: WatchClock = .system { WallClock.now() }
    ) throws(CommandFailure) {
        guard configuration.routes.kubernetes.isEnabled else { return nil }
        settings = configuration.routes.kubernetes
        self.logger = logger
        let node = settings.node.isEmpty ? Terminal.environment("NODE_NAME") ?? "" : settings.node
        guard !node.isEmpty || !settings.findsGateways else {
            throw CommandFailure(
                .usage,
                "routes.kubernetes: which node this is, is not known; set the variable NODE_NAME to spec.nodeName, "
                    + "or routes.kubernetes.node"
            )
        }
        self.clock = clock
        transport = HTTPTransport(try Self.access(settings, node: node), now: clock.now)
        pods = ResourceCollection(
            GroupVersionResource(group: "", version: "v1", resource: "pods"),
            kind: "Pod",
            fieldSelector: "spec.nodeName=\(node)"
        )
        mesh = Self.mesh(configuration)
        decoder = ObjectDecoder(defaultNamespace: configuration.routes.namespace)
        state = Mutex(State(saved: Self.load(settings.snapshot, node: node, logger)))
    }

    /// Istio's mesh configuration, of the revision that is configured.
    static func mesh(_ configuration: Configuration) -> ResourceCollection {
        let name = MeshSettings.name(ofRevision: configuration.environment.revision ?? "")
        return ResourceCollection(
            GroupVersionResource(group: "", version: "v1", resource: "configmaps"),
            kind: "ConfigMap",
            namespace: configuration.environment.rootNamespace,
            fieldSelector: "metadata.name=\(name)"
        )
    }

    /// Asks the API server about tokens that are sent to the endpoints; `nil` where it is not to be asked.
    ///
    /// - Throws: `.usage` where it is not known which API server is meant.
    static func tokenReviews(_ configuration: Configuration) throws(CommandFailure) -> TokenReviews? {
        guard configuration.admin.asksKubernetes else { return nil }
        let settings = configuration.routes.kubernetes
        let node = settings.node.isEmpty ? Terminal.environment("NODE_NAME") ?? "" : settings.node
        let access: ClusterAccess
        do throws(CommandFailure) {
            access = try Self.access(settings, node: node)
        } catch {
            throw CommandFailure(
                .usage,
                "admin.auth.kubernetes: this is no pod (KUBERNETES_SERVICE_HOST is not set); name the API server in "
                    + "routes.kubernetes.server"
            )
        }
        let reviewer = AccessReviewer(HTTPTransport(access) { WallClock.now() })
        return TokenReviews(ask: { question in
            switch await reviewer.review(token: question.token, verb: question.verb, path: question.path) {
            case .allowed: .allowed
            case .denied(let user, let reason):
                .denied(
                    "\(user) may not \(question.verb) \(question.path)" + (reason.isEmpty ? "" : ": \(reason)")
                )
            case .unknown: .unknown
            case .unavailable(let reason): .unavailable(reason)
            }
        })
    }

    private static func access(_ settings: KubernetesConfiguration, node: String) throws(CommandFailure)
        -> ClusterAccess
    {
        let own = ClusterAccess.inCluster { Terminal.environment($0) }
        var access: ClusterAccess
        if !settings.server.isEmpty {
            access = ClusterAccess(server: settings.server)
            // Another address of the same server: this pod's own credentials are good for it.
            access.tokenFile = own?.tokenFile ?? ""
            access.authorityFile = own?.authorityFile ?? ""
        } else if let own {
            access = own
        } else {
            throw CommandFailure(
                .usage,
                "routes.kubernetes.enabled: this is no pod (KUBERNETES_SERVICE_HOST is not set); "
                    + "name the API server in routes.kubernetes.server"
            )
        }
        if !settings.tokenFile.isEmpty { access.tokenFile = settings.tokenFile }
        if !settings.certificateAuthority.isEmpty { access.authorityFile = settings.certificateAuthority }
        access.userAgent =
            "wingmirror/\(BuildInformation.version) (linux/\(BuildInformation.architecture); node \(node))"
        return access
    }

    // MARK: - What is known

    /// What is known now: everything that the API server has, or, until that has come, what an earlier run has left.
    ///
    /// A kind that does not come though the others do counts as an earlier run has left it, and as empty without that.
    var current: ClusterObjects {
        let now = clock.now()
        let isComplete = isComplete(at: now)
        let saved = state.withLock(\.saved)
        var current = ClusterObjects()
        current.pods = podObjects
        if current.pods.contains(where: { $0["spec"]?["hostNetwork"]?.boolValue == true }) {
            current.nodeAddresses = NodeAddresses.current
        }
        current.mesh = store[mesh]?.objects.values.lazy.compactMap { MeshSettings(configMap: $0.value) }.first
        if isComplete {
            current.meshName = String(mesh.fieldSelector.dropFirst("metadata.name=".count))
            current.decoded = decoder.objects(of: store)
            current.missingKinds = missingKinds(at: now)
            current.isPartial = store.collections.contains {
                ClusterObjects.wholeKinds.contains($0.key.kind) && !$0.value.isSynchronized
            }
            current.passedOver = PassedOverObject.all(of: store)
            let rest = remainder
            current.objects = rest.objects
            current.mesh = current.mesh ?? rest.mesh.flatMap { MeshSettings(configMap: $0) }
        } else if let saved {
            current.objects = saved.objects
            current.mesh = current.mesh ?? saved.mesh.flatMap { MeshSettings(configMap: $0) }
            current.isSaved = true
        } else {
            current.isAwaited = true
        }
        return current
    }

    /// What an earlier run has left of kinds that the API server does not list now, and that counts in its place.
    private var remainder: (objects: [JSONValue], mesh: JSONValue?) {
        guard let saved = state.withLock(\.saved) else { return ([], nil) }
        return (
            saved.objects.isEmpty ? [] : saved.objects.filter(store.awaits),
            store[mesh]?.isSynchronized == true ? nil : saved.mesh
        )
    }

    /// Whether everything that is to be had has come once; what comes later is taken up object by object.
    func isComplete(at now: Int64) -> Bool {
        if state.withLock(\.isComplete) { return true }
        guard store.isComplete(at: now) else { return false }
        state.withLock { state in
            state.isComplete = true
            // The rest has been replaced, and would only take memory.
            state.saved?.objects.removeAll { !store.awaits($0) }
        }
        return true
    }

    /// The kinds that routes are made without, though the cluster has them and the agent has the right to read them; and
    /// those that it has not, as far as objects of them lie in namespaces.
    func missingKinds(at now: Int64) -> [MissingKind] {
        (store.missing(at: now) ?? []).filter { kind in
            WatchedKind.routing.contains { known in
                known.group == kind.group && known.kind == kind.kind
                    && (kind.trouble != .forbidden || known.isNamespaced)
            }
        }
    }

    /// Whether it is known which pods this node has: the API server has listed them, or an earlier run has left them.
    var knowsPods: Bool {
        !settings.findsGateways || store[pods]?.isSynchronized == true
            || state.withLock { $0.saved?.pods.isEmpty == false }
    }

    /// Why it is not known which pods this node has, in words; `nil` where it is.
    var ignoranceOfPods: String? {
        guard !knowsPods else { return nil }
        let reason = store[pods]?.trouble.map { " (\($0.rawValue))" } ?? ""
        return "no gateway is known: the API server has not listed the pods of this node yet\(reason)"
    }

    /// Why the routes of this node's gateway are not known, in words; `nil` where they are, or it runs none.
    ///
    /// - Parameters:
    ///   - isAwaited: Whether the routes in force were made while nothing was known of the cluster's objects.
    ///   - labels: The labels of the workload that was chosen; `nil` if none was.
    /// - Returns: The reason, as a sentence.
    func ignoranceOfRoutes(isAwaited: Bool, orLabels labels: [String: String]?) -> String? {
        guard isAwaited, !settings.findsGateways || !gatewayPods(orLabels: labels).isEmpty else { return nil }
        let awaited = store.collections.filter { $0.key != pods && !$0.value.isSynchronized }.values
        let first = awaited.filter { $0.trouble != nil }.min { $0.troubledSince < $1.troubledSince }
        let trouble =
            first?.trouble ?? store.unreadGroups.values.first?.trouble ?? store.discoveryTrouble?.trouble
        let reason = trouble.map { " (\($0.rawValue))" } ?? ""
        return settings.findsGateways
            ? "this node runs a gateway pod, and its routes have not come yet\(reason)"
            : "the routes have not come yet\(reason)"
    }

    /// The pods of this node, or, until the API server has listed them, those that ran a gateway.
    private var podObjects: [JSONValue] {
        guard let known = store[pods], known.isSynchronized else { return state.withLock { $0.saved?.pods } ?? [] }
        return known.objects.values.map(\.value)
    }

    /// The pods of this node that run a gateway, or may, in the order of their names.
    ///
    /// - Parameter labels: The labels of the workload that was chosen; `nil` if none was.
    /// - Returns: The pods.
    func gatewayPods(orLabels labels: [String: String]?) -> [NodePod] {
        let generation = store[pods].map { $0.isSynchronized ? $0.generation : -1 } ?? -1
        if let known = podCache.withLock({ $0 }), known.generation == generation, known.labels == labels {
            return known.pods
        }
        let found = podObjects.compactMap { NodePod($0, orLabels: labels) }.sorted {
            ($0.pod.namespace, $0.pod.name) < ($1.pod.namespace, $1.pod.name)
        }
        podCache.withLock { $0 = PodCache(generation: generation, labels: labels, pods: found) }
        return found
    }

    /// What the cluster has for hosts.
    ///
    /// - Parameters:
    ///   - domain: The cluster's domain.
    ///   - missing: The kinds of hosts that cannot be read.
    /// - Returns: Names and addresses, and what keeps others from being known.
    func hosts(domain: String, without missing: [MissingKind]) -> ClusterHosts {
        var known = ClusterHosts((store.objects + hosts.objects).map(\.value) + podObjects, domain: domain)
        if let unknown = missing.first {
            known.ignorance = "the agent \(unknown.reason)"
        } else if !settings.namespaces.isEmpty {
            known.ignorance = "the agent reads the namespaces of routes.kubernetes.namespaces only"
        }
        return known
    }

    /// The kinds of hosts that cannot be read; `nil` while some of them are to come.
    func missingHosts(at now: Int64) -> [MissingKind]? {
        guard let missing = store.missing(at: now), let missingHosts = hosts.missing(at: now) else { return nil }
        return (missing + missingHosts).filter { ["Service", "EndpointSlice", "Node"].contains($0.kind) }
    }

    /// The routes are not followed any more: forgets all but the pods of this node, and what an earlier run has left.
    func forgetRoutes() {
        store.forget(besides: pods)
        state.withLock { $0 = State() }
        decoder.forget()
        // A later run that starts without the API server would take the pods of then for gateways of this node.
        if !settings.snapshot.isEmpty { try? FileManager.default.removeItem(atPath: settings.snapshot) }
    }

    /// Whether anything is held of routes.
    var holdsRoutes: Bool {
        state.withLock { $0.saved != nil } || store.collections.keys.contains { $0 != pods }
    }

    /// Whether anything is known of the routes: everything has come, or an earlier run has left something.
    var hasObjects: Bool {
        isComplete(at: clock.now()) || state.withLock { $0.saved != nil }
    }

    /// Why the routes in force may be out of date, or `nil` where nothing says so.
    ///
    /// - Parameters:
    ///   - isSaved: Whether they were made of what an earlier run has left.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: The reason, as a sentence.
    func staleness(isSaved: Bool, at now: Int64) -> String? {
        if isSaved {
            let time = state.withLock { $0.saved?.savedAt }.map { " of \(WallClock.text($0))" } ?? ""
            return "table_stale: the routes are those\(time), which an earlier run has left"
        }
        if let known = store[pods], !known.isSynchronized, let trouble = known.trouble,
            now - known.troubledSince >= Self.patience, state.withLock({ $0.saved?.pods.isEmpty == false })
        {
            return "table_stale: the gateway pods are those that an earlier run has left (\(trouble.rawValue))"
        }
        if let kind = missingKinds(at: now).first(where: { $0.trouble != .forbidden && $0.makesRoutes }) {
            return "table_stale: the agent \(kind.reason), since \(WallClock.text(kind.since))"
        }
        if let rest = stalenessOfRemainder(at: now) { return rest }
        if let since = store.troubledSince, now - since >= Self.patience {
            return "table_stale: the API server has not been heard of since \(WallClock.text(since))"
        }
        return nil
    }

    /// What of an earlier run is in force, as a sentence: the API server does not let the agent read what took its place.
    private func stalenessOfRemainder(at now: Int64) -> String? {
        guard isComplete(at: now) else { return nil }
        let rest = remainder
        let object = rest.objects.first { object in
            !WatchedKind.extensions.contains { $0.kind == object["kind"]?.stringValue }
        }
        guard let kind = object?["kind"]?.stringValue ?? rest.mesh.map({ _ in "ConfigMap" }) else { return nil }
        let known = missingKinds(at: now).first { $0.kind == kind }
        let reason = known.map { "the agent \($0.reason)" } ?? "the agent cannot read a \(kind)"
        return "table_stale: \(reason), and takes what an earlier run has left"
    }

    // MARK: - What is left for the next run

    private static func load(_ path: String, node: String, _ logger: Logger) -> Saved? {
        guard !path.isEmpty, let text = try? Data(contentsOf: URL(filePath: path)) else { return nil }
        guard let (objects, savedAt) = ObjectSnapshot.read([UInt8](text)) else {
            logger.warning("the saved objects cannot be read and are passed over", metadata: ["file": "\(path)"])
            return nil
        }
        let byKind = Dictionary(grouping: objects) { object in
            switch object["kind"] {
            case "ConfigMap", "Pod": object["kind"]?.stringValue ?? ""
            default: ""
            }
        }
        return Saved(
            objects: byKind[""] ?? [],
            mesh: byKind["ConfigMap"]?.first,
            // The file of another node says nothing of the pods of this one.
            pods: (byKind["Pod"] ?? []).filter { $0["spec"]?["nodeName"]?.stringValue == node },
            savedAt: savedAt
        )
    }

    /// Whether everything that is saved has come, so that the file would lose nothing.
    func isWhole(at now: Int64) -> Bool {
        store.missing(at: now)?.allSatisfy { $0.trouble == .forbidden || !$0.makesRoutes } ?? false
    }

    /// Writes everything into the file, as a whole or not at all.
    ///
    /// - Parameter labels: Those of the gateway workload that was chosen; `nil` if none was.
    func save(orLabels labels: [String: String]?) {
        guard !settings.snapshot.isEmpty else { return }
        let mesh = store[mesh]?.objects.values.map { $0 } ?? []
        let gateways = (store[pods]?.objects.values.map { $0 } ?? []).filter {
            NodePod($0.value, orLabels: labels) != nil
        }
        // What counts in the place of a kind that cannot be read would be lost for the run after this one.
        let rest = remainder
        let text = ObjectSnapshot.text(
            of: store.objects + mesh + gateways,
            and: rest.objects + (rest.mesh.map { [$0] } ?? []),
            at: clock.now()
        )
        do {
            try Data(text).write(to: URL(filePath: settings.snapshot), options: .atomic)
        } catch {
            logger.warning(
                "the objects cannot be saved",
                metadata: ["file": "\(settings.snapshot)", "reason": "\(error)"]
            )
        }
    }
}
