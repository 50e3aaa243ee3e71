// Wingmirror · Apache-2.0

extension RouteLint {
    /// Destinations whose Service, port or subset is not among the objects; only asked where any Services are.
    mutating func checkDestinations() {
        guard !resources.services.isEmpty else { return }
        var told: Set<String> = []
        for route in table.routes where route.identity.object.kind == "VirtualService" {
            for destination in route.destinations {
                let key = "\(route.identity.object) \(route.identity.rule) \(destination.cluster)"
                guard told.insert(key).inserted else { continue }
                check(destination, of: route)
            }
        }
    }

    private mutating func check(_ destination: RouteDestination, of route: CompiledRoute) {
        let object = route.identity.delegate?.object ?? route.identity.object
        let path = "spec.http[\(route.identity.delegate?.rule ?? route.identity.rule)].route"
        guard let entry = catalog[destination.host] else {
            report(object, .unknownService, path, "there is no Service or ServiceEntry for \(destination.host)")
            return
        }
        if !entry.ports.isEmpty, !entry.ports.contains(destination.port) {
            report(object, .unknownPort, path, "\(destination.host) has no port \(destination.port)")
        }
        guard !destination.subset.isEmpty,
            !subsets(of: destination.host, entry.service).contains(destination.subset)
        else { return }
        report(
            object,
            .unknownSubset,
            path,
            "no DestinationRule that the gateway uses defines subset \(destination.subset) of \(destination.host)"
        )
    }

    /// The subsets that the gateway knows of a host: of the first namespace that has rules for it, in Istio's order.
    private func subsets(of host: String, _ service: Service?) -> Set<String> {
        let namespaces = [environment.namespace, service?.metadata.namespace ?? "", environment.rootNamespace]
        for (index, namespace) in namespaces.enumerated() {
            if index == 0, namespace == environment.rootNamespace { continue }
            var best = ""
            var names: Set<String> = []
            for rule in resources.destinationRules where rule.metadata.namespace == namespace {
                let pattern = HostNames.expanded(
                    rule.host,
                    namespace: rule.metadata.namespace,
                    clusterDomain: environment.clusterDomain
                )
                guard HostNames.isCovered(host, by: pattern), pattern.utf8.count >= best.utf8.count else { continue }
                if pattern != best { names = [] }
                best = pattern
                names.formUnion(rule.subsets.compactMap(\.self))
            }
            if !best.isEmpty { return names }
        }
        return []
    }
}
