// Wingmirror · Apache-2.0
// What istiod makes of Gateway API objects: istio pilot/pkg/config/kube/gateway/conversion.go.

/// Turns Gateways and routes of the Gateway API into Istio's own objects.
struct HTTPRouteConversion {
    private(set) var gateways: [Gateway] = []
    private(set) var virtualServices: [VirtualService] = []
    private(set) var findings: [RouteFinding] = []

    private let resources: RouteResources
    private let environment: RouteEnvironment
    private let catalog: ServiceCatalog
    private let listeners: APIListeners

    /// Routes that share a hostname on a listener are ranked together.
    private struct MergeKey: Hashable {
        let reference: String
        let hostname: String
    }

    /// One match of one rule, with all that ranks it.
    private struct Candidate {
        let route: HTTPRoute
        let rule: Int
        let match: Int
        let condition: HTTPRouteMatch
        let converted: HTTPRule
    }

    init(_ resources: RouteResources, environment: RouteEnvironment, catalog: ServiceCatalog) {
        self.resources = resources
        self.environment = environment
        self.catalog = catalog
        listeners = APIListeners(resources, environment: environment)
        gateways = listeners.all.filter(\.isUsed).map(\.internalGateway)
        findings = listeners.findings
        var groups: [MergeKey: [Candidate]] = [:]
        var order: [MergeKey] = []
        for route in resources.httpRoutes {
            let keys = attach(route)
            guard let candidates = convert(route) else { continue }
            for key in keys {
                if groups[key] == nil { order.append(key) }
                groups[key, default: []] += candidates
            }
        }
        for key in order {
            let candidates = groups[key] ?? []
            noteMixedKinds(key, candidates)
            virtualServices.append(merged(key, candidates))
        }
        for route in resources.tlsRoutes { convert(route) }
    }

    private mutating func report(
        _ object: ObjectIdentity,
        _ code: FindingCode,
        _ path: String,
        _ message: String,
        severity: RouteFinding.Severity = .error
    ) {
        let finding = RouteFinding(object: object, severity: severity, code: code, path: path, message: message)
        if !findings.contains(finding) { findings.append(finding) }
    }

    /// Between 1.26.2 and 1.29 Istio kept only one of the two kinds.
    private mutating func noteMixedKinds(_ key: MergeKey, _ candidates: [Candidate]) {
        guard let first = candidates.first,
            let other = candidates.first(where: { $0.route.kind != first.route.kind })
        else { return }
        report(
            other.route.identity,
            .mixedRouteKinds,
            "spec.hostnames",
            "\(first.route.identity) has the hostname \(key.hostname) on the same listener; Istio ranks both kinds together "
                + "from 1.30 on, and from 1.26.2 to 1.29 keeps only one of them",
            severity: .warning
        )
    }

    // MARK: - Attachment

    private mutating func attach(_ route: HTTPRoute) -> [MergeKey] {
        var keys: [MergeKey] = []
        for (_, listener, hostnames) in served(route.identity, route.hostnames, route.parents) {
            for hostname in hostnames {
                let key = MergeKey(reference: listener.reference, hostname: hostname)
                if !keys.contains(key) { keys.append(key) }
            }
        }
        return keys
    }

    /// The listeners in use that take a route, by the number of the parent, each with the hostnames it serves; reports each
    /// parent by which none does.
    private mutating func served(
        _ route: ObjectIdentity,
        _ hostnames: [String],
        _ parents: [HTTPRoute.ParentReference]
    ) -> [(parent: Int, listener: APIListener, hostnames: [String])] {
        var served: [(parent: Int, listener: APIListener, hostnames: [String])] = []
        for (index, parent) in parents.enumerated() {
            // A parent of another kind, such as a Service for the mesh, is no concern of a gateway.
            guard parent.group == "gateway.networking.k8s.io", ["Gateway", "ListenerSet"].contains(parent.kind) else {
                continue
            }
            switch listeners.attachment(of: route, hostnames: hostnames, to: parent) {
            case .listeners(let found):
                for (listener, names) in found where listener.isUsed { served.append((index, listener, names)) }
            case .refused(let reason, let severity):
                report(route, .unattachedRoute, "spec.parentRefs[\(index)]", reason, severity: severity)
            }
        }
        return served
    }

    // MARK: - Rules

