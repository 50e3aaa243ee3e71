// Wingmirror · Apache-2.0

/// What a table was made of and what was decided on the way, for explanations and lints; the lookup never reads it.
struct RouteKnowledge: Sendable {
    /// Every object that was decoded.
    let resources: RouteResources
    /// Those that count.
    let accepted: RouteResources
    /// All Gateways, what istiod makes of listeners and Ingresses among them.
    let gateways: [Gateway]
    /// All VirtualServices, what istiod makes of other routes among them.
    let services: [VirtualService]
    let plans: ListenerPlans
    let bound: BoundServices
    let catalog: ServiceCatalog
    let destinationRules: DestinationRules
    /// The servers of each host table, by its number.
    let servers: [[ListenerPlan.Server]]
    /// What validation and compilation found.
    let findings: [RouteFinding]
    /// The objects whose order the files tell: whether each has a creation time.
    let hasCreationTime: [ObjectIdentity: Bool]

    /// What was found about an object, of one kind.
    func finding(_ code: FindingCode, about object: ObjectIdentity) -> RouteFinding? {
        findings.first { $0.code == code && $0.object == object }
    }

    /// The routes of other kinds that the mesh's default for VirtualServices hides from the gateway, each once.
    ///
    /// One that is merged with an older route of a namespace that the gateway sees is not hidden with the others of its own.
    func hiddenRoutes(_ environment: RouteEnvironment) -> [ObjectIdentity] {
        let carried = Set(gateways.filter { $0.selector.isContained(in: environment.labels) }.map(\.reference))
        var seen: Set<ObjectIdentity> = []
        var hidden: [ObjectIdentity] = []
        for service in services
        where (service.isFromGatewayAPI || service.metadata.isGenerated) && !carried.isDisjoint(with: service.gateways)
        {
            let isVisible = Visibility(service, environment).includes(environment.namespace)
            let origins = service.http.map { $0?.origin.object } + service.tls.map(\.origin.object)
            for case let object? in origins {
                if isVisible { seen.insert(object) } else { hidden.append(object) }
            }
        }
        return hidden.filter { seen.insert($0).inserted }
    }

    /// Why the order of two objects is a guess; `nil` where the files tell it.
    ///
    /// Objects that istiod makes of Ingresses precede others whatever their age, so those are never guessed.
    func orderDoubt(_ first: ObjectIdentity, _ second: ObjectIdentity) -> String? {
        guard first != second, first.kind == "Ingress" ? second.kind == "Ingress" : second.kind != "Ingress",
            let one = hasCreationTime[first], let other = hasCreationTime[second], !one || !other
        else { return nil }
        return
            "the files give no creationTimestamp, and of two objects the older gets the requests: taken here by name, so a "
            + "cluster may answer otherwise"
    }
}

/// A rule or match entry of an object that its server's table does not have, and why.
struct LeftOutMatch: Sendable, Hashable {
    let object: ObjectIdentity
    let rule: Int
    let match: Int?
    let reason: String
    /// Whether an earlier rule that takes everything cut it off, rather than a condition on server or source.
    let isCut: Bool
}

extension RouteKnowledge {
    /// The rules and entries of a bound object that give no route for a server.
    func leftOut(
        _ bound: BoundService,
        gateway: String,
        port: Int,
        environment: RouteEnvironment
    ) -> [LeftOutMatch] {
        var result: [LeftOutMatch] = []
        var taker: String?
        for (index, rule) in bound.rules.enumerated() {
            let object = rule.origin.object ?? bound.service.origin
            let number = rule.origin.rule ?? index
            func leave(_ match: HTTPMatch?, _ reason: String, isCut: Bool) {
                result.append(
                    LeftOutMatch(
                        object: object,
                        rule: number,
                        match: match?.origin.entry,
                        reason: reason,
                        isCut: isCut
                    )
                )
            }
            guard !rule.matches.isEmpty else {
                if let taker { leave(nil, taker, isCut: true) }
                if taker == nil { taker = Self.cut(by: object, number, nil, bound) }
                continue
            }
            for match in rule.matches {
                if let taker {
                    leave(match, taker, isCut: true)
                } else if let reason = Self.inapplicability(
                    of: match,
                    namespace: bound.service.metadata.namespace,
                    gateway: gateway,
                    port: port,
                    environment
                ) {
                    leave(match, reason, isCut: false)
                } else if match.isCatchAll {
                    taker = Self.cut(by: object, number, match.origin.entry, bound)
                }
            }
        }
        return result
    }

    private static func cut(by object: ObjectIdentity, _ rule: Int, _ match: Int?, _ bound: BoundService) -> String {
        let place = "\(object) rule \(rule)" + (match.map { " match \($0)" } ?? "")
        return bound.service.isFromGatewayAPI
            ? "cut off: \(place) takes every path, and Istio puts it before regular expressions and stops there"
            : "cut off: \(place) takes every request, and Istio stops there"
    }

    /// Why a match entry gives no route at a server; `nil` where it does.
    static func inapplicability(
        of match: HTTPMatch,
        namespace: String,
        gateway: String,
        port: Int,
        _ environment: RouteEnvironment
    ) -> String? {
        if let wanted = match.port, wanted != port { return "only for server port \(wanted)" }
        guard match.gateways.isEmpty else {
            let names = match.gateways.map { ObjectReferences.gateway($0, namespace: namespace) }
            return names.contains(gateway) ? nil : "only for Gateway \(names.joined(separator: ", "))"
        }
        if !match.sourceLabels.isContained(in: environment.labels) {
            let pairs = match.sourceLabels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return
                "sourceLabels \(pairs.joined(separator: ", ")) are not those of the gateway's own pods, with which they are "
                + "compared"
        }
        if !match.sourceNamespace.isEmpty, match.sourceNamespace != environment.namespace {
            return "sourceNamespace \(match.sourceNamespace) is not that of the gateway's own pods "
                + "(\(environment.namespace)), with which it is compared"
        }
        return nil
    }
}
