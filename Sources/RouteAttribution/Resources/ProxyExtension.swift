// Wingmirror · Apache-2.0

internal import JSONSyntax

/// An object that can change what gateways do with requests, and is not modelled: EnvoyFilter, WasmPlugin, XListenerSet.
struct ProxyExtension: Sendable, Hashable {
    /// What it is.
    let identity: ObjectIdentity
    /// The labels of the pods that it is for; empty for all.
    private let selector: [String: String]
    /// Whether all that it changes are proxies beside services.
    private let isForSidecars: Bool
    private let location: ObjectLocation?

    /// Whether objects of that kind are extensions.
    static func includes(group: String, kind: String) -> Bool {
        switch group {
        case "networking.istio.io": kind == "EnvoyFilter"
        case "extensions.istio.io": kind == "WasmPlugin"
        case "gateway.networking.x-k8s.io": kind == "XListenerSet"
        default: false
        }
    }

    /// Reads which proxies it is for; what does not fit there narrows nothing.
    ///
    /// - Throws: where it has no name.
    init(_ object: FieldReader, kind: String, at location: ObjectLocation?) throws(ResourceError) {
        identity = try ObjectMetadata(object, isNamespaced: true).identity(kind: kind)
        self.location = location
        let spec = object.value["spec"]
        let labels = spec?["workloadSelector"]?["labels"] ?? spec?["selector"]?["matchLabels"]
        var selector: [String: String] = [:]
        if case .object(let pairs) = labels ?? .null {
            for pair in pairs.members { selector[pair.key] = pair.value.stringValue }
        }
        self.selector = selector
        let contexts = (spec?["configPatches"]?.arrayValue ?? []).map { $0["match"]?["context"]?.stringValue ?? "ANY" }
        isForSidecars = !contexts.isEmpty && contexts.allSatisfy { $0.hasPrefix("SIDECAR_") }
    }

    /// Whether it may change what the gateway does, as far as its namespace and its labels tell.
    ///
    /// Those of the mesh's root namespace are for all namespaces (EnvoyFilter and WasmPlugin in Istio's reference). A label that
    /// the gateway's pods are not known to have rules nothing out: files rarely name all of them. Files rarely say either in which
    /// namespace the pods are, so there the pods' own labels are enough.
    func mayReach(_ environment: RouteEnvironment, apiGateways: [APIGateway]) -> Bool {
        guard identity.kind != "XListenerSet" else { return true }
        let isNear =
            [environment.namespace, environment.rootNamespace].contains(identity.namespace)
            || apiGateways.contains { $0.metadata.namespace == identity.namespace }
            || (!environment.holdsWholeCluster && !selector.isEmpty && selector.isContained(in: environment.labels))
        return isNear && !isForSidecars
            && selector.allSatisfy { environment.labels[$0.key] == nil || environment.labels[$0.key] == $0.value }
    }

    /// What is to be known of it.
    var finding: RouteFinding {
        RouteFinding(
            object: identity,
            severity: .note,
            code: .notModelled,
            path: "",
            message: "can change what the gateway does with requests, and is not modelled: answers leave it out",
            location: location
        )
    }
}
