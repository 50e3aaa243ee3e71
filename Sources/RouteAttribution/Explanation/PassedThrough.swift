// Wingmirror · Apache-2.0

/// Where a connection goes whose TLS the gateway passes through, by the name that the client asks for.
public struct PassedThrough: Sendable, Hashable {
    /// The Gateway whose server takes the connection, `namespace/name`.
    public let gateway: String
    /// The VirtualService or TLSRoute.
    public let object: ObjectIdentity
    /// The index in `spec.tls`, or `spec.rules` of a TLSRoute.
    public let rule: Int
    /// The name that the rule has and the client's fits.
    public let name: String
    /// Where the connection may go, with shares.
    public let destinations: [RouteDestination]
}

extension RouteTable {
    /// The rule that takes a passed-through connection to a pod port; `nil` where the gateway ends TLS or nobody takes it.
    ///
    /// Goes through all rules of the port's servers, so that callers with many connections keep the answers.
    /// - Parameters:
    ///   - podPort: The port that packets bear.
    ///   - serverName: The name the client asked for; empty when it asked for none.
    /// - Returns: The rule, and where it leads.
    public func passedThrough(podPort: UInt16, serverName: String) -> PassedThrough? {
        passedThrough(index.listeners.first { $0.podPort == Int(podPort) }, serverName: serverName)
    }

    /// The rule that takes a passed-through connection; `nil` where the gateway ends TLS or nobody takes it.
    func passedThrough(_ request: DescribedRequest) -> PassedThrough? {
        passedThrough(listener(for: request), serverName: request.serverName ?? "")
    }

    private func passedThrough(_ listener: LookupListener?, serverName: String) -> PassedThrough? {
        guard let listener, !listener.isRefused, let plan = knowledge.plans.byPodPort[listener.podPort] else {
            return nil
        }
        let wanted = HostNames.lowercased(serverName)
        var best: PassedThrough?
        var bestScore = -1
        for server in plan.tls where server.settings.traffic == .opaqueTLS && server.settings.tls?.endsTLS != true {
            for bound in knowledge.bound[server.gateway.reference] {
                for (name, number) in bound.passedThrough(by: server) {
                    let score = Self.score(HostNames.lowercased(name), for: wanted)
                    guard score > bestScore else { continue }
                    bestScore = score
                    best = passedThrough(by: server, bound.service, number, name)
                }
            }
        }
        return best
    }

    /// How well a name fits: less than 0 not at all, else the more the more of it is given.
    private static func score(_ name: String, for wanted: String) -> Int {
        if name == "*" { return 0 }
        guard HostNames.isWildcard(name) else { return name == wanted ? name.utf8.count + 1 : -1 }
        let suffix = name.utf8.dropFirst()
        return wanted.utf8.count > suffix.count && wanted.utf8.suffix(suffix.count).elementsEqual(suffix)
            ? suffix.count : -1
    }

    private func passedThrough(
        by server: ListenerPlan.Server,
        _ service: VirtualService,
        _ number: Int,
        _ name: String
    ) -> PassedThrough {
        let rule = service.tls[number]
        let resolver = DestinationResolver(
            namespace: rule.origin.namespace ?? service.metadata.namespace,
            ownerNamespace: service.metadata.namespace,
            serverPort: server.number,
            clusterDomain: environment.clusterDomain,
            catalog: knowledge.catalog
        )
        return PassedThrough(
            gateway: server.gateway.reference,
            object: rule.origin.object ?? service.origin,
            rule: rule.origin.rule ?? number,
            name: name,
            destinations: resolver.destinations(rule.route)
        )
    }
}
