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
        let end = ContinuousClock.now + patience
        while !store.isComplete(at: WallClock.now()) {
            // Two failures in a row are no accident.
            let troubles = store[mesh]?.counts.troubles ?? [:]
            for trouble in [WatchTrouble.network, .tls, .credentials, .unauthorized]
            where troubles[trouble, default: 0] >= 2 {
                throw CommandFailure(.failed, "\(access.server): \(trouble.sentence)")
            }
            guard ContinuousClock.now < end else {
                throw CommandFailure(.failed, "\(access.server): not all objects came within \(patience.text)")
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
        }
        var objects = ClusterObjects()
        objects.decoded = ObjectDecoder(defaultNamespace: configuration.routes.namespace).objects(of: store)
        objects.mesh = store[mesh]?.objects.values.lazy.compactMap { MeshSettings(configMap: $0.value) }.first
        objects.refusedKinds = store.collections.filter { $0.value.trouble == .forbidden }.map(\.key.kind).sorted()
        objects.missingKinds = (store.missing(at: WallClock.now()) ?? []).filter { $0.trouble != .forbidden }
        return objects
    }
}

extension WatchTrouble {
    /// Why a person got nothing.
    fileprivate var sentence: String {
        switch self {
        case .network: "the API server cannot be reached"
        case .tls: "the API server's certificate is not accepted"
        case .credentials: "the token or the certificates cannot be read"
        case .unauthorized: "the API server does not accept the credentials (401)"
        default: "the API server refuses (\(rawValue))"
        }
    }
}
