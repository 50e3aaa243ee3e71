// Wingmirror · Apache-2.0

internal import OctetText
public import RouteAttribution
public import TrafficMetrics

extension RouteTableDescription {
    /// Says what the metrics need to know of compiled tables.
    ///
    /// - Parameters:
    ///   - tables: The tables; their route and Gateway numbers are the indices here.
    ///   - generation: The number of the ``RouteGeneration`` that it is made for.
    ///   - findings: What was found out while compiling, refused objects among it.
    ///   - buildSeconds: How long compiling took.
    init(_ tables: RouteTables, generation: Int, findings: [RouteFinding], buildSeconds: Double) {
        self.init(
            generation: generation,
            series: tables.routes.map { RouteLabels($0) },
            gateways: tables.gateways,
            routes: tables.routes.map { Route($0) },
            rejectedObjects: Self.rejectedObjects(findings),
            buildSeconds: buildSeconds,
            hash: Self.hash(of: tables.gateways, tables.routes),
            tables: tables.tables.map { table in
                Table(
                    workloadNamespace: table.environment.namespace,
                    workload: table.environment.identityText,
                    hash: Self.hash(of: table.gateways, table.routes)
                )
            }
        )
    }

    /// A hash of what tables decide: their Gateways, and their routes in order with hosts, conditions and actions.
    ///
    /// Conditions are taken as far as `match` of `route_info` shows them.
    private static func hash(of gateways: [String], _ routes: [CompiledRoute]) -> String {
        var hash = FNV1a()
        func take(_ text: some Sequence<UInt8>) {
            hash.combine(text)
            // No text has an octet of zero, so that what is between two cannot be mistaken.
            hash.combine(0)
        }
        for gateway in gateways { take(gateway.utf8) }
        for route in routes {
            take(route.gateway.utf8)
            take(route.label.utf8)
            take(route.matchText.utf8)
            for host in route.hosts { take(host.utf8) }
            take(route.record)
        }
        return HexadecimalText.digits(of: hash.value)
    }

    private static func rejectedObjects(_ findings: [RouteFinding]) -> [RejectedObjects] {
        var seen: Set<ObjectIdentity> = []
        var counts: [String: Int] = [:]
        for finding in findings where finding.code == .refusedObject && seen.insert(finding.object).inserted {
            counts[finding.object.kind, default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map { kind, count in
            RejectedObjects(kind: kind, reason: FindingCode.refusedObject.rawValue, count: count)
        }
    }
}

extension RouteTableDescription.Route {
    /// Describes a compiled route.
    fileprivate init(_ route: CompiledRoute) {
        self.init(
            virtualServiceNamespace: route.identity.object.namespace,
            virtualService: route.identity.object.name,
            route: route.label,
            match: route.matchText,
            hosts: route.hosts.joined(separator: ","),
            destinations: route.destinations.map {
                RouteTableDescription.Destination(service: $0.host, subset: $0.subset, share: $0.share)
            }
        )
    }
}

extension RouteLabels {
    /// The labels of a compiled route.
    ///
    /// Which of several destinations the gateway chose is not on the wire before it, so a route with several has no
    /// destination, or no subset where they differ in that alone.
    public init(_ route: CompiledRoute) {
        let first = route.destinations.first
        let isOneService = route.destinations.allSatisfy { $0.host == first?.host }
        let isOneSubset = isOneService && route.destinations.allSatisfy { $0.subset == first?.subset }
        self.init(
            gateway: route.gateway,
            virtualServiceNamespace: route.identity.object.namespace,
            virtualService: route.identity.object.name,
            route: route.label,
            destinationService: isOneService ? first?.host ?? "" : "",
            destinationSubset: isOneSubset ? first?.subset ?? "" : ""
        )
    }
}