    /// Every (rule, match) pair of a route; `nil` when something in it makes the whole route produce nothing.
    private mutating func convert(_ route: HTTPRoute) -> [Candidate]? {
        var result: [Candidate] = []
        for (index, rule) in route.rules.enumerated() {
            guard let converted = convert(rule, index, of: route) else { return nil }
            guard !rule.matches.isEmpty || (route.kind == "HTTPRoute" && !rule.hasEmptyMatches) else {
                // A GRPCRoute's rule without matches has no condition at all, and no entry to report; so has one of an HTTPRoute
                // whose list is empty.
                result.append(
                    Candidate(
                        route: route,
                        rule: index,
                        match: 0,
                        condition: HTTPRouteMatch(withoutConditions: ()),
                        converted: converted
                    )
                )
                continue
            }
            // The resource definition gives a rule without a list of matches one that takes every path.
            for (match, condition) in (rule.matches.isEmpty ? [HTTPRouteMatch()] : rule.matches).enumerated() {
                var single = converted
                single.matches = [Self.convert(condition, index: match)]
                result.append(
                    Candidate(route: route, rule: index, match: match, condition: condition, converted: single)
                )
            }
        }
        return result
    }

    private mutating func convert(_ rule: HTTPRoute.Rule, _ index: Int, of route: HTTPRoute) -> HTTPRule? {
        var converted = HTTPRule()
        converted.name =
            rule.name.isEmpty ? "\(route.metadata.namespace).\(route.metadata.name).\(index)" : rule.name
        converted.origin = RuleOrigin(object: route.identity, rule: index, namespace: route.metadata.namespace)
        converted.timeout = rule.timeout
        converted.retries = rule.retries
        if let number = rule.matches.firstIndex(where: \.isEmptyCall) {
            report(
                route.identity,
                .refusedObject,
                "spec.rules[\(index)].matches[\(number)].method",
                "a method condition needs a service or a method, so the whole \(route.kind) produces nothing"
            )
            return nil
        }
        guard addFilters(rule, index, of: route, to: &converted), addBackends(rule, index, of: route, to: &converted)
        else { return nil }
        if converted.redirect != nil {
            converted.route = []
        } else if converted.route.isEmpty {
            converted.directResponse = HTTPDirectResponse(status: 500)
        }
        return converted
    }

    /// Adds what the filters of a rule do; `false` where one of them keeps the whole route from producing anything.
    private mutating func addFilters(
        _ rule: HTTPRoute.Rule,
        _ index: Int,
        of route: HTTPRoute,
        to converted: inout HTTPRule
    ) -> Bool {
        for (number, filter) in rule.filters.enumerated() {
            let path = "spec.rules[\(index)].filters[\(number)]"
            guard Self.isSupported(filter, by: route.kind) else {
                refuse(route, path, filter: filter.kind)
                return false
            }
            switch filter {
            case .later(kind: "CORS"): converted.corsPolicy = CORSPolicy()
            case .later, .unknown: continue
            case .rewrite(let rewrite): converted.rewrite = rewrite
            case .redirect(let redirect): converted.redirect = redirect
            case .mirror(let backend, let percent):
                guard case .destination(let destination) = resolve(backend, of: route.identity, path: path),
                    !destination.isInvalid
                else {
                    guard route.kind == "GRPCRoute" else { continue }
                    report(
                        route.identity,
                        .refusedObject,
                        path,
                        "the backend of the mirror cannot be used, so the whole GRPCRoute produces nothing"
                    )
                    return false
                }
                converted.mirrors.append(HTTPMirror(destination: destination, percentage: percent))
            }
        }
        return true
    }

    /// Adds the backends of a rule but those of weight 0; `false` where one keeps the whole route from producing anything.
    private mutating func addBackends(
        _ rule: HTTPRoute.Rule,
        _ index: Int,
        of route: HTTPRoute,
        to converted: inout HTTPRule
    ) -> Bool {
        for (number, backend) in rule.backends.enumerated() where backend.weight != 0 {
            let path = "spec.rules[\(index)].backendRefs[\(number)]"
            if let filter = backend.filters.first(where: {
                !["RequestHeaderModifier", "ResponseHeaderModifier"].contains($0)
            }) {
                refuse(route, "\(path).filters", filter: filter)
                return false
            }
            switch resolve(backend, of: route.identity, path: path) {
            case .unusable: return false
            case .destination(let destination):
                converted.route.append(WeightedDestination(destination: destination, weight: backend.weight))
            }
        }
        return true
    }

    private static func isSupported(_ filter: HTTPRouteFilter, by kind: String) -> Bool {
        switch filter {
        case .unknown: false
        case .mirror: true
        case .later(let type): kind == "HTTPRoute" || type != "CORS"
        case .rewrite, .redirect: kind == "HTTPRoute"
        }
    }

