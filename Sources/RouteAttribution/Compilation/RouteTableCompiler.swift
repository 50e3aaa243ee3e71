// Wingmirror · Apache-2.0

/// Makes a table from objects that have passed validation, in the steps of istiod.
struct RouteTableCompiler {
    private let environment: RouteEnvironment
    private let catalog: ServiceCatalog
    private let bound: BoundServices
    /// All Gateways and VirtualServices, what istiod makes of other kinds among them.
    private let gateways: [Gateway]
    private let services: [VirtualService]
    private var plans = ListenerPlans()
    /// The servers of each table.
    private var servers: [[ListenerPlan.Server]] = []
    private(set) var findings: [RouteFinding] = []
    private(set) var routes: [CompiledRoute] = []
    private(set) var index: LookupIndexBuilder
    private var tables: [[ServerKey]: Int] = [:]
    private var gatewayNames: [String: Int32] = [:]

    private struct ServerKey: Hashable {
        let gateway: String
        let server: Int
    }

    /// A virtual host while its table is made.
    private struct HostBuild {
        /// The objects whose routes it has, in the order of the routes.
        private(set) var sources: [SourceKey] = []
        private var known: Set<SourceKey> = []
        var requiresTLS = false

        mutating func add(_ source: SourceKey) {
            if known.insert(source).inserted { sources.append(source) }
        }
    }

    private struct SourceKey: Hashable {
        let gateway: String
        let object: Int
    }

    init(_ resources: RouteResources, environment: RouteEnvironment, patterns: RegularExpressionCache) {
        self.environment = environment
        index = LookupIndexBuilder(patterns)
        catalog = ServiceCatalog(resources, environment: environment)
        let attached = HTTPRouteConversion(resources, environment: environment, catalog: catalog)
        let ingress = IngressConversion(resources, environment: environment, catalog: catalog)
        services = resources.virtualServices + attached.virtualServices + ingress.virtualServices
        gateways = resources.gateways + attached.gateways + ingress.gateways
        bound = BoundServices(services, environment: environment)
        findings = bound.findings + attached.findings + ingress.findings + catalog.findings
        let carried =
            gateways
            .filter { $0.selector.isContained(in: environment.labels) }
            .sorted { ObjectMetadata.istioOrder($0.metadata, $1.metadata) }
        index.hasGateways = !carried.isEmpty
        plans = ListenerPlans(carried, catalog: catalog)
        compile(plans)
        for route in routes.indices {
            routes[route].record = RouteMembers.members(of: routes[route])
        }
    }

    private mutating func compile(_ plans: ListenerPlans) {
        // One server may listen on several pod ports; what is found about it is one finding.
        var seen: Set<RouteFinding> = []
        for plan in plans.plans {
            findings += plan.findings.filter { seen.insert($0).inserted }
        }
        for (podPort, plan) in plans.byPodPort.sorted(by: { $0.key < $1.key }) {
            var listener = LookupListener(podPort: podPort)
            listener.serverPorts = Set((plan.plain + plan.tls).map(\.number)).sorted()
            listener.isRefused = plan.isRefused
            if !plan.plain.isEmpty {
                listener.plainTable = Int32(table(of: plan.plain, isTLS: false))
            }
            for server in plan.tls {
                let carriesHTTP = server.settings.traffic == .terminatedHTTP
                guard let names = carriesHTTP ? server.serverNames : opaqueNames(server) else { continue }
                listener.tls.append(
                    LookupListener.TLSServer(
                        names: names.map { Array($0.utf8) },
                        table: carriesHTTP ? Int32(table(of: [server], isTLS: true)) : -1
                    )
                )
            }
            index.listeners.append(listener)
        }
    }

