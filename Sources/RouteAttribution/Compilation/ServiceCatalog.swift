// Wingmirror · Apache-2.0

/// The hosts that exist, and the pod ports of the gateway.
struct ServiceCatalog {
    /// What is known of a host.
    struct Entry {
        var ports: [Int]
        /// The name that stands for the host, for Services of type ExternalName.
        var externalName: String?
        var service: Service?
    }

    /// What the objects tell of a host.
    enum State {
        case present
        /// It is not among the objects, though others of its kind and namespace are, or these are all that there are.
        case absent
        /// Nothing of its kind and namespace is among the objects, so nothing is known.
        case notLookedAt
    }

    /// One object that stands for a host.
    private struct Source {
        let namespace: String
        let entry: Entry
        /// How it comes before others to the gateway's pods: what is for their namespace alone, what is for it among others, what
        /// is for all; `nil` where they do not see it.
        let rank: Int?
    }

    private(set) var entries: [String: Entry] = [:]
    /// The hosts that several objects stand for, or one that the gateway's pods do not see; Services come before others, and
    /// older ones before younger.
    private var contested: [String: [Source]] = [:]
    private(set) var findings: [RouteFinding] = []
    /// What each server port leads to: the pod ports that Services and settings give.
    private var podPorts: [Int: Set<Int>] = [:]
    /// The pod ports that the settings give.
    private var configuredPorts: [Int: Set<Int>] = [:]
    /// The ports of each Service, by `namespace/name`.
    private var servicePorts: [String: [Service.Port]] = [:]
    /// The ends of the names of Services whose namespace has any among the objects.
    private var knownNamespaces: Set<String> = []
    private let hasServiceEntries: Bool
    private let holdsAll: Bool
    private let clusterSuffix: String
    /// The end of the names that stand for inference pools.
    static let poolSuffix = ".inferencepool"

    init(_ resources: RouteResources, environment: RouteEnvironment) {
        hasServiceEntries = !resources.serviceEntries.isEmpty
        holdsAll = environment.holdsWholeCluster
        clusterSuffix = ".svc.\(environment.clusterDomain)"
        knownNamespaces = Set(resources.services.map(\.metadata.namespace))
        addHosts(resources, environment)
        let gatewayServices = resources.services.filter { Self.leadsTo($0, environment) }
            .sorted(by: Self.isAsked)
        var decided: Set<Int> = []
        for service in gatewayServices {
            for (index, port) in service.ports.enumerated() where decided.insert(port.number).inserted {
                // The oldest Service with a port alone decides where it leads.
                if let target = port.targetPort {
                    podPorts[port.number] = [target]
                } else if !environment.ports.contains(where: { Int($0.server) == port.number }) {
                    findings.append(
                        RouteFinding(
                            object: service.identity,
                            severity: .warning,
                            code: .notLookedAt,
                            path: "spec.ports[\(index)].targetPort",
                            message: "is a name, which only pods can resolve; set gateway.ports to say which pod port "
                                + "server port \(port.number) has (\(port.number) is taken)"
                        )
                    )
                }
            }
        }
        for port in environment.ports {
            podPorts[Int(port.server), default: []].insert(Int(port.pod))
            configuredPorts[Int(port.server), default: []].insert(Int(port.pod))
        }
    }

    private mutating func addHosts(_ resources: RouteResources, _ environment: RouteEnvironment) {
        var sources: [String: [Source]] = [:]
        func add(_ host: String, _ entry: Entry, _ metadata: ObjectMetadata, _ exportTo: [String]) {
            let places = exportTo.isEmpty ? Self.places(ofDefault: environment.defaultServiceExportTo) : exportTo
            let rank = Self.rank(places, of: metadata.namespace, for: environment.namespace)
            sources[host, default: []].append(Source(namespace: metadata.namespace, entry: entry, rank: rank))
        }
        for service in resources.services {
            servicePorts["\(service.metadata.namespace)/\(service.metadata.name)"] = service.ports
            let isExternal = service.type == "ExternalName" && !service.externalName.isEmpty
            let entry = Entry(
                ports: service.ports.map(\.number),
                externalName: isExternal ? service.externalName : nil,
                service: service
            )
            add(Self.host(of: service, environment.clusterDomain), entry, service.metadata, service.exportTo)
        }
        for entry in resources.serviceEntries.sorted(by: { Self.isOlder($0.metadata, $1.metadata) }) {
            for host in entry.hosts { add(host, Entry(ports: entry.ports), entry.metadata, entry.exportTo) }
        }
        entries = sources.compactMapValues { $0.first?.entry }
        contested = sources.filter { $0.value.count > 1 || $0.value[0].rank == nil }
    }

    /// What a host is to the gateway where a VirtualService of a namespace names it: an object of that namespace, else the first
    /// that the gateway's pods see (networking/core/gateway.go buildNameToServiceMapForHttpRoutes, model/sidecar.go
    /// DefaultSidecarScopeForNamespace).
    ///
    /// - Parameters:
    ///   - host: The host.
    ///   - namespace: The VirtualService's.
    /// - Returns: The object; `nil` where there is none, or none that is seen.
    func entry(for host: String, in namespace: String) -> Entry? {
        guard let sources = contested[host] else { return entries[host] }
        let seen = sources.filter { $0.rank != nil }
        if let own = seen.first(where: { $0.namespace == namespace }) { return own.entry }
        if let service = seen.first(where: { $0.entry.service != nil }) { return service.entry }
        // Of equal ranks the first, which is the oldest.
        return seen.min { ($0.rank ?? 0) < ($1.rank ?? 0) }?.entry
    }