    private mutating func refuse(_ route: HTTPRoute, _ path: String, filter: String) {
        report(
            route.identity,
            .refusedObject,
            path,
            "the filter type \(filter) is not supported there, so the whole \(route.kind) produces nothing"
        )
    }

    private enum Backend {
        case destination(Destination)
        /// The whole route produces nothing.
        case unusable
    }

    private mutating func resolve(_ backend: BackendReference, of route: ObjectIdentity, path: String) -> Backend {
        let namespace = backend.namespace.isEmpty ? route.namespace : backend.namespace
        // Before anything else is asked of a backend, whatever its kind.
        guard isGranted(backend, in: namespace, of: route, path: path) else { return .destination(.invalid) }
        switch (backend.group, backend.kind) {
        case ("networking.istio.io", "Hostname"): return hostname(backend, of: route, path: path)
        case ("", "Service"), ("core", "Service"), ("multicluster.x-k8s.io", "ServiceImport"):
            return service(backend, in: namespace, of: route, path: path)
        case ("inference.networking.k8s.io", "InferencePool"), ("inference.networking.x-k8s.io", "InferencePool"):
            // Istio makes a Service for the pool, under a name with a hash; the pool's own name says more.
            return .destination(
                Destination(host: "\(backend.name).\(namespace)\(ServiceCatalog.poolSuffix)", port: 54_321)
            )
        default:
            report(
                route,
                .unknownBackend,
                path,
                "\(backend.kind) is no kind of backend that Istio serves; its share is answered 500",
                severity: .warning
            )
            return .destination(.invalid)
        }
    }

    private mutating func hostname(_ backend: BackendReference, of route: ObjectIdentity, path: String) -> Backend {
        guard let port = backend.port, backend.namespace.isEmpty else {
            report(
                route,
                .refusedObject,
                path,
                "a Hostname needs a port and must not have a namespace, so the whole \(route.kind) produces nothing"
            )
            return .unusable
        }
        if catalog.state(of: backend.name) == .absent {
            report(
                route,
                .unknownService,
                path,
                "there is no Service or ServiceEntry for \(backend.name); its share is answered 500"
            )
            return .destination(.invalid)
        }
        return .destination(Destination(host: backend.name, port: port))
    }

    private mutating func service(
        _ backend: BackendReference,
        in namespace: String,
        of route: ObjectIdentity,
        path: String
    ) -> Backend {
        guard let port = backend.port, !backend.name.contains(".") else {
            report(
                route,
                .refusedObject,
                path,
                "a Service needs a port and a name without dots, so the whole \(route.kind) produces nothing"
            )
            return .unusable
        }
        let host = "\(backend.name).\(namespace).svc.\(environment.clusterDomain)"
        // An imported one may be of another cluster, and its ServiceImport is not among the objects.
        if backend.kind == "Service", catalog.state(of: host) == .absent {
            report(
                route,
                .unknownService,
                path,
                "Service \(namespace)/\(backend.name) is not among the objects"
                    + (environment.holdsWholeCluster ? "" : ", though others of \(namespace) are")
                    + "; without it its share is answered 500"
            )
            return .destination(.invalid)
        }
        return .destination(Destination(host: host, port: port))
    }

    private mutating func isGranted(
        _ backend: BackendReference,
        in namespace: String,
        of route: ObjectIdentity,
        path: String
    ) -> Bool {
        if namespace == route.namespace { return true }
        let isGranted = resources.referenceGrants.contains {
            $0.metadata.namespace == namespace
                && $0.admits(route.kind, of: route.namespace, to: "Service", backend.name)
        }
        if !isGranted {
            report(
                route,
                .missingReferenceGrant,
                path,
                "no ReferenceGrant in \(namespace) lets \(route.kind)s of \(route.namespace) use \(backend.kind) "
                    + "\(backend.name); its share is answered 500"
            )
        }
        return isGranted
    }

    private static func convert(_ condition: HTTPRouteMatch, index: Int) -> HTTPMatch {
        var match = HTTPMatch()
        match.origin = MatchOrigin(entry: index)
        switch condition.pathType {
        case .any: match.uri = nil
        case .exact: match.uri = .exact(condition.pathValue)
        case .regularExpression: match.uri = .regex(condition.pathValue)
        case .pathPrefix:
            var value = condition.pathValue
            if value.utf8.count > 1, value.hasSuffix("/") { value.removeLast() }
            match.uri = value == "/" ? .prefix("/") : .segmentPrefix(value)
        }
        match.method = condition.method.map { .exact($0) }
        match.headers = condition.headers
        match.queryParams = condition.queryParams
        return match
    }

