// Wingmirror · Apache-2.0

/// A kind of object that the agent reads, and the versions in which it can.
package struct WatchedKind: Sendable, Hashable {
    /// The kind.
    package let kind: String
    /// Its API group; empty for the core group.
    package let group: String
    /// The plural name in lower case.
    package let resource: String
    /// The versions that are understood, the preferred one first.
    package let versions: [String]

    /// Names a kind.
    package init(_ kind: String, group: String, resource: String, versions: [String]) {
        self.kind = kind
        self.group = group
        self.resource = resource
        self.versions = versions
    }

    /// The collection of all its objects in a version.
    func collection(version: String, namespace: String? = nil) -> ResourceCollection {
        ResourceCollection(
            GroupVersionResource(group: group, version: version, resource: resource),
            kind: kind,
            namespace: namespace
        )
    }
}

extension WatchedKind {
    private static func istio(_ kind: String, _ resource: String) -> WatchedKind {
        WatchedKind(kind, group: "networking.istio.io", resource: resource, versions: ["v1", "v1beta1", "v1alpha3"])
    }

    private static func gatewayAPI(_ kind: String, _ resource: String, _ versions: [String]) -> WatchedKind {
        WatchedKind(kind, group: "gateway.networking.k8s.io", resource: resource, versions: versions)
    }

    /// Namespaces, which have none themselves.
    package static let namespaces = WatchedKind("Namespace", group: "", resource: "namespaces", versions: ["v1"])

    /// The kinds of which route tables are made, or that can change what gateways do besides.
    package static let routing: [WatchedKind] =
        [
            istio("Gateway", "gateways"),
            istio("VirtualService", "virtualservices"),
            istio("DestinationRule", "destinationrules"),
            istio("ServiceEntry", "serviceentries"),
            gatewayAPI("GatewayClass", "gatewayclasses", ["v1", "v1beta1"]),
            gatewayAPI("Gateway", "gateways", ["v1", "v1beta1"]),
            gatewayAPI("HTTPRoute", "httproutes", ["v1", "v1beta1"]),
            gatewayAPI("GRPCRoute", "grpcroutes", ["v1", "v1alpha2"]),
            gatewayAPI("TLSRoute", "tlsroutes", ["v1", "v1alpha3", "v1alpha2"]),
            gatewayAPI("ListenerSet", "listenersets", ["v1"]),
            gatewayAPI("ReferenceGrant", "referencegrants", ["v1", "v1beta1"]),
            WatchedKind("Ingress", group: "networking.k8s.io", resource: "ingresses", versions: ["v1"]),
            WatchedKind("IngressClass", group: "networking.k8s.io", resource: "ingressclasses", versions: ["v1"]),
            WatchedKind("Service", group: "", resource: "services", versions: ["v1"]),
            namespaces,
        ] + extensions

    /// The kinds that can change what gateways do and are not modelled: their objects are named, and no route is made of them.
    package static let extensions: [WatchedKind] = [
        WatchedKind("EnvoyFilter", group: "networking.istio.io", resource: "envoyfilters", versions: ["v1alpha3"]),
        WatchedKind("WasmPlugin", group: "extensions.istio.io", resource: "wasmplugins", versions: ["v1alpha1"]),
        WatchedKind(
            "XListenerSet",
            group: "gateway.networking.x-k8s.io",
            resource: "xlistenersets",
            versions: ["v1alpha1"]
        ),
    ]

    /// The kinds whose addresses no shadow traffic may be sent to; followed only where something is mirrored.
    package static let production: [WatchedKind] = [
        WatchedKind("EndpointSlice", group: "discovery.k8s.io", resource: "endpointslices", versions: ["v1"]),
        WatchedKind("Node", group: "", resource: "nodes", versions: ["v1"]),
    ]

    /// The kinds that no namespace holds.
    private static let clusterScoped: Set<String> = ["GatewayClass", "IngressClass", "Namespace", "Node"]

    /// Whether routes are made of its objects.
    var makesRoutes: Bool { !Self.extensions.contains(self) }

    /// Whether it is the kind of that name in the group.
    func isNamed(_ kind: String, group: String) -> Bool { self.kind == kind && self.group == group }

    /// Whether objects of the kind lie in namespaces.
    package var isNamespaced: Bool { !Self.clusterScoped.contains(kind) }
}
