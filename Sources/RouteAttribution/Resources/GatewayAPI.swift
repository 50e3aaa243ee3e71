// Wingmirror · Apache-2.0
// Kubernetes Gateway API, apis/v1.

/// A GatewayClass: whether Istio serves its Gateways.
struct GatewayClass: Sendable, Hashable {
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

    /// One listener.
    struct Listener: Sendable, Hashable {
        var name: String
        var port: Int
        var protocolName: String
        var hostname: String
        /// `Same`, `All` or `Selector`.
        var allowedNamespaces: String
        var namespaceSelector: LabelSelector
        /// The kinds of routes admitted; empty admits what the protocol carries.
        var allowedKinds: [String]
        var tlsMode: String?
    }

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        className = try spec.string("gatewayClassName") ?? ""
        listeners = try spec.list("listeners") { entry throws(ResourceError) in try Listener(entry) }
    }
}

extension APIGateway.Listener {
    init(_ reader: FieldReader) throws(ResourceError) {
        name = try reader.string("name") ?? ""
        port = try reader.integer("port") ?? 0
        protocolName = try reader.string("protocol") ?? ""
        hostname = try reader.string("hostname") ?? ""
        allowedNamespaces = "Same"
        namespaceSelector = LabelSelector()
        allowedKinds = []
        if let allowed = try reader.field("allowedRoutes") {
            if let namespaces = try allowed.field("namespaces") {
                allowedNamespaces = try namespaces.string("from") ?? "Same"
                namespaceSelector =
                    try namespaces.object("selector") { field throws(ResourceError) in
                        try LabelSelector(field)
                    } ?? LabelSelector()
            }
            allowedKinds = try allowed.list("kinds") { entry throws(ResourceError) in try entry.string("kind") ?? "" }
        }
        tlsMode = try reader.object("tls") { field throws(ResourceError) in
            try field.string("mode") ?? "Terminate"
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

    /// Whether HTTPRoutes of `namespace` may use that Service of this grant's namespace.
    func admits(routesOf namespace: String, toService name: String) -> Bool {
        from.contains {
            $0.group == "gateway.networking.k8s.io" && $0.kind == "HTTPRoute" && $0.scope == namespace
        }
            && to.contains {
                $0.group.isEmpty && $0.kind == "Service" && ($0.scope.isEmpty || $0.scope == name)
            }
    }
}
