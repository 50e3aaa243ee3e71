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
    var listenerSets: [ListenerSet] = []
    var httpRoutes: [HTTPRoute] = []
    var tlsRoutes: [TLSRoute] = []
    var referenceGrants: [ReferenceGrant] = []
    var ingresses: [Ingress] = []
    var ingressClasses: [IngressClass] = []
    var extensions: [ProxyExtension] = []
    /// What could not be decoded, and what is doubtful about the set as such.
    public private(set) var findings: [RouteFinding] = []
    /// How many objects have a part in routing.
    public private(set) var count = 0
    /// The namespace of objects whose manifest names none.
    public let defaultNamespace: String
    private var places: [ObjectIdentity: Place] = [:]
    /// What a kustomization beside the file says, while its objects are added.
    private var fileNamespace: String?

    /// Where an object lies, among the objects and in files.
    private struct Place {
        var index: Int
        var location: ObjectLocation?
    }

    /// Makes an empty set.
    ///
    /// - Parameter defaultNamespace: The namespace of objects whose manifest names none.
    public init(defaultNamespace: String = "default") {
        self.defaultNamespace = defaultNamespace
    }

    /// Decodes objects; one that does not fit its kind is left out and reported.
    ///
    /// Kinds that have no part in routing are passed over, and the entries of `List` kinds are taken one by one. Of two
    /// objects with one identity the later counts, as if it had been applied after the other; that is reported, unless
    /// one of them is only a patch, which then counts for nothing.
    public init(decoding objects: [JSONValue], defaultNamespace: String = "default") {
        self.init(defaultNamespace: defaultNamespace)
        for object in objects {
            add(object)
        }
    }

    /// Decodes objects of files.
    public init(decoding objects: [LocatedObject], defaultNamespace: String = "default") {
        self.init(defaultNamespace: defaultNamespace)
        for object in objects {
            fileNamespace = object.namespace
            add(object.value, at: object.location)
        }
        fileNamespace = nil
    }

    /// Takes over objects that were decoded before, such as one object of many that has not changed.
    ///
    /// - Parameter part: The objects, decoded with the same default namespace.
    /// - Returns: `false`, with nothing taken, where one of them is there already: then the manifests say which counts.
    public mutating func append(_ part: RouteResources) -> Bool {
        guard part.places.keys.allSatisfy({ places[$0] == nil }) else { return false }
        Self.join(part.gateways, \.origin, from: part.places, to: &gateways, &places)
        Self.join(part.virtualServices, \.origin, from: part.places, to: &virtualServices, &places)
        Self.join(part.destinationRules, \.identity, from: part.places, to: &destinationRules, &places)
        Self.join(part.services, \.identity, from: part.places, to: &services, &places)
        Self.join(part.serviceEntries, \.identity, from: part.places, to: &serviceEntries, &places)
        Self.join(part.namespaces, \.identity, from: part.places, to: &namespaces, &places)
        Self.join(part.workloads, \.identity, from: part.places, to: &workloads, &places)
        Self.join(part.gatewayClasses, \.identity, from: part.places, to: &gatewayClasses, &places)
        Self.join(part.apiGateways, \.identity, from: part.places, to: &apiGateways, &places)
        Self.join(part.listenerSets, \.identity, from: part.places, to: &listenerSets, &places)
        Self.join(part.httpRoutes, \.identity, from: part.places, to: &httpRoutes, &places)
        Self.join(part.tlsRoutes, \.identity, from: part.places, to: &tlsRoutes, &places)
        Self.join(part.referenceGrants, \.identity, from: part.places, to: &referenceGrants, &places)
        Self.join(part.ingresses, \.identity, from: part.places, to: &ingresses, &places)
        Self.join(part.ingressClasses, \.identity, from: part.places, to: &ingressClasses, &places)
        extensions += part.extensions
        findings += part.findings
        count += part.count
        return true
    }

    private static func join<Model>(
        _ models: [Model],
        _ identity: KeyPath<Model, ObjectIdentity>,
        from known: [ObjectIdentity: Place],
        to list: inout [Model],
        _ places: inout [ObjectIdentity: Place]
    ) {
        // Of one object's kinds all but one are empty.
        guard !models.isEmpty else { return }
        for model in models {
            let key = model[keyPath: identity]
            places[key] = Place(index: list.count, location: known[key]?.location)
            list.append(model)
        }
    }

    /// Where an object was written; `nil` where that is not known.
    public func location(of object: ObjectIdentity) -> ObjectLocation? { places[object]?.location }

    /// Findings with the places of their objects, each once.
    public func located(_ findings: [RouteFinding]) -> [RouteFinding] {
        var seen: Set<RouteFinding> = []
        return findings.compactMap { finding in
            var finding = finding
            if finding.location == nil { finding.location = location(of: finding.object) }
            return seen.insert(finding).inserted ? finding : nil
        }
    }

    /// Adds one object, or the entries of a `List`.
    public mutating func add(_ object: JSONValue, at location: ObjectLocation? = nil) {
        add(object, impliedKind: "", impliedVersion: nil, at: location, depth: 0)
    }

    /// How deep lists may lie in each other: `kubectl` joins lists of lists, and nothing writes more than three.
    private static let listDepth = 16

    private mutating func add(
        _ object: JSONValue,
        impliedKind: String,
        impliedVersion: JSONValue?,
        at location: ObjectLocation?,
        depth: Int
    ) {
        guard case .string(let kind) = object["kind"] ?? .null, kind.hasSuffix("List"),
            case .array(let items) = object["items"] ?? .null
        else {
            return add(object, impliedKind: impliedKind, impliedVersion: impliedVersion, at: location)
        }
        guard depth < Self.listDepth else {
            let error = ResourceError(.root, "is a list within more than \(Self.listDepth) others")
            return refuse(kind: kind, object, error, location)
        }
        for item in items {
            // Entries of a typed list may leave out what the list already says.
            add(
                item,
                impliedKind: String(kind.dropLast(4)),
                impliedVersion: object["apiVersion"],
                at: location,
                depth: depth + 1
            )
        }
    }

    private mutating func add(
        _ object: JSONValue,
        impliedKind: String,
        impliedVersion: JSONValue?,
        at location: ObjectLocation?
    ) {
        guard case .object = object else {
            refuse(kind: "Object", object, ResourceError(.root, "must be an object, not \(object.typeName)"), location)
            return
        }
        var kind = impliedKind
        if case .string(let written) = object["kind"] ?? .null { kind = written }
        guard !kind.isEmpty else {
            refuse(kind: "Object", object, ResourceError(.root.member("kind"), "is missing"), location)
            return
        }
        guard case .string(let version) = object["apiVersion"] ?? impliedVersion ?? .null else {
            // A patch or a kustomization may leave it out; only of the kinds that route is it missed.
            if RouteKinds.all.contains(kind) {
                refuse(kind: kind, object, ResourceError(.root.member("apiVersion"), "is missing"), location)
            }
            return
        }
        do throws(ResourceError) {
            try decode(FieldReader(object), kind: kind, version: version, at: location)
        } catch {
            refuse(kind: kind, object, error, location)
        }
    }

    private mutating func decode(
        _ object: FieldReader,
        kind: String,
        version: String,
        at location: ObjectLocation?
    ) throws(ResourceError) {
        let group = version.split(separator: "/").count == 2 ? String(version.prefix { $0 != "/" }) : ""
        let release = version.split(separator: "/").last.map(String.init) ?? ""
        func place<Model: Equatable>(
            _ model: Model,
            _ identity: KeyPath<Model, ObjectIdentity>,
            in list: WritableKeyPath<RouteResources, [Model]>,
            isPartial: ((Model) -> Bool)? = nil
        ) {
            self.place(model, identity, in: list, object.value, at: location, isPartial: isPartial ?? { _ in false })
        }
        switch (group, kind) {
        case _ where ProxyExtension.includes(group: group, kind: kind):
            extensions.append(try ProxyExtension(named(object), kind: kind, at: location))
        case ("networking.istio.io", _) where !["v1", "v1beta1", "v1alpha3"].contains(release): return
        case ("networking.istio.io", "Gateway"):
            place(try Gateway(named(object)), \.origin, in: \.gateways) { $0.servers.isEmpty }
        case ("networking.istio.io", "VirtualService"):
            place(try VirtualService(named(object)), \.origin, in: \.virtualServices) { service in
                (service.http.isEmpty && service.tls.isEmpty && service.tcp.isEmpty)
                    || (service.hosts.isEmpty && service.gateways.isEmpty)
            }
        case ("networking.istio.io", "DestinationRule"):
            place(try DestinationRule(named(object)), \.identity, in: \.destinationRules) { $0.host.isEmpty }
        case ("networking.istio.io", "ServiceEntry"):
            place(try ServiceEntry(named(object)), \.identity, in: \.serviceEntries) { $0.hosts.isEmpty }
        case ("", "Service"):
            place(try Service(named(object)), \.identity, in: \.services) { service in
                service.ports.isEmpty && service.externalName.isEmpty
            }
        case ("", "Namespace"):
            place(try Namespace(object), \.identity, in: \.namespaces)
        case ("gateway.networking.k8s.io", "GatewayClass"):
            place(try GatewayClass(object), \.identity, in: \.gatewayClasses)
        case ("gateway.networking.k8s.io", "Gateway"):
            place(try APIGateway(named(object)), \.identity, in: \.apiGateways) { $0.listeners.isEmpty }
        case ("gateway.networking.k8s.io", "ListenerSet"):
            place(try ListenerSet(named(object)), \.identity, in: \.listenerSets) { $0.listeners.isEmpty }
        case ("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.networking.k8s.io", "GRPCRoute"):
            place(try HTTPRoute(named(object), kind: kind), \.identity, in: \.httpRoutes) { route in
                !route.namesRules || route.rules.isEmpty || route.parents.isEmpty
            }
        case ("gateway.networking.k8s.io", "TLSRoute"):
            place(try TLSRoute(named(object)), \.identity, in: \.tlsRoutes) { $0.rules.isEmpty }
        case ("gateway.networking.k8s.io", "ReferenceGrant"):
            place(try ReferenceGrant(named(object)), \.identity, in: \.referenceGrants)
        case ("networking.k8s.io", "Ingress"):
            place(try Ingress(named(object)), \.identity, in: \.ingresses) { $0.rules.isEmpty }
        case ("networking.k8s.io", "IngressClass"):
            place(try IngressClass(object), \.identity, in: \.ingressClasses)
        case _ where Workload.includes(group: group, kind: kind): placeWorkload(object, kind: kind, at: location)
        default: return
        }
    }

    /// Takes a workload in; one that cannot be read is passed over, since its kind has no part in routing.
    private mutating func placeWorkload(_ object: FieldReader, kind: String, at location: ObjectLocation?) {
        guard let workload = try? Workload(named(object), kind: kind) else { return }
        let key = workload.identity
        if let known = places[key] {
            workloads[known.index] = workload
        } else {
            places[key] = Place(index: workloads.count, location: location)
            workloads.append(workload)
        }
    }

    private func named(_ object: FieldReader) -> FieldReader {
        FieldReader(object.value, path: object.path, defaultNamespace: fileNamespace ?? defaultNamespace)
    }

    // MARK: - Two of one identity

    private mutating func place<Model: Equatable>(
        _ model: Model,
        _ identity: KeyPath<Model, ObjectIdentity>,
        in list: WritableKeyPath<RouteResources, [Model]>,
        _ object: JSONValue,
        at location: ObjectLocation?,
        isPartial: (Model) -> Bool
    ) {
        let key = model[keyPath: identity]
        guard let known = places[key] else {
            places[key] = Place(index: self[keyPath: list].count, location: location)
            self[keyPath: list].append(model)
            count += 1
            findings += FieldCheck.findings(in: object, of: key).map { $0.located(at: location) }
            return
        }
        // The same file named twice is one file.
        if location != nil, location == known.location { return }
        let earlier = self[keyPath: list][known.index]
        if isPatch(object) || (isPartial(model) && !isPartial(earlier)) {
            reportPatch(key, base: known.location, patch: location)
        } else if isPartial(earlier), !isPartial(model) {
            reportPatch(key, base: location, patch: known.location)
            replace(model, in: list, known, key, location)
        } else {
            reportDuplicate(key, known.location, location, isSame: earlier == model)
            replace(model, in: list, known, key, location)
        }
    }

    private mutating func replace<Model>(
        _ model: Model,
        in list: WritableKeyPath<RouteResources, [Model]>,
        _ known: Place,
        _ key: ObjectIdentity,
        _ location: ObjectLocation?
    ) {
        self[keyPath: list][known.index] = model
        places[key] = Place(index: known.index, location: location)
    }

    /// Whether a manifest has directives that only kustomize understands.
    private func isPatch(_ object: JSONValue) -> Bool {
        object["$patch"] != nil || object["metadata"]?["$patch"] != nil || object["spec"]?["$patch"] != nil
    }

    private mutating func reportPatch(_ object: ObjectIdentity, base: ObjectLocation?, patch: ObjectLocation?) {
        findings.append(
            RouteFinding(
                object: object,
                severity: .warning,
                code: .kustomizePatch,
                path: "",
                message:
                    "is in \(Self.name(base)) and, in part, in \(Self.name(patch)): the latter looks like a kustomize patch "
                    + "and is passed over; check what `kubectl kustomize` renders instead",
                location: patch
            )
        )
    }

    private mutating func reportDuplicate(
        _ object: ObjectIdentity,
        _ first: ObjectLocation?,
        _ second: ObjectLocation?,
        isSame: Bool
    ) {
        findings.append(
            RouteFinding(
                object: object,
                severity: isSame ? .warning : .error,
                code: .duplicateObject,
                path: "",
                message: isSame
                    ? "is in \(Self.name(first)) and in \(Self.name(second)), with the same content"
                    : "is in \(Self.name(first)) and in \(Self.name(second)), and they differ; the second counts, but a cluster "
                        + "holds only one: check the environments one by one",
                location: second
            )
        )
    }

    private static func name(_ location: ObjectLocation?) -> String {
        location?.description ?? "another document"
    }

    private mutating func refuse(
        kind: String,
        _ object: JSONValue,
        _ error: ResourceError,
        _ location: ObjectLocation?
    ) {
        var namespace = ""
        var name = "?"
        if let metadata = object["metadata"] {
            if case .string(let text) = metadata["name"] ?? .null { name = text }
            if case .string(let text) = metadata["namespace"] ?? .null { namespace = text }
        }
        if namespace.isEmpty, !["GatewayClass", "IngressClass", "Namespace", "Object"].contains(kind) {
            namespace = defaultNamespace
        }
        count += 1
        findings.append(
            RouteFinding(
                object: ObjectIdentity(kind: kind, namespace: namespace, name: name),
                severity: .error,
                code: .refusedObject,
                path: error.path,
                message: "\(error.path.isEmpty ? "the object" : error.path) \(error.message)",
                location: location
            )
        )
    }
}

/// The kinds that have a part in routing.
enum RouteKinds {
    static let all: Set<String> = [
        "Gateway", "VirtualService", "DestinationRule", "ServiceEntry", "HTTPRoute", "GRPCRoute", "TLSRoute",
        "ListenerSet", "GatewayClass", "ReferenceGrant", "Ingress", "IngressClass",
    ]
}

/// Where an object was written.
public struct ObjectLocation: Sendable, Hashable, CustomStringConvertible {
    /// The file, as its path was given.
    public let file: String
    /// The line of the object's first field, from 1.
    public let line: Int

    /// Names a place.
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`.
    public var description: String { "\(file):\(line)" }
}

/// An object and where it was written.
public struct LocatedObject: Sendable {
    /// The manifest.
    public let value: JSONValue
    /// The place; `nil` where it comes from no file.
    public let location: ObjectLocation?
    /// The namespace that a kustomization gives to objects of the file that name none.
    public let namespace: String?

    /// Puts them together.
    public init(value: JSONValue, location: ObjectLocation?, namespace: String? = nil) {
        self.value = value
        self.location = location
        self.namespace = namespace
    }
}
