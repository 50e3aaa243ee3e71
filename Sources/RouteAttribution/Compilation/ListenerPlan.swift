// Wingmirror · Apache-2.0

/// What listens on one pod port: the servers of all Gateways that the workload carries, merged as istiod merges them.
struct ListenerPlan {
    /// One server with what it admits.
    struct Server {
        let gateway: Gateway
        /// The index in the Gateway.
        let index: Int
        /// The host entries as they stand after their namespaces have been resolved.
        let entries: [String]

        var settings: Gateway.Server { gateway.servers[index] }
        /// The field of the origin, such as `spec.servers[0]`.
        var place: String { settings.place.isEmpty ? "spec.servers[\(index)]" : settings.place }
        /// The origin and field in words.
        var name: String { "\(gateway.origin) \(place.hasPrefix("spec.") ? String(place.dropFirst(5)) : place)" }
        var number: Int { settings.port ?? 0 }
        /// Whether requests that came without TLS, as the gateway or a trusted proxy before it knows, are redirected.
        var redirectsToHTTPS: Bool {
            (settings.traffic == .plainHTTP || settings.traffic == .terminatedHTTP)
                && settings.tls?.httpsRedirect == true
        }

        /// The hosts admitted for VirtualServices of a namespace, without the namespace part.
        func hosts(for namespace: String) -> [String] {
            entries.compactMap { entry in
                guard let slash = entry.utf8.firstIndex(of: UInt8(ascii: "/")) else { return entry }
                return entry[..<slash] == namespace ? String(entry[entry.index(after: slash)...]) : nil
            }
        }

        /// The server names asked for in TLS; empty for a server that takes every name.
        var serverNames: [String] {
            let names = entries.map { entry in
                entry.utf8.firstIndex(of: UInt8(ascii: "/")).map { String(entry[entry.index(after: $0)...]) } ?? entry
            }
            return names.contains("*") ? [] : names.map(HostNames.lowercased)
        }
    }

    let podPort: Int
    /// The address listened on; empty for all.
    let bind: String
    /// Servers of plain HTTP, which share one host table.
    private(set) var plain: [Server] = []
    /// Servers behind TLS, each with a table of its own.
    private(set) var tls: [Server] = []
    private(set) var findings: [RouteFinding] = []
    /// Servers left out, each with the reason.
    private(set) var skipped: [(server: Server, reason: String)] = []
    private var first: Server?
    /// Behind a first server with TLS: the next one, after which no server without `tls` is kept.
    private var second: Server?
    private var knownTLSHosts: [String: Server] = [:]

    init(podPort: Int, bind: String) {
        self.podPort = podPort
        self.bind = bind
    }

    /// Whether Envoy refuses the listener, because two of its servers ask for one TLS name.
    private(set) var isRefused = false

    mutating func add(_ server: Server) {
        let traffic = server.settings.traffic
        // Any tls block takes part in this check, also that of a plain server which only redirects.
        if server.settings.tls != nil {
            for entry in server.entries {
                guard let earlier = knownTLSHosts[entry] else { continue }
                let order = Self.order(earlier, server)
                skip(server, "\(earlier.name), which \(order), has tls and the host \(entry) on this port")
                return
            }
            // Only a server that is kept claims its hosts; one that the port's protocol shuts out below has them too.
            for entry in server.entries { knownTLSHosts[entry] = server }
        }
        guard let first else {
            self.first = server
            keep(server, traffic)
            return
        }
        let firstTraffic = first.settings.traffic
        if firstTraffic == .terminatedHTTP || firstTraffic == .opaqueTLS {
            addBehindTLS(server, traffic)
            return
        }
        let fits =
            switch traffic {
            case .plainHTTP: firstTraffic == .plainHTTP
            case .plainTCP: firstTraffic == .plainTCP
            case .terminatedHTTP, .opaqueTLS: false
            }
        guard fits else {
            let order = Self.order(first, server)
            skip(
                server,
                "\(first.name), which \(order), has the protocol \(first.settings.protocolName) on this port"
            )
            return
        }
        keep(server, traffic)
    }

    /// Adds a server to a port whose first one has TLS: any with TLS, but of the others only the one that comes second
    /// (model/gateway.go mergeGateways: the name of the host table, then the bind address).
    private mutating func addBehindTLS(_ server: Server, _ traffic: Gateway.Server.Traffic) {
        if traffic == .plainHTTP, let earlier = plain.first {
            skip(
                server,
                "\(earlier.name), which \(Self.order(earlier, server)), already is the plain one of a port with TLS servers"
            )
            return
        }
        if let second, server.settings.tls == nil {
            skip(
                server,
                "only the second server of a port whose first has TLS may be without tls, and that is \(second.name)"
            )
            return
        }
        second = second ?? server
        keep(server, traffic)
    }