    /// The ports for which the gateway knows a way to a host: those of all objects that its pods see, in ascending order where
    /// there are several; empty where one of them gives none, or none is seen.
    func ports(of host: String) -> [Int] {
        guard let sources = contested[host] else { return entries[host]?.ports ?? [] }
        let seen = sources.filter { $0.rank != nil }.map(\.entry.ports)
        return seen.contains { $0.isEmpty } ? [] : Set(seen.joined()).sorted()
    }

    /// Whether the gateway's pods see none of the objects that stand for a host, so that they know no way to it.
    func isHidden(_ host: String) -> Bool { contested[host]?.allSatisfy { $0.rank == nil } ?? false }

    /// How an object of a namespace comes before others to pods of another; `nil` where they do not see it (push_context.go
    /// initServiceRegistry, servicesExportedToNamespace).
    private static func rank(_ exportTo: [String], of namespace: String, for pods: String) -> Int? {
        if exportTo.contains("*") { return 2 }
        // Nobody is nobody, whoever else is named.
        guard !exportTo.contains("~"), exportTo.contains(where: { ($0 == "." ? namespace : $0) == pods }) else {
            return nil
        }
        return namespace == pods ? 0 : 1
    }

    /// What the mesh's default stands for: of its entries only the point and the star count, and the point comes first.
    private static func places(ofDefault exportTo: [String]) -> [String] {
        exportTo.isEmpty ? ["*"] : [exportTo.contains(".") ? "." : exportTo.contains("*") ? "*" : "~"]
    }

    /// By age, then namespace, then name: which of the objects for one host istiod looks at first.
    private static func isOlder(_ first: ObjectMetadata, _ second: ObjectMetadata) -> Bool {
        if first.orderTime != second.orderTime { return first.orderTime < second.orderTime }
        if first.namespace != second.namespace { return octetsPrecede(first.namespace, second.namespace) }
        return octetsPrecede(first.name, second.name)
    }

    /// The pod ports on which a server with that number listens, in ascending order.
    ///
    /// - Parameters:
    ///   - number: The server's port number.
    ///   - services: The Services, as `namespace/name`, that alone lead to it, without which there is no listener; none
    ///     leaves it to all Services of the gateway, and to the number itself.
    /// - Returns: The ports.
    func podPorts(server number: Int, through services: [String] = []) -> [Int] {
        if services.isEmpty { return podPorts[number]?.sorted() ?? [number] }
        var result = configuredPorts[number] ?? []
        for name in services {
            for port in servicePorts[name] ?? [] where port.number == number {
                // Which pod port a name stands for is not known, unless the settings say it.
                if let target = port.targetPort ?? (configuredPorts[number] == nil ? number : nil) {
                    result.insert(target)
                }
            }
        }
        return result.sorted()
    }

    /// Whether a host exists, as far as the objects tell.
    func state(of host: String) -> State {
        if entries[host] != nil { return .present }
        // istiod makes a Service of such a pool, which is not among the objects.
        if host.hasSuffix(Self.poolSuffix) { return .notLookedAt }
        if holdsAll { return .absent }
        guard host.hasSuffix(clusterSuffix) else { return hasServiceEntries ? .absent : .notLookedAt }
        let name = host.dropLast(clusterSuffix.count)
        let namespace = name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? ""
        return knownNamespaces.contains(namespace) ? .absent : .notLookedAt
    }

    subscript(host: String) -> Entry? { entries[host] }

    static func host(of service: Service, _ clusterDomain: String) -> String {
        "\(service.metadata.name).\(service.metadata.namespace).svc.\(clusterDomain)"
    }

    /// Whether istiod looks at one Service of a namespace before another: the older, then by host name (model/context.go
    /// SetServiceTargets), where `gw-internal` comes before `gw`, because a dot follows the name.
    static func isAsked(_ first: Service, before second: Service) -> Bool {
        let firstTime = first.metadata.orderTime
        let secondTime = second.metadata.orderTime
        if firstTime != secondTime { return firstTime < secondTime }
        return octetsPrecede("\(first.metadata.name).", "\(second.metadata.name).")
    }

    /// Whether a Service hands its connections to the gateway's pods, and counts in the translation of ports.
    private static func leadsTo(_ service: Service, _ environment: RouteEnvironment) -> Bool {
        service.metadata.namespace == environment.namespace && !service.selector.isEmpty
            && service.selector.isContained(in: environment.labels) && translatesPorts(service)
    }

    /// Whether a Service counts in the translation of ports (Istio, model/gateway.go resolvePorts).
    static func translatesPorts(_ service: Service) -> Bool {
        service.metadata.labels["experimental.istio.io/disable-gateway-port-translation"] == nil
    }
}
