// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import KubernetesObjects
import PacketDecoding
import ResourceFiles
import RouteAttribution
import Synchronization

/// What is known of a cluster at one time.
package struct ClusterObjects: Sendable {
    /// Objects of which routes are made.
    var objects: [JSONValue] = []
    /// More of them, decoded already.
    var decoded: [DecodedObject] = []
    /// The pods of this node.
    var pods: [JSONValue] = []
    /// The addresses of this node; empty where no pod of its gateways has the node's network.
    var nodeAddresses: [IPAddress] = []
    /// Istio's mesh configuration, if it is there.
    var mesh: MeshSettings?
    /// The name of the ConfigMap that the mesh configuration is read from; empty while it is awaited.
    var meshName = ""
    /// Whether the objects come from a file that an earlier run has left.
    var isSaved = false
    /// Whether nothing of them is known yet, neither from the API server nor from an earlier run.
    var isAwaited = false
    /// Whether the cluster serves no kind of Istio and none of the Gateway API.
    var lacksRouteKinds = false
    /// Objects that cannot be read.
    var passedOver: [PassedOverObject] = []
    /// The kinds that may not be read.
    package var refusedKinds: [String] = []
    /// The kinds without which the routes are made, though the cluster has them.
    var missingKinds: [MissingKind] = []
    /// Whether objects of ``wholeKinds`` have not come, be it that the agent has no right to them, as it may have to Namespaces.
    var isPartial = false
    /// The kinds of which all objects must be known before one that is not among them is taken not to exist.
    static let wholeKinds: Set<String> = ["Service", "ServiceEntry", "Namespace"]

    /// Whether a Service, ServiceEntry or Namespace that is not among them does not exist.
    ///
    /// - Parameter settings: What of the cluster is followed.
    /// - Returns: `false` where only some namespaces are, or where one of these kinds could not be read.
    func areWhole(_ settings: KubernetesConfiguration) -> Bool {
        let unknown = missingKinds.map(\.kind) + refusedKinds + passedOver.map(\.object.kind)
        return settings.namespaces.isEmpty && !isSaved && !isAwaited && !isPartial
            && Self.wholeKinds.isDisjoint(with: unknown)
    }

    /// Why there are no routes where the cluster serves none of their kinds, in one sentence.
    static let withoutRouteKinds =
        "the cluster serves no route kinds, neither of Istio nor of the Gateway API, so no request has a route"

    /// Whether no object is known of which routes are made.
    var isEmpty: Bool { objects.isEmpty && decoded.isEmpty }

    /// The manifests of all objects of which routes are made.
    var manifests: [JSONValue] { objects + decoded.map(\.manifest) }

    /// What is to be known of the kinds that cannot be read: each may hold objects that change the routes.
    var findings: [RouteFinding] {
        missingKinds.map { kind in
            RouteFinding(
                object: ObjectIdentity(kind: "Kind", namespace: "", name: kind.name),
                severity: .warning,
                code: .unreadableKind,
                path: "",
                message:
                    "the agent \(kind.reason); the routes are made without its objects, or with those that an earlier run has left"
            )
        } + passedOver.map(\.finding)
    }

    /// What is to be known of the settings that gateways have from the mesh or from their pods.
    func findings(of gateways: [FoundGateway], in namespace: String) -> [RouteFinding] {
        unreadSettings(of: gateways, in: namespace) + unmodelledSettings(of: gateways)
    }

    /// Gateways that are configured by another mesh configuration than the one that is read, or by none that could be read.
    private func unreadSettings(of gateways: [FoundGateway], in namespace: String) -> [RouteFinding] {
        guard !meshName.isEmpty else { return [] }
        return Set(gateways.map { MeshSettings.name(ofRevision: $0.labels["istio.io/rev"] ?? "") }).sorted()
            .filter { $0 != meshName || mesh == nil }.map { name in
                RouteFinding(
                    object: ObjectIdentity(kind: "ConfigMap", namespace: namespace, name: name),
                    severity: .warning,
                    code: .notLookedAt,
                    path: "",
                    message: name == meshName
                        ? "the mesh configuration of this node's gateway is not there or may not be read, so Istio's defaults "
                            + "are taken; mesh.rootNamespace and mesh.revision say where it is"
                        : "the mesh configuration of this node's gateway, but \(meshName) is read; set mesh.revision to "
                            + "\(name == "istio" ? "default" : String(name.dropFirst("istio-".count)))"
                )
            }
    }

    /// Gateways whose proxies normalise paths in a way that is not modelled.
    private func unmodelledSettings(of gateways: [FoundGateway]) -> [RouteFinding] {
        gateways.filter { $0.proxy.filled(from: mesh?.proxy ?? ProxySettings()).changesPaths == true }.map { gateway in
            RouteFinding(
                object: ObjectIdentity(kind: "Pod", namespace: gateway.namespace, name: gateway.pods.first ?? ""),
                severity: .warning,
                code: .notModelled,
                path: "",
                message: "connectionSettings of the pod or of the mesh (profile EDGE, httpMergeSlashes, "
                    + "httpPathWithEscapedSlashesAction) normalise paths in a way that is not modelled: requests with // or %2F in "
                    + "their path may have another route"
            )
        }
    }

    /// Adds the objects to others; they come from no file.
    func add(to resources: inout RouteResources) {
        for object in objects { resources.add(object) }
        for object in decoded where !resources.append(object.resources) { resources.add(object.manifest) }
    }
}

