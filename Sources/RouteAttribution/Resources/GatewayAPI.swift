// Wingmirror · Apache-2.0
// Kubernetes Gateway API, apis/v1.

/// A GatewayClass: whether Istio serves its Gateways.
struct GatewayClass: Sendable, Hashable {
    /// The API group of all its kinds.
    static let group = "gateway.networking.k8s.io"

    var metadata: ObjectMetadata
    var controllerName: String

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: false)
        controllerName = try object.field("spec")?.string("controllerName") ?? ""
    }
}

/// A Gateway of the Gateway API.
struct APIGateway: Sendable, Hashable {
    var metadata: ObjectMetadata
    var className: String
    var listeners: [Listener]
    /// The hosts in `spec.addresses` of the Services whose pods serve the Gateway; `nil` where istiod deploys pods for it.
    var addressedHosts: [String]?
    /// Which namespaces may add listeners by ListenerSets.
    var allowedListeners: NamespaceAdmission

    /// One listener.
    struct Listener: Sendable, Hashable {
        var name: String
        var port: Int
        var protocolName: String
        var hostname: String
        /// Which namespaces may attach routes.
        var allowedNamespaces: NamespaceAdmission
        /// The kinds of routes admitted; empty admits what the protocol carries.
        var allowedKinds: [String]
        var tlsMode: String?
        /// What the listener's certificates are, in order.
        var certificates: [Certificate]
        /// `tls.options["gateway.istio.io/tls-terminate-mode"]`; empty without it.
        var terminateMode: String

        /// Where a certificate is.
        struct Certificate: Sendable, Hashable {
            /// Whether the reference is to a Secret; Istio reads no other kind.
            var isSecret: Bool
            /// The namespace; `nil` for the listener's own.
            var namespace: String?
            var name: String
        }

        /// Whether its clients speak TLS.
        var isSecured: Bool { ["HTTPS", "TLS"].contains(protocolName) }

        /// Whether routes of that kind may attach.
        func admits(kind: String) -> Bool {
            guard allowedKinds.isEmpty else { return allowedKinds.contains(kind) }
            return switch protocolName {
            case "HTTP", "HTTPS": kind == "HTTPRoute" || kind == "GRPCRoute"
            case "TLS": kind == "TLSRoute"
            default: false
            }
        }
    }

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        className = try spec.string("gatewayClassName") ?? ""
        listeners = try spec.list("listeners") { entry throws(ResourceError) in try Listener(entry) }
        let addresses = try spec.list("addresses") { entry throws(ResourceError) in
            (kind: try entry.string("type") ?? "IPAddress", value: try entry.string("value") ?? "")
        }
        // One IP address is for the Service that istiod makes (IsManaged); of several, and of other kinds, hosts alone count.
        let isManaged = addresses.isEmpty || addresses.count == 1 && addresses[0].kind == "IPAddress"
        addressedHosts = isManaged ? nil : addresses.filter { $0.kind == "Hostname" }.map(\.value)
        allowedListeners = NamespaceAdmission(from: "None")
        if let namespaces = try spec.field("allowedListeners")?.field("namespaces") {
            allowedListeners = try NamespaceAdmission(namespaces, default: "None")
        }
    }

    /// The Services whose pods serve the Gateway, as `namespace/name`; empty where addresses name none of its namespace.
    ///
    /// After extractGatewayServices (conversion.go) and mergeGateways (push_context.go), which looks at Services of the Gateway's
    /// namespace alone.
    var services: [String] {
        guard let addressedHosts else {
            let name = metadata.annotations["gateway.istio.io/name-override"] ?? "\(metadata.name)-\(className)"
            return ["\(metadata.namespace)/\(name)"]
        }
        return addressedHosts.compactMap { host in
            // A name without dots, or the whole host: name.namespace.svc and the cluster's domain.
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            let isOwn = parts.count == 1 || parts.count > 3 && parts[1] == metadata.namespace && parts[2] == "svc"
            return isOwn && !parts[0].isEmpty ? "\(metadata.namespace)/\(parts[0])" : nil
        }
    }
}

/// A ListenerSet: listeners that another object adds to a Gateway.
struct ListenerSet: Sendable, Hashable {
    var metadata: ObjectMetadata
    var parentName: String
    var parentNamespace: String
    var listeners: [APIGateway.Listener]

    init(_ object: FieldReader) throws(ResourceError) {
        let metadata = try ObjectMetadata(object, isNamespaced: true)
        self.metadata = metadata
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        let parent = try spec.field("parentRef")
        parentName = try parent?.string("name") ?? ""
        parentNamespace = try parent?.string("namespace") ?? metadata.namespace
        listeners = try spec.list("listeners") { entry throws(ResourceError) in
            var listener = try APIGateway.Listener(entry)
            if listener.port == 0 { listener.port = Self.usualPorts[listener.protocolName] ?? 0 }
            return listener
        }
    }