    /// The TLS names for which a server without HTTP routing takes connections; `nil` when it takes none.
    ///
    /// Such a server is only there for the names and connections that rules for TLS or TCP give it: without them Envoy
    /// has no filter chain for it, and a less specific server gets the connection.
    private func opaqueNames(_ server: ListenerPlan.Server) -> [String]? {
        let gateway = server.gateway.reference
        var names: [String] = []
        for service in bound[gateway] {
            // Where the gateway ends TLS the names are the server's, and any TCP rule makes it serve them.
            if server.settings.tls?.endsTLS == true {
                let admitted = AdmittedHosts(server.hosts(for: service.service.metadata.namespace))
                guard !service.service.tcp.isEmpty, !admitted.intersection(service.hosts).isEmpty else { continue }
                return server.serverNames
            }
            names += service.passedThrough(by: server).map { HostNames.lowercased($0.name) }
        }
        guard !names.isEmpty else { return nil }
        return names.contains("*") ? [] : names
    }

    private mutating func gatewayIndex(_ name: String) -> Int32 {
        if let found = gatewayNames[name] { return found }
        let next = Int32(index.gateways.count)
        index.gateways.append(name)
        gatewayNames[name] = next
        return next
    }

    // MARK: - One host table

    private mutating func table(of servers: [ListenerPlan.Server], isTLS: Bool) -> Int {
        let key = servers.map { ServerKey(gateway: $0.gateway.reference, server: $0.index) }
        if let known = tables[key] { return known }
        var hosts: [String: HostBuild] = [:]
        var order: [String] = []
        var compiled: [SourceKey: [Int32]] = [:]
        for server in servers {
            let gateway = server.gateway.reference
            let gatewayNumber = gatewayIndex(gateway)
            var admitted: [String: AdmittedHosts] = [:]
            for (object, service) in bound[gateway].enumerated() where !service.rules.isEmpty {
                let namespace = service.service.metadata.namespace
                let candidates = admitted[namespace] ?? AdmittedHosts(server.hosts(for: namespace))
                admitted[namespace] = candidates
                let names = candidates.intersection(service.hosts)
                guard !names.isEmpty else { continue }
                let source = SourceKey(gateway: gateway, object: object)
                let ids =
                    compiled[source]
                    ?? routes(of: service, gateway: gateway, number: gatewayNumber, port: server.number)
                // Where conditions on ports leave nothing for one server, the next is asked again.
                guard !ids.isEmpty else { continue }
                compiled[source] = ids
                for name in names {
                    let host = HostNames.lowercased(name)
                    if hosts[host] == nil { order.append(host) }
                    hosts[host, default: HostBuild()].add(source)
                    if server.redirectsToHTTPS { hosts[host, default: HostBuild()].requiresTLS = true }
                }
            }
            guard server.redirectsToHTTPS else { continue }
            for entry in server.entries {
                let host = HostNames.lowercased(entry)
                if hosts[host] == nil { order.append(host) }
                hosts[host, default: HostBuild()].requiresTLS = true
            }
        }
        let table = index.beginTable(gateway: gatewayIndex(key[0].gateway), isTLS: isTLS)
        self.servers.append(servers)
        // Hosts with the same objects share their routes: an object of many hosts and many rules costs their sum.
        var lists: [[SourceKey]: HostRoutes] = [:]
        var names: [SourceKey: [String]] = [:]
        for name in order {
            guard let host = hosts[name] else { continue }
            let list = lists[host.sources] ?? index.addRoutes(inMatchOrder(host.sources.flatMap { compiled[$0] ?? [] }))
            lists[host.sources] = list
            index.addHost(name, routes: list, requiresTLS: host.requiresTLS)
            for source in host.sources { names[source, default: []].append(name) }
        }
        for (source, names) in names {
            for route in compiled[source] ?? [] { routes[Int(route)].hosts = names }
        }
        index.endTable()
        tables[key] = table
        return table
    }

    /// Routes that take everything go last; both parts keep their order.
    private func inMatchOrder(_ numbers: [Int32]) -> [Int32] {
        numbers.filter { !routes[Int($0)].isCatchAll } + numbers.filter { routes[Int($0)].isCatchAll }
    }

    // MARK: - One object

