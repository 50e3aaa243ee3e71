// Wingmirror · Apache-2.0

/// A VirtualService ready to be bound: names resolved, delegates merged.
struct BoundService {
    let service: VirtualService
    let hosts: [String]
    let rules: [HTTPRule]

    /// The names for which a server without HTTP routing hands connections to the object's TLS rules, in order.
    func passedThrough(by server: ListenerPlan.Server) -> [(name: String, rule: Int)] {
        guard !service.tls.isEmpty else { return [] }
        let admitted = AdmittedHosts(server.hosts(for: service.metadata.namespace))
        guard !admitted.intersection(hosts).isEmpty else { return [] }
        return service.tls.enumerated().flatMap { rule in
            rule.element.matches.filter { match in
                (match.port == nil || match.port == server.number)
                    && (match.gateways.isEmpty
                        || match.gateways.contains {
                            ObjectReferences.gateway($0, namespace: service.metadata.namespace)
                                == server.gateway.reference
                        })
            }.flatMap(\.sniHosts).map { (name: $0, rule: rule.offset) }
        }
    }
}

/// The VirtualServices that each Gateway gets, in the order in which their routes are appended.
struct BoundServices {
    private var byGateway: [String: [BoundService]] = [:]
    private(set) var findings: [RouteFinding] = []

    init(_ services: [VirtualService], environment: RouteEnvironment) {
        var delegates = DelegateMerging(services, defaultExportTo: environment.defaultVirtualServiceExportTo)
        let sorted =
            services
            .filter { !$0.isDelegate }
            .compactMap { service in
                Self.rank(of: service, environment).map { (rank: $0, service: service) }
            }
            .sorted { first, second in
                first.rank != second.rank
                    ? first.rank < second.rank
                    : ObjectMetadata.istioOrder(first.service.metadata, second.service.metadata)
            }
        for (_, service) in sorted {
            let gateways = Self.gateways(of: service)
            guard !gateways.isEmpty else { continue }
            let bound = BoundService(
                service: service,
                hosts: service.hosts.map {
                    HostNames.expanded(
                        $0,
                        namespace: service.metadata.namespace,
                        clusterDomain: environment.clusterDomain
                    )
                },
                rules: delegates.rules(of: service)
            )
            for gateway in gateways {
                byGateway[gateway, default: []].append(bound)
            }
        }
        findings = delegates.findings
    }

    subscript(gateway: String) -> [BoundService] { byGateway[gateway] ?? [] }

    /// The gateways an object is bound to, each once, `mesh` left out.
    private static func gateways(of service: VirtualService) -> [String] {
        var result: [String] = []
        for entry in service.gateways {
            let gateway = ObjectReferences.gateway(entry, namespace: service.metadata.namespace)
            if gateway != "mesh", !result.contains(gateway) { result.append(gateway) }
        }
        return result
    }

    /// The group in which istiod keeps the object for this workload; `nil` where it is not visible.
    private static func rank(of service: VirtualService, _ environment: RouteEnvironment) -> Int? {
        let own = service.metadata.namespace
        switch Visibility(service, environment) {
        case .everywhere:
            return service.isFromGatewayAPI && own == environment.namespace ? 2 : 3
        case .namespaces(let names):
            guard names.contains(environment.namespace) else { return nil }
            return own == environment.namespace ? 0 : 1
        }
    }
}