/// An object of the cluster that cannot be read.
struct PassedOverObject: Sendable, Hashable {
    /// What it is.
    let object: ObjectIdentity
    /// Why it cannot be read.
    let reason: String

    /// The objects of a store, in the order of their names.
    static func all(of store: ObjectStore) -> [Self] {
        let collections = store.collections.filter { $0.key.fieldSelector.isEmpty && !$0.value.passedOver.isEmpty }
        return collections.flatMap { collection, state in
            state.passedOver.map { key, reason in
                Self(
                    object: ObjectIdentity(kind: collection.kind, namespace: key.namespace, name: key.name),
                    reason: reason
                )
            }
        }.sorted {
            ($0.object.kind, $0.object.namespace, $0.object.name)
                < ($1.object.kind, $1.object.namespace, $1.object.name)
        }
    }

    /// What is to be known of it.
    fileprivate var finding: RouteFinding {
        RouteFinding(
            object: object,
            severity: .error,
            code: .refusedObject,
            path: "",
            message: "cannot be read (\(reason)) and is passed over; what was read of it before counts"
        )
    }
}

/// An object of the cluster with what was decoded of it, which is done once for each of its versions.
///
/// A class, because thousands of them are handed on with every change.
final class DecodedObject: Sendable {
    private let stored: StoredObject
    /// What routing knows of it.
    let resources: RouteResources

    /// Decodes an object.
    ///
    /// - Parameters:
    ///   - stored: The object.
    ///   - namespace: That of objects whose manifest names none.
    init(_ stored: StoredObject, defaultNamespace namespace: String) {
        self.stored = stored
        resources = RouteResources(decoding: [stored.value], defaultNamespace: namespace)
    }

    /// The manifest.
    var manifest: JSONValue { stored.value }

    /// Whether it is what was decoded of an object.
    ///
    /// The content says so: a cluster that was restored may give a version twice.
    func isOf(_ object: StoredObject) -> Bool { stored.octets == object.octets }
}

/// Decodes the objects of a store, those alone that have changed since the last time.
final class ObjectDecoder: Sendable {
    private let defaultNamespace: String
    private let known = Mutex<[ResourceCollection: [ObjectKey: DecodedObject]]>([:])

    /// Has decoded nothing yet.
    init(defaultNamespace: String) { self.defaultNamespace = defaultNamespace }

    /// The objects of the collections that are not narrowed by fields, in the order of ``ObjectStore/objects``.
    func objects(of store: ObjectStore) -> [DecodedObject] {
        known.withLock { known in
            var kept: [ResourceCollection: [ObjectKey: DecodedObject]] = [:]
            var result: [DecodedObject] = []
            for (collection, objects) in store.orderedObjects {
                var decoded: [ObjectKey: DecodedObject] = [:]
                decoded.reserveCapacity(objects.count)
                for (key, object) in objects {
                    let earlier = known[collection]?[key]
                    let entry =
                        earlier.map { $0.isOf(object) } ?? false
                        ? earlier : DecodedObject(object, defaultNamespace: defaultNamespace)
                    decoded[key] = entry
                    if let entry { result.append(entry) }
                }
                kept[collection] = decoded
            }
            known = kept
            return result
        }
    }

    /// Forgets everything, as when nothing is followed any more.
    func forget() { known.withLock { $0 = [:] } }
}

/// Istio's mesh configuration, as far as it changes which rule takes a request: the key `mesh` of the ConfigMap `istio`.
struct MeshSettings: Sendable, Hashable {
    private let mesh: JSONValue

    /// The name of the ConfigMap of a control plane's revision; empty for the default one.
    static func name(ofRevision revision: String) -> String {
        revision.isEmpty || revision == "default" ? "istio" : "istio-\(revision)"
    }