    /// The routes of an object for one Gateway, cut where Istio stops.
    private mutating func routes(of bound: BoundService, gateway: String, number: Int32, port: Int) -> [Int32] {
        var result: [Int32] = []
        for (ruleIndex, rule) in bound.rules.enumerated() {
            guard !rule.matches.isEmpty else {
                result.append(add(bound, ruleIndex, nil, gateway: gateway, number: number, port: port))
                break
            }
            for match in rule.matches where applies(match, of: bound.service, gateway: gateway, port: port) {
                result.append(add(bound, ruleIndex, match, gateway: gateway, number: number, port: port))
                if match.isCatchAll { return result }
            }
        }
        return result
    }

    private func applies(_ match: HTTPMatch, of service: VirtualService, gateway: String, port: Int) -> Bool {
        if let wanted = match.port, wanted != port { return false }
        guard match.gateways.isEmpty else {
            return match.gateways.contains {
                ObjectReferences.gateway($0, namespace: service.metadata.namespace) == gateway
            }
        }
        return match.sourceLabels.isContained(in: environment.labels)
            && (match.sourceNamespace.isEmpty || match.sourceNamespace == environment.namespace)
    }

    /// What the slow side needs to say why something is as it is.
    func knowledge(of resources: RouteResources, accepted: RouteResources, refusals: [RouteFinding]) -> RouteKnowledge {
        var times: [ObjectIdentity: Bool] = [:]
        for service in accepted.virtualServices { times[service.origin] = service.metadata.creationTime != nil }
        for route in accepted.httpRoutes { times[route.identity] = route.metadata.creationTime != nil }
        for ingress in accepted.ingresses { times[ingress.identity] = ingress.metadata.creationTime != nil }
        return RouteKnowledge(
            resources: resources,
            accepted: accepted,
            gateways: gateways,
            services: services,
            plans: plans,
            bound: bound,
            catalog: catalog,
            destinationRules: DestinationRules(accepted.destinationRules, clusterDomain: environment.clusterDomain),
            servers: servers,
            findings: refusals + findings,
            hasCreationTime: times
        )
    }

    private mutating func add(
        _ bound: BoundService,
        _ ruleIndex: Int,
        _ match: HTTPMatch?,
        gateway: String,
        number: Int32,
        port: Int
    ) -> Int32 {
        let rule = bound.rules[ruleIndex]
        let resolver = DestinationResolver(
            namespace: rule.origin.namespace ?? bound.service.metadata.namespace,
            ownerNamespace: bound.service.metadata.namespace,
            serverPort: port,
            clusterDomain: environment.clusterDomain,
            catalog: catalog
        )
        let origin = match?.origin
        let identity = RouteIdentity(
            object: rule.origin.object ?? bound.service.origin,
            rule: rule.origin.rule ?? ruleIndex,
            match: origin?.entry,
            mergedMatch: rule.origin.delegate == nil ? nil : origin?.merged,
            delegate: rule.origin.delegate
        )
        let action: RouteAction =
            rule.redirect != nil ? .redirect : rule.directResponse != nil ? .directResponse : .forward
        index.addRoute(match ?? HTTPMatch(), gateway: number)
        routes.append(
            CompiledRoute(
                identity: identity,
                gateway: gateway,
                routeName: Self.routeName(rule, match),
                label: Self.label(rule, match, identity),
                action: action,
                destinations: action == .forward ? resolver.destinations(rule.route) : [],
                // What the gateway answers itself is copied nowhere (route.go applyHTTPRouteDestination).
                mirrors: action == .forward ? resolver.mirrors(of: rule) : [],
                matchText: MatchText.describe(match ?? HTTPMatch()),
                metadata: RouteMetadata(rule),
                isCatchAll: match?.isCatchAll ?? true
            )
        )
        return Int32(routes.count - 1)
    }

    private static func routeName(_ rule: HTTPRule, _ match: HTTPMatch?) -> String {
        guard let name = match?.name, !name.isEmpty else { return rule.name }
        return "\(rule.name).\(name)"
    }

    private static func label(_ rule: HTTPRule, _ match: HTTPMatch?, _ identity: RouteIdentity) -> String {
        if !rule.name.isEmpty { return rule.name }
        if let name = match?.name, !name.isEmpty { return name }
        return identity.delegate.map { "#\(identity.rule).\($0.rule)" } ?? "#\(identity.rule)"
    }
}