    // MARK: - TLS

    /// A rule for connections that the gateway passes through, for every listener that takes the route.
    private mutating func convert(_ route: TLSRoute) {
        let served = served(route.identity, route.hostnames, route.parents)
        guard !served.isEmpty, let routes = destinations(of: route) else { return }
        for (parent, listener, hostnames) in served {
            var metadata = route.metadata
            metadata.name = "\(route.metadata.name)-tls-\(parent)"
            var service = VirtualService(
                metadata: metadata,
                hosts: hostnames,
                gateways: [listener.reference],
                rules: [],
                tls: routes.enumerated().map { number, destinations in
                    OpaqueRule(
                        matches: [OpaqueRule.Match(sniHosts: hostnames, port: nil, gateways: [])],
                        route: destinations,
                        origin: RuleOrigin(object: route.identity, rule: number, namespace: route.metadata.namespace)
                    )
                },
                origin: route.identity
            )
            service.isFromGatewayAPI = true
            virtualServices.append(service)
        }
    }

    /// Where each rule of a route sends connections; `nil` where a backend cannot be resolved, which leaves the route out.
    private mutating func destinations(of route: TLSRoute) -> [[WeightedDestination]]? {
        var routes: [[WeightedDestination]] = []
        for (number, backends) in route.rules.enumerated() {
            var destinations: [WeightedDestination] = []
            for (place, backend) in backends.enumerated() where backend.weight != 0 {
                let path = "spec.rules[\(number)].backendRefs[\(place)]"
                guard case .destination(let destination) = resolve(backend, of: route.identity, path: path) else {
                    return nil
                }
                destinations.append(WeightedDestination(destination: destination, weight: backend.weight))
            }
            routes.append(destinations)
        }
        return routes
    }

    // MARK: - Ranking

    private func merged(_ key: MergeKey, _ candidates: [Candidate]) -> VirtualService {
        let ranked = candidates.sorted(by: Self.precedes)
        let oldest = candidates.min { first, second in Self.olderThan(first.route, second.route) ?? false }
        var metadata = ObjectMetadata(
            name: "\(key.reference.replacingSlashes)~\(key.hostname)",
            namespace: oldest?.route.metadata.namespace ?? "",
            creationTime: oldest?.route.metadata.creationTime
        )
        metadata.isGenerated = false
        var service = VirtualService(
            metadata: metadata,
            hosts: [key.hostname],
            gateways: [key.reference],
            rules: ranked.map(\.converted),
            origin: ObjectIdentity(kind: "HTTPRoute", namespace: metadata.namespace, name: metadata.name)
        )
        service.isFromGatewayAPI = true
        return service
    }

    private static func precedes(_ first: Candidate, _ second: Candidate) -> Bool {
        let one = first.condition
        let other = second.condition
        // A rule without matches is behind one whose match has no condition.
        if one.isAbsent != other.isAbsent { return other.isAbsent }
        if one.pathType != other.pathType { return one.pathType.rawValue > other.pathType.rawValue }
        if one.rankedCount != other.rankedCount { return one.rankedCount > other.rankedCount }
        if (one.method != nil) != (other.method != nil) { return one.method != nil }
        if one.headers.count != other.headers.count { return one.headers.count > other.headers.count }
        if one.queryParams.count != other.queryParams.count { return one.queryParams.count > other.queryParams.count }
        if let isOlder = olderThan(first.route, second.route) { return isOlder }
        if first.rule != second.rule { return first.rule < second.rule }
        return first.match < second.match
    }

    /// By age, then namespace, then the name that istiod gives the rules of a route, which begins with the route's and a
    /// tilde, so that `web-canary` comes before `web` (route_collections.go, conversion.go); `nil` for one and the same route.
    private static func olderThan(_ first: HTTPRoute, _ second: HTTPRoute) -> Bool? {
        let firstTime = first.metadata.orderTime
        let secondTime = second.metadata.orderTime
        if firstTime != secondTime { return firstTime < secondTime }
        if first.metadata.namespace != second.metadata.namespace {
            return octetsPrecede(first.metadata.namespace, second.metadata.namespace)
        }
        if first.metadata.name != second.metadata.name {
            return octetsPrecede(first.metadata.name + "~", second.metadata.name + "~")
        }
        // Two kinds may have one name.
        if first.kind != second.kind { return octetsPrecede(first.kind, second.kind) }
        return nil
    }
}

extension String {
    /// The text with `~` for every slash, as istiod names objects after others.
    fileprivate var replacingSlashes: String {
        String(decoding: utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "~") : $0 }, as: UTF8.self)
    }
}