    private mutating func keep(_ server: Server, _ traffic: Gateway.Server.Traffic) {
        switch traffic {
        case .plainHTTP: plain.append(server)
        case .plainTCP: return
        case .terminatedHTTP:
            noteSharedServerNames(server)
            tls.append(server)
        case .opaqueTLS: tls.append(server)
        }
    }

    /// Why one server comes before another.
    private static func order(_ earlier: Server, _ later: Server) -> String {
        if earlier.gateway.reference == later.gateway.reference { return "comes first" }
        if earlier.gateway.origin == later.gateway.origin { return "comes first by name" }
        let first = earlier.gateway.metadata
        let second = later.gateway.metadata
        if first.creationTime != nil, second.creationTime != nil { return "is older" }
        if first.isGenerated { return "istiod puts first" }
        return "counts as older (taken by name, as the files give no creationTimestamp)"
    }

    private mutating func noteSharedServerNames(_ server: Server) {
        let names = Set(server.serverNames)
        for earlier in tls where earlier.settings.traffic == .terminatedHTTP {
            let others = Set(earlier.serverNames)
            guard names.isEmpty ? others.isEmpty : !names.isDisjoint(with: others) else { continue }
            isRefused = true
            findings.append(
                RouteFinding(
                    object: server.gateway.origin,
                    severity: .error,
                    code: .refusedListener,
                    path: "\(server.place).\(server.settings.place.hasPrefix("spec.listeners") ? "hostname" : "hosts")",
                    message:
                        "\(earlier.name) asks for the same TLS name on port \(server.number), so Envoy refuses "
                        + "the listener and what it serves is unknown"
                )
            )
            return
        }
    }

    private mutating func skip(_ server: Server, _ reason: String) {
        skipped.append((server, reason))
        findings.append(
            RouteFinding(
                object: server.gateway.origin,
                severity: .warning,
                code: .skippedServer,
                path: server.place,
                message: "the server (port \(server.number)) is left out as a whole: \(reason)"
            )
        )
    }
}

extension ListenerPlan.Server {
    init(gateway: Gateway, index: Int) {
        var entries: [String] = []
        for entry in gateway.servers[index].hosts {
            guard let slash = entry.utf8.firstIndex(of: UInt8(ascii: "/")) else {
                entries.append(entry)
                continue
            }
            let name = String(entry[entry.index(after: slash)...])
            switch entry[..<slash] {
            case "*" where name == "*":
                // istiod replaces the whole list.
                self.init(gateway: gateway, index: index, entries: ["*"])
                return
            case "*": entries.append(name)
            case ".": entries.append("\(gateway.metadata.namespace)/\(name)")
            default: entries.append(entry)
            }
        }
        self.init(gateway: gateway, index: index, entries: entries)
    }
}

/// All listeners of the workload.
struct ListenerPlans {
    private(set) var plans: [ListenerPlan] = []
    private var places: [Place: Int] = [:]

    private struct Place: Hashable {
        let podPort: Int
        let bind: String
    }

    /// No listeners.
    init() {}

    /// Merges the servers of Gateways that select the workload and come in Istio's order.
    init(_ gateways: [Gateway], catalog: ServiceCatalog) {
        for gateway in gateways {
            for (index, server) in gateway.servers.enumerated() {
                guard let number = server.port, !server.isUnixSocket else { continue }
                for podPort in catalog.podPorts(server: number, through: gateway.services) {
                    let place = Place(podPort: podPort, bind: server.bind == "0.0.0.0" ? "" : server.bind)
                    let plan =
                        places[place]
                        ?? {
                            plans.append(ListenerPlan(podPort: podPort, bind: place.bind))
                            places[place] = plans.count - 1
                            return plans.count - 1
                        }()
                    plans[plan].add(ListenerPlan.Server(gateway: gateway, index: index))
                }
            }
        }
    }

    /// What a packet to a pod port reaches, as far as its port says: the listener on all addresses, else the first.
    var byPodPort: [Int: ListenerPlan] {
        var result: [Int: ListenerPlan] = [:]
        for plan in plans where result[plan.podPort] == nil || (plan.bind.isEmpty && result[plan.podPort]?.bind != "") {
            result[plan.podPort] = plan
        }
        return result
    }
}
