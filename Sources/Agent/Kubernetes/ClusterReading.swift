// Wingmirror · Apache-2.0

package import AgentConfiguration
package import KubernetesObjects
import Logging
import RouteAttribution

extension ClusterObjects {
    /// Reads the objects of a cluster once, for a command of a person.
    ///
    /// - Parameters:
    ///   - access: How the cluster is reached.
    ///   - configuration: The namespaces, and the revision of the mesh.
    ///   - patience: How long the whole may take.
    /// - Returns: What there is, as far as the person may read it.
    /// - Throws: `.failed` when the server cannot be reached or refuses.
    package static func read(
        _ access: ClusterAccess,
        _ configuration: Configuration,
        within patience: Duration = .seconds(60)
    ) async throws(CommandFailure) -> ClusterObjects {
        let store = ObjectStore()
        let transport = HTTPTransport(access) { WallClock.now() }
        let mesh = ClusterSource.mesh(configuration)
        var logger = Logger(label: "kubernetes")
        logger.logLevel = .critical
        let watch = ClusterWatch(
            ClusterWatch.Scope(
                kinds: WatchedKind.routing,
                namespaces: configuration.routes.kubernetes.namespaces,
                collections: [mesh],
                startDelay: 0
            ),
            over: transport,
            into: store,
            clock: .system { WallClock.now() },
            logger: logger
        )
        let running = Task { await watch.run() }
        defer {
            running.cancel()
            transport.close()
        }
        do throws(ReadingFailure) {
            try await awaitObjects(in: store, mesh, within: patience)
        } catch {
            throw CommandFailure(.failed, "\(access.server): \(error.reason)")
        }
        return ClusterObjects(store, mesh, defaultNamespace: configuration.routes.namespace)
    }

    /// Why the objects of a cluster did not come, as the end of a sentence.
    private struct ReadingFailure: Error {
        let reason: String
    }

    /// Waits until all objects have come, or the task is cancelled.
    private static func awaitObjects(
        in store: ObjectStore,
        _ mesh: ResourceCollection,
        within patience: Duration
    ) async throws(ReadingFailure) {
        let end = ContinuousClock.now + patience
        while !store.isComplete(at: WallClock.now()) {
            // Two failures in a row are no accident.
            let troubles = store[mesh]?.counts.troubles ?? [:]
            for trouble in [WatchTrouble.network, .tls, .credentials, .unauthorized]
            where troubles[trouble, default: 0] >= 2 {
                throw ReadingFailure(reason: trouble.sentence(nil))
            }
            let discovery = store.discoveryTrouble
            if let discovery, discovery.count >= 2, !discovery.mayPass {
                throw ReadingFailure(reason: discovery.sentence)
            }
            guard ContinuousClock.now < end else {
                let reason = discovery?.sentence ?? Self.awaited(in: store)
                throw ReadingFailure(
                    reason: "not all objects came within \(patience.text)" + (reason.map { ": \($0)" } ?? "")
                )
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
        }
    }

    /// Takes what has come from a cluster.
    private init(_ store: ObjectStore, _ mesh: ResourceCollection, defaultNamespace: String) {
        self.init()
        decoded = ObjectDecoder(defaultNamespace: defaultNamespace).objects(of: store)
        self.mesh = store[mesh]?.objects.values.lazy.compactMap { MeshSettings(configMap: $0.value) }.first
        passedOver = PassedOverObject.all(of: store)
        lacksRouteKinds =
            store.unreadGroups.isEmpty
            && !store.collections.keys.contains {
                ["networking.istio.io", "gateway.networking.k8s.io"].contains($0.resource.group)
            }
        refusedKinds = store.collections.filter { $0.value.trouble == .forbidden }.map(\.key.kind).sorted()
        missingKinds = (store.missing(at: WallClock.now()) ?? []).filter { $0.trouble != .forbidden }
    }

    /// The first kind that has not come, and why; `nil` where nothing says so.
    private static func awaited(in store: ObjectStore) -> String? {
        let awaited = store.collections.filter { !$0.value.isSynchronized && $0.value.trouble != nil }
        let first = awaited.min { ($0.value.troubledSince, $0.key.kind) < ($1.value.troubledSince, $1.key.kind) }
        guard let (collection, state) = first, let trouble = state.trouble else { return nil }
        return MissingKind(collection, trouble, since: state.troubledSince).name + " (\(trouble.rawValue))"
    }
}

extension ObjectStore.DiscoveryTrouble {
    /// Whether it may be over soon: a server that starts, or has too much to do.
    fileprivate var mayPass: Bool { [.timeout, .tooManyRequests, .serverError].contains(trouble) }

    /// Why a person got nothing.
    fileprivate var sentence: String { trouble.sentence(status) }
}

extension WatchTrouble {
    /// Why a person got nothing.
    ///
    /// - Parameter status: The status of the answer, where one came that was no success.
    /// - Returns: The reason, as a sentence's end.
    fileprivate func sentence(_ status: Int?) -> String {
        switch self {
        case .network: "the API server cannot be reached"
        case .tls: "the API server's certificate is not accepted"
        case .credentials: "the token or the certificates cannot be read"
        case .malformed: "the server answers with a page, not JSON; is a proxy before it?"
        case .refused where status == 404:
            "there is no API server: the answer for /version is 404; is a proxy before it, or does the URL lack a path?"
        case .refused where (300..<400).contains(status ?? 0):
            "the server answers with a redirect (\(status ?? 0)), as to a login page; is a proxy before it?"
        case .unauthorized: "the API server does not accept the credentials (401)"
        default: "the API server refuses (\(status.map(String.init) ?? rawValue))"
        }
    }
}
