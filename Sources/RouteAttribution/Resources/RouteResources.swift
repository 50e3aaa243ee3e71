// Wingmirror · Apache-2.0

public import JSONSyntax

/// All objects that a route table is made from, sorted by kind.
public struct RouteResources: Sendable {
    var gateways: [Gateway] = []
    var virtualServices: [VirtualService] = []
    var destinationRules: [DestinationRule] = []
    var services: [Service] = []
    var serviceEntries: [ServiceEntry] = []
    var namespaces: [Namespace] = []
    var workloads: [Workload] = []
    var gatewayClasses: [GatewayClass] = []
    var apiGateways: [APIGateway] = []
    var httpRoutes: [HTTPRoute] = []
    var referenceGrants: [ReferenceGrant] = []
    var ingresses: [Ingress] = []
    var ingressClasses: [IngressClass] = []
    /// What could not be decoded.
    public private(set) var findings: [RouteFinding] = []
    private var places: [ObjectIdentity: Int] = [:]

    /// Makes an empty set.
    public init() {}

    /// Decodes objects; one that does not fit its kind is left out and reported.
    ///
    /// Kinds that have no part in routing are passed over, and the entries of `List` kinds are taken one by one. Of two
    /// objects with one identity the later counts, as if it had been applied after the other.
    public init(decoding objects: [JSONValue]) {
        for object in objects {
            add(object)
        }
    }

    /// Adds one object, or the entries of a `List`.
    public mutating func add(_ object: JSONValue) {
        if case .string(let kind) = object["kind"] ?? .null, kind.hasSuffix("List"),
            case .array(let items) = object["items"] ?? .null
        {
            for item in items {
                // Entries of a typed list may leave out what the list already says.
                add(item, impliedKind: String(kind.dropLast(4)), impliedVersion: object["apiVersion"])
            }
            return
        }
        add(object, impliedKind: "", impliedVersion: nil)
    }

    private mutating func add(_ object: JSONValue, impliedKind: String, impliedVersion: JSONValue?) {
        guard case .object = object else {
            refuse(kind: "Object", object, ResourceError(.root, "must be an object, not \(object.typeName)"))
            return
        }
        guard case .string(let version) = object["apiVersion"] ?? impliedVersion ?? .null else {
            refuse(kind: "Object", object, ResourceError(.root.member("apiVersion"), "is missing"))
            return
        }
        var kind = impliedKind
        if case .string(let written) = object["kind"] ?? .null { kind = written }
        guard !kind.isEmpty else {
            refuse(kind: "Object", object, ResourceError(.root.member("kind"), "is missing"))
            return
        }
        do throws(ResourceError) {
            try decode(FieldReader(object), kind: kind, version: version)
        } catch {
            refuse(kind: kind, object, error)
        }
    }

    private mutating func decode(_ object: FieldReader, kind: String, version: String) throws(ResourceError) {
        let group = version.split(separator: "/").count == 2 ? String(version.prefix { $0 != "/" }) : ""
        let release = version.split(separator: "/").last.map(String.init) ?? ""
        switch (group, kind) {
        case ("networking.istio.io", _) where !["v1", "v1beta1", "v1alpha3"].contains(release): return
        case ("networking.istio.io", "Gateway"):
            place(try Gateway(object), \.origin, in: \.gateways)
        case ("networking.istio.io", "VirtualService"):
            place(try VirtualService(object), \.origin, in: \.virtualServices)
        case ("networking.istio.io", "DestinationRule"):
            place(try DestinationRule(object), \.identity, in: \.destinationRules)
        case ("networking.istio.io", "ServiceEntry"):
            place(try ServiceEntry(object), \.identity, in: \.serviceEntries)
        case ("", "Service"):
            place(try Service(object), \.identity, in: \.services)
        case ("", "Namespace"):
            place(try Namespace(object), \.identity, in: \.namespaces)
        case ("gateway.networking.k8s.io", "GatewayClass"):
            place(try GatewayClass(object), \.identity, in: \.gatewayClasses)
        case ("gateway.networking.k8s.io", "Gateway"):
            place(try APIGateway(object), \.identity, in: \.apiGateways)
        case ("gateway.networking.k8s.io", "HTTPRoute"):
            place(try HTTPRoute(object), \.identity, in: \.httpRoutes)
        case ("gateway.networking.k8s.io", "ReferenceGrant"):
            place(try ReferenceGrant(object), \.identity, in: \.referenceGrants)
        case ("networking.k8s.io", "Ingress"):
            place(try Ingress(object), \.identity, in: \.ingresses)
        case ("networking.k8s.io", "IngressClass"):
            place(try IngressClass(object), \.identity, in: \.ingressClasses)
        case _ where Workload.includes(group: group, kind: kind):
            // A kind without a part in routing is never refused.
            guard let workload = try? Workload(object, kind: kind) else { return }
            place(workload, \.identity, in: \.workloads)
        default: return
        }
    }

    private mutating func place<Model>(
        _ model: Model,
        _ identity: KeyPath<Model, ObjectIdentity>,
        in list: WritableKeyPath<RouteResources, [Model]>
    ) {
        let key = model[keyPath: identity]
        if let index = places[key] {
            self[keyPath: list][index] = model
        } else {
            places[key] = self[keyPath: list].count
            self[keyPath: list].append(model)
        }
    }

    private mutating func refuse(kind: String, _ object: JSONValue, _ error: ResourceError) {
        var namespace = ""
        var name = "?"
        if let metadata = object["metadata"] {
            if case .string(let text) = metadata["name"] ?? .null { name = text }
            if case .string(let text) = metadata["namespace"] ?? .null { namespace = text }
        }
        if namespace.isEmpty, !["GatewayClass", "IngressClass", "Namespace", "Object"].contains(kind) {
            namespace = "default"
        }
        findings.append(
            RouteFinding(
                object: ObjectIdentity(kind: kind, namespace: namespace, name: name),
                severity: .error,
                code: .refusedObject,
                path: error.path,
                message: "\(error.path.isEmpty ? "the object" : error.path) \(error.message)"
            )
        )
    }
}
