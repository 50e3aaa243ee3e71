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
    private let saved: Mutex<(objects: [JSONValue], savedAt: Int64)?>
    private let logger: Logger

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
        transport = HTTPTransport(try Self.access(settings, node: node)) { WallClock.now() }
        pods = ResourceCollection(
            GroupVersionResource(group: "", version: "v1", resource: "pods"),
            kind: "Pod",
            fieldSelector: "spec.nodeName=\(node)"
        )
        mesh = Self.mesh(configuration)
        decoder = ObjectDecoder(defaultNamespace: configuration.routes.namespace)
        saved = Mutex(Self.load(settings.snapshot, logger))
    }

    /// Istio's mesh configuration, of the revision that is configured.
    static func mesh(_ configuration: Configuration) -> ResourceCollection {
        let revision = configuration.environment.revision ?? ""
        return ResourceCollection(
            GroupVersionResource(group: "", version: "v1", resource: "configmaps"),
            kind: "ConfigMap",
            namespace: configuration.environment.rootNamespace,
            fieldSelector: "metadata.name=\(revision.isEmpty || revision == "default" ? "istio" : "istio-\(revision)")"
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
    var current: ClusterObjects {
        var current = ClusterObjects()
        current.pods = store[pods]?.objects.values.map(\.value) ?? []
        current.mesh = store[mesh]?.objects.values.lazy.compactMap { MeshSettings(configMap: $0.value) }.first
        if store.isComplete(at: WallClock.now()) {
            current.decoded = decoder.objects(of: store)
        } else if let saved = saved.withLock({ $0 }) {
            let configMaps = saved.objects.filter { $0["kind"] == "ConfigMap" }
            current.objects = saved.objects.filter { $0["kind"] != "ConfigMap" }
            current.mesh = current.mesh ?? configMaps.lazy.compactMap { MeshSettings(configMap: $0) }.first
            current.isSaved = true
        }
        return current
    }

    /// What the cluster has for hosts.
    ///
    /// - Parameters:
    ///   - domain: The cluster's domain.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: Names and addresses; `nil` until all that is to be had of them has come.
    func hosts(domain: String, at now: Int64) -> ClusterHosts? {
        guard store.isComplete(at: now), hosts.isComplete(at: now) else { return nil }
        let known = current
        return ClusterHosts(known.manifests + known.pods + hosts.objects.map(\.value), domain: domain)
    }

    /// The routes are not followed any more: gives back the memory of what was decoded.
    func forgetDecoded() { decoder.forget() }

    /// Whether anything is known of the routes: everything has come, or an earlier run has left something.
    var hasObjects: Bool {
        store.isComplete(at: WallClock.now()) || saved.withLock { $0 != nil }
    }

    /// Why the routes in force may be out of date, or `nil` where nothing says so.
    ///
    /// - Parameters:
    ///   - isSaved: Whether they were made of what an earlier run has left.
    ///   - now: Nanoseconds since the Unix epoch.
    /// - Returns: The reason, as a sentence.
    func staleness(isSaved: Bool, at now: Int64) -> String? {
        if isSaved {
            let time = saved.withLock { $0?.savedAt }.map { " of \(WallClock.text($0))" } ?? ""
            return "table_stale: the routes are those\(time), which an earlier run has left"
        }
        if let since = store.troubledSince, now - since >= Self.patience {
            return "table_stale: the API server has not been heard of since \(WallClock.text(since))"
        }
        return nil
    }

    // MARK: - What is left for the next run

    private static func load(_ path: String, _ logger: Logger) -> (objects: [JSONValue], savedAt: Int64)? {
        guard !path.isEmpty, let text = try? Data(contentsOf: URL(filePath: path)) else { return nil }
        guard let saved = ObjectSnapshot.read([UInt8](text)) else {
            logger.warning("the saved objects cannot be read and are passed over", metadata: ["file": "\(path)"])
            return nil
        }
        return saved
    }

    /// Writes everything into the file, as a whole or not at all.
    func save() {
        guard !settings.snapshot.isEmpty else { return }
        let mesh = store[mesh]?.objects.values.map { $0 } ?? []
        let text = ObjectSnapshot.text(of: store.objects + mesh, at: WallClock.now())
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
