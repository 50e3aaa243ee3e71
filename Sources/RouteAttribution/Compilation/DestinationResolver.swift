// Wingmirror · Apache-2.0

internal import OctetText

/// Turns destinations as written into names, ports and shares.
struct DestinationResolver {
    /// Where short names resolve.
    let namespace: String
    /// The VirtualService's namespace, whose ServiceEntries come first.
    let ownerNamespace: String
    /// The port of destinations that give none and whose Service does not decide.
    let serverPort: Int
    let clusterDomain: String
    let catalog: ServiceCatalog

    func destinations(_ route: [WeightedDestination]) -> [RouteDestination] {
        let entries = route.filter { $0.destination != nil && (route.count == 1 || $0.weight != 0) }
        let sum = entries.reduce(0.0) { $0 + Double($1.weight) }
        return entries.compactMap { entry in
            guard let destination = entry.destination else { return nil }
            let share = route.count == 1 ? 1 : Double(entry.weight) / sum
            let (host, port) = address(of: destination)
            return RouteDestination(
                host: host,
                port: port,
                subset: destination.subset,
                shareMillionths: Int(clamped: share * 1_000_000),
                isInvalid: destination.isInvalid
            )
        }
    }

    func mirrors(of rule: HTTPRule) -> [RouteMirror] {
        if let mirror = rule.mirror {
            let percent = rule.mirrorPercentage ?? rule.mirrorPercent.map(Double.init) ?? 100
            return self.mirror(mirror, percent).map { [$0] } ?? []
        }
        return rule.mirrors.compactMap { entry in
            entry.destination.flatMap { self.mirror($0, entry.percentage ?? 100) }
        }
    }

    private func mirror(_ destination: Destination, _ percent: Double) -> RouteMirror? {
        guard percent > 0 else { return nil }
        let (host, port) = address(of: destination)
        return RouteMirror(
            host: host,
            port: port,
            subset: destination.subset,
            percentMillionths: Int(clamped: percent * 1_000_000)
        )
    }

    /// The name and port that Envoy's cluster bears.
    func address(of destination: Destination) -> (host: String, port: Int) {
        guard !destination.isInvalid else { return ("", 0) }
        let host = HostNames.expanded(destination.host, namespace: namespace, clusterDomain: clusterDomain)
        let entry = catalog.entry(for: host, in: ownerNamespace)
        let only = entry.flatMap { $0.ports.count == 1 ? $0.ports.first : nil }
        return (entry?.externalName ?? host, destination.port ?? only ?? serverPort)
    }
}