    /// Reads a ConfigMap; `nil` where it holds no mesh configuration that can be read.
    init?(configMap: JSONValue) {
        guard let text = configMap["data"]?["mesh"]?.stringValue,
            let document = try? YAMLDocuments.parse(text).first, case .object = document.value
        else { return nil }
        mesh = document.value
    }

    /// What the mesh says of all proxies that say nothing else.
    var proxy: ProxySettings { ProxySettings(mesh["defaultConfig"] ?? .null) }

    /// Takes over what the mesh says, but for what the agent's own configuration says.
    func apply(to environment: inout RouteEnvironment, under configuration: Configuration) {
        if !configuration.choosesMesh("pathNormalization"),
            let word = mesh["pathNormalization"]?["normalization"]?.stringValue,
            let normalization = PathNormalization(setting: word)
        {
            environment.pathNormalization = normalization
        }
        if !configuration.choosesMesh("defaultVirtualServiceExportTo"),
            let places = mesh["defaultVirtualServiceExportTo"]?.arrayValue?.compactMap(\.stringValue), !places.isEmpty
        {
            environment.defaultVirtualServiceExportTo = places
        }
        if let places = mesh["defaultServiceExportTo"]?.arrayValue?.compactMap(\.stringValue), !places.isEmpty {
            environment.defaultServiceExportTo = places
        }
        if !configuration.choosesMesh("discoverySelectors"), let selectors = mesh["discoverySelectors"]?.arrayValue {
            environment.discoverySelectors = selectors.compactMap { try? NamespaceSelector($0) }
        }
        proxy.apply(to: &environment, under: configuration)
        if let namespace = mesh["rootNamespace"]?.stringValue, !namespace.isEmpty {
            environment.rootNamespace = namespace
        }
        if let word = mesh["ingressControllerMode"]?.stringValue, let mode = IngressSettings.Mode(rawValue: word) {
            environment.ingress.mode = mode
        }
        if let name = mesh["ingressClass"]?.stringValue, !name.isEmpty { environment.ingress.className = name }
        if let name = mesh["ingressSelector"]?.stringValue, !name.isEmpty {
            environment.ingress.selector = ["istio": name]
        }
    }
}

/// What Istio's `ProxyConfig` says of one proxy or of all: `defaultConfig` of the mesh, or the annotation of a pod.
struct ProxySettings: Sendable, Hashable {
    /// How many proxies before the gateway are trusted.
    private(set) var trustedProxies: Int?
    /// Whether it takes HTTP/1.0.
    private(set) var takesHTTP10: Bool?
    /// Whether its connection settings normalise paths in another way than the mesh says (connection_settings.go).
    private(set) var changesPaths: Bool?

    /// Says nothing.
    init() {}

    /// Reads a `ProxyConfig`.
    init(_ config: JSONValue) {
        if case .integer(let number) = config["gatewayTopology"]?["numTrustedProxies"] ?? .null,
            (0...100).contains(number)
        {
            trustedProxies = number
        }
        if let word = config["proxyMetadata"]?["ISTIO_META_HTTP10"] {
            takesHTTP10 = word.stringValue == "1" || word == .integer(1)
        }
        if let connections = config["connectionSettings"] {
            let action = connections["httpPathWithEscapedSlashesAction"]?.stringValue ?? "KEEP_UNCHANGED"
            changesPaths =
                connections["profile"]?.stringValue == "EDGE" || connections["httpMergeSlashes"]?.boolValue == true
                || action != "KEEP_UNCHANGED"
        }
    }

    /// Reads the annotation `proxy.istio.io/config` of a pod, which is YAML.
    init(annotation: String?) {
        let config = annotation.flatMap { try? YAMLDocuments.parse($0).first?.value }
        self.init(config ?? .null)
    }

    /// The same, with what another says where this one says nothing.
    func filled(from other: Self) -> Self {
        var filled = self
        filled.trustedProxies = trustedProxies ?? other.trustedProxies
        filled.takesHTTP10 = takesHTTP10 ?? other.takesHTTP10
        filled.changesPaths = changesPaths ?? other.changesPaths
        return filled
    }

    /// Takes it over, but for what the agent's own configuration says.
    func apply(to environment: inout RouteEnvironment, under configuration: Configuration) {
        if !configuration.gateway.namesTrustedProxies, let trustedProxies {
            environment.trustedProxies = trustedProxies
        }
        if !configuration.gateway.namesHTTP10, let takesHTTP10 { environment.takesHTTP10 = takesHTTP10 }
    }
}