    /// What istiod takes where a listener of a set names no port (detectListenerPortNumber).
    private static let usualPorts = ["HTTP": 80, "HTTPS": 443]
}

/// Which namespaces may attach something: `None`, `Same`, `All` or `Selector`.
struct NamespaceAdmission: Sendable, Hashable {
    var from: String
    var selector = LabelSelector()

    init(from: String) {
        self.from = from
    }

    init(_ reader: FieldReader, default from: String) throws(ResourceError) {
        self.from = try reader.string("from") ?? from
        selector =
            try reader.object("selector") { field throws(ResourceError) in try LabelSelector(field) }
            ?? LabelSelector()
    }
}

extension APIGateway.Listener {
    init(_ reader: FieldReader) throws(ResourceError) {
        name = try reader.string("name") ?? ""
        port = try reader.integer("port") ?? 0
        protocolName = try reader.string("protocol") ?? ""
        hostname = try reader.string("hostname") ?? ""
        allowedNamespaces = NamespaceAdmission(from: "Same")
        allowedKinds = []
        certificates = []
        terminateMode = ""
        if let allowed = try reader.field("allowedRoutes") {
            if let namespaces = try allowed.field("namespaces") {
                allowedNamespaces = try NamespaceAdmission(namespaces, default: "Same")
            }
            allowedKinds = try allowed.list("kinds") { entry throws(ResourceError) in
                let group = try entry.string("group") ?? GatewayClass.group
                let kind = try entry.string("kind") ?? ""
                // A kind of another group is none that Istio knows.
                return group == GatewayClass.group ? kind : "\(group)/\(kind)"
            }
        }
        if let tls = try reader.field("tls") {
            tlsMode = try tls.string("mode") ?? "Terminate"
            certificates = try tls.list("certificateRefs") { entry throws(ResourceError) in
                let group = try entry.string("group") ?? ""
                let kind = try entry.string("kind") ?? "Secret"
                return Certificate(
                    isSecret: group.isEmpty && kind == "Secret",
                    namespace: try entry.string("namespace"),
                    name: try entry.string("name") ?? ""
                )
            }
            terminateMode = try tls.field("options")?.string("gateway.istio.io/tls-terminate-mode") ?? ""
        }
    }
}

/// A condition on labels.
struct LabelSelector: Sendable, Hashable {
    /// One entry of `matchExpressions`.
    struct Expression: Sendable, Hashable {
        var key: String
        var condition: String
        var values: [String]
    }

    var labels: [String: String] = [:]
    var expressions: [Expression] = []

    init() {}

    init(_ reader: FieldReader) throws(ResourceError) {
        labels = try reader.stringMap("matchLabels")
        expressions = try reader.list("matchExpressions") { entry throws(ResourceError) in
            Expression(
                key: try entry.string("key") ?? "",
                condition: try entry.string("operator") ?? "",
                values: try entry.strings("values")
            )
        }
    }

    /// Whether a set of labels fulfils every part.
    func selects(_ candidate: [String: String]) -> Bool {
        labels.isContained(in: candidate)
            && expressions.allSatisfy { expression in
                let value = candidate[expression.key]
                return switch expression.condition {
                case "In": value.map(expression.values.contains) ?? false
                case "NotIn": !(value.map(expression.values.contains) ?? false)
                case "Exists": value != nil
                case "DoesNotExist": value == nil
                default: false
                }
            }
    }
}

extension [String: String] {
    /// Whether every pair is also a pair of `other`.
    func isContained(in other: [String: String]) -> Bool {
        allSatisfy { other[$0.key] == $0.value }
    }
}

/// A ReferenceGrant: who may refer to Services of its namespace.
struct ReferenceGrant: Sendable, Hashable {
    /// A kind of objects in a namespace.
    struct Peer: Sendable, Hashable {
        var group: String
        var kind: String
        /// The namespace for `from`, the name for `to`; empty for any.
        var scope: String
    }

    var metadata: ObjectMetadata
    var from: [Peer]
    var to: [Peer]

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        func peers(_ key: String, scope: String) throws(ResourceError) -> [Peer] {
            try spec.list(key) { entry throws(ResourceError) in
                Peer(
                    group: try entry.string("group") ?? "",
                    kind: try entry.string("kind") ?? "",
                    scope: try entry.string(scope) ?? ""
                )
            }
        }
        from = try peers("from", scope: "namespace")
        to = try peers("to", scope: "name")
    }

    /// Whether objects of that kind and `namespace` may use that Service or Secret of this grant's namespace.
    func admits(_ kind: String, of namespace: String, to wanted: String, _ name: String) -> Bool {
        from.contains { $0.group == GatewayClass.group && $0.kind == kind && $0.scope == namespace }
            && to.contains { $0.group.isEmpty && $0.kind == wanted && ($0.scope.isEmpty || $0.scope == name) }
    }
}
