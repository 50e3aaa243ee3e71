// Wingmirror · Apache-2.0

internal import JSONSyntax

/// An Istio VirtualService, or what istiod makes of routes of other kinds.
struct VirtualService: Sendable, Hashable {
    /// Name, namespace and age.
    var metadata: ObjectMetadata
    /// The hosts; none makes the object a delegate.
    var hosts: [String]
    /// The gateways as written; none means `mesh`.
    var gateways: [String]
    /// The visibility as written; none means the mesh's default.
    var exportTo: [String]
    /// The HTTP rules in order; `nil` stands for a null entry.
    var http: [HTTPRule?]
    /// The TLS rules, which carry no HTTP but count for validation.
    var tls: [OpaqueRule]
    /// The TCP rules, which carry no HTTP but count for validation.
    var tcp: [OpaqueRule]
    /// What users wrote to bring this object about.
    var origin: ObjectIdentity
    /// Whether istiod makes it of routes of the Gateway API.
    var isFromGatewayAPI = false

    init(_ object: FieldReader) throws(ResourceError) {
        metadata = try ObjectMetadata(object, isNamespaced: true)
        origin = ObjectIdentity(kind: "VirtualService", namespace: metadata.namespace, name: metadata.name)
        let spec = try object.field("spec") ?? FieldReader(.emptyObject, path: object.path.member("spec"))
        hosts = try spec.strings("hosts")
        gateways = try spec.strings("gateways")
        exportTo = try spec.strings("exportTo")
        http = try spec.list("http") { rule throws(ResourceError) in rule.value == .null ? nil : try HTTPRule(rule) }
        tls = try spec.list("tls") { rule throws(ResourceError) in try OpaqueRule(rule) }
        tcp = try spec.list("tcp") { rule throws(ResourceError) in try OpaqueRule(rule) }
    }

    /// Makes an object that stands for routes of another kind.
    ///
    /// istiod gives it no `exportTo`, so that the mesh's default decides who sees it (virtualservice_controller.go
    /// mergeVirtualServices, push_context.go initVirtualServices).
    init(
        metadata: ObjectMetadata,
        hosts: [String],
        gateways: [String],
        rules: [HTTPRule],
        tls: [OpaqueRule] = [],
        origin: ObjectIdentity
    ) {
        self.metadata = metadata
        self.hosts = hosts
        self.gateways = gateways
        exportTo = []
        http = rules
        self.tls = tls
        tcp = []
        self.origin = origin
    }

    /// Whether the object serves nothing by itself.
    var isDelegate: Bool { hosts.isEmpty }

    /// Whether the object also routes calls between services.
    var appliesToMesh: Bool { gateways.isEmpty || gateways.contains("mesh") }
}

/// A rule for TLS or TCP connections, as far as validation and the choice of a TLS server look at it.
struct OpaqueRule: Sendable, Hashable {
    /// One match entry.
    struct Match: Sendable, Hashable {
        var sniHosts: [String]
        var port: Int?
        var gateways: [String]
    }

    /// The match entries.
    var matches: [Match]
    /// Where connections go.
    var route: [WeightedDestination]
    /// The object and rule to report, where another object holds the rule.
    var origin = RuleOrigin()

    /// Makes a rule that stands for one of another kind.
    init(matches: [Match], route: [WeightedDestination], origin: RuleOrigin) {
        self.matches = matches
        self.route = route
        self.origin = origin
    }

    init(_ rule: FieldReader) throws(ResourceError) {
        try rule.requireObject()
        matches = try rule.list("match") { entry throws(ResourceError) in
            let port = try entry.integer("port")
            return Match(
                sniHosts: try entry.strings("sniHosts"),
                port: port == 0 ? nil : port,
                gateways: try entry.strings("gateways")
            )
        }
        route = try rule.list("route") { entry throws(ResourceError) in try WeightedDestination(entry) }
    }
}

extension JSONValue {
    static var emptyObject: JSONValue {
        // No members, so no key can occur twice.
        guard let mapping = try? JSONObject([]) else { return .null }
        return .object(mapping)
    }
}
