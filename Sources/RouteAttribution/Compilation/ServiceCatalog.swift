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

    private(set) var entries: [String: Entry] = [:]
    private var podPorts: [Int: Set<Int>] = [:]

    init(_ resources: RouteResources, environment: RouteEnvironment) {
        for entry in resources.serviceEntries {
            for host in entry.hosts {
                entries[host] = Entry(ports: entry.ports)
            }
        }
        for service in resources.services {
            let isExternal = service.type == "ExternalName" && !service.externalName.isEmpty
            entries[Self.host(of: service, environment.clusterDomain)] = Entry(
                ports: service.ports.map(\.number),
                externalName: isExternal ? service.externalName : nil,
                service: service
            )
        }
        for service in resources.services where Self.leadsTo(service, environment) {
            for port in service.ports {
                if let target = port.targetPort { podPorts[port.number, default: []].insert(target) }
            }
        }
        for port in environment.ports {
            podPorts[Int(port.server), default: []].insert(Int(port.pod))
        }
    }

    /// The pod ports on which a server with that number listens, in ascending order.
    func podPorts(server number: Int) -> [Int] {
        podPorts[number]?.sorted() ?? [number]
    }

    subscript(host: String) -> Entry? { entries[host] }

    static func host(of service: Service, _ clusterDomain: String) -> String {
        "\(service.metadata.name).\(service.metadata.namespace).svc.\(clusterDomain)"
    }

    /// Whether a Service hands its connections to the gateway's pods, and counts in the translation of ports.
    private static func leadsTo(_ service: Service, _ environment: RouteEnvironment) -> Bool {
        service.metadata.namespace == environment.namespace && !service.selector.isEmpty
            && service.selector.isContained(in: environment.labels)
            && service.metadata.labels["experimental.istio.io/disable-gateway-port-translation"] == nil
    }
}
