// Wingmirror · Apache-2.0

extension RouteTable {
    /// How many objects, and how many left-out rules, an explanation names.
    static let diagnosisLimit = 12

    /// Adds what the lookup does not say: which rules the table lacks, which objects have the host and why each is out, and
    /// which rule would take the request after the smallest change.
    func diagnose(
        _ request: DescribedRequest,
        _ reference: HostTableReference,
        _ explanation: inout RouteExplanation,
        scratch: inout RouteScratch
    ) {
        if reference.carriesHTTP, let host = explanation.host {
            explanation.leftOut = leftOut(host, Int(reference.index))
        }
        switch explanation.decision.outcome {
        case .noRoute, .noListener: break
        case .rejected:
            explanation.causes = explanation.decision.refusal.map { [$0.sentence] } ?? []
            return
        case .route, .httpsRedirect, .unknown: return
        }
        let diagnosis = RouteDiagnosis(table: self, request: request, reference: reference)
        explanation.causes = diagnosis.causes(explanation)
        if explanation.passedThrough == nil {
            explanation.nearest = nearestRule(to: request, scratch: &scratch)
        }
    }

    /// The rules that objects of a virtual host have and the table does not.
    private func leftOut(_ host: String, _ number: Int) -> [String] {
        var seen: Set<LeftOutMatch> = []
        var result: [String] = []
        let inTable = Set(routes.map { RoutePlace($0.identity) })
        for server in knowledge.servers[number] {
            let gateway = server.gateway.reference
            for bound in knowledge.bound[gateway] {
                let admitted = AdmittedHosts(server.hosts(for: bound.service.metadata.namespace))
                guard admitted.intersection(bound.hosts).contains(where: { HostNames.lowercased($0) == host }) else {
                    continue
                }
                let left = knowledge.leftOut(bound, gateway: gateway, port: server.number, environment: environment)
                for entry in left where seen.insert(entry).inserted {
                    guard !inTable.contains(RoutePlace(entry)) || !entry.isCut else { continue }
                    guard result.count < Self.diagnosisLimit else {
                        return result + ["and more rules that are not in this table"]
                    }
                    let match = entry.match.map { " match \($0)" } ?? ""
                    result.append("\(entry.object) rule \(entry.rule)\(match): \(entry.reason)")
                }
            }
        }
        return result
    }
}

/// An object's rule and match entry.
struct RoutePlace: Hashable {
    let object: ObjectIdentity
    let rule: Int
    let match: Int?

    init(_ identity: RouteIdentity) {
        object = identity.object
        rule = identity.rule
        match = identity.match
    }

    init(_ entry: LeftOutMatch) {
        object = entry.object
        rule = entry.rule
        match = entry.match
    }
}

/// Why no route takes a request, object by object.
struct RouteDiagnosis {
    let table: RouteTable
    let request: DescribedRequest
    let reference: HostTableReference

    private var knowledge: RouteKnowledge { table.knowledge }
    private var environment: RouteEnvironment { table.environment }

    /// The host of the request, without its port and in lower case.
    private var host: String {
        let octets = Array((request.authorityText ?? request.serverName ?? "").utf8)
        let range = RouteTable.withoutPort(octets.span, 0..<octets.count)
        return HostNames.lowercased(String(decoding: octets[range], as: UTF8.self))
    }

    /// A sentence for everything that has a part in the answer.
    func causes(_ explanation: RouteExplanation) -> [String] {
        var result = transportCauses(explanation) + preflightCauses(explanation)
        let host = host
        if !host.isEmpty {
            result += virtualServiceCauses(host, explanation)
            result += routeCauses(host)
            result += ingressCauses(host)
        }
        guard result.count > RouteTable.diagnosisLimit else { return result }
        let rest = result.count - RouteTable.diagnosisLimit
        return result.prefix(RouteTable.diagnosisLimit) + ["and \(rest) more objects that have this host"]
    }

    // MARK: - Where the connection arrives

    private func transportCauses(_ explanation: RouteExplanation) -> [String] {
        guard !reference.carriesHTTP, explanation.passedThrough == nil else { return [] }
        let ports = table.serverPorts
        guard !table.index.listeners.isEmpty else {
            return ["no Gateway of the objects selects this gateway's pods, so nothing listens"]
        }
        guard let listener = table.listener(for: request),
            let plan = knowledge.plans.byPodPort[listener.podPort]
        else {
            let there = ports.map(String.init).joined(separator: ", ")
            let missing = "no Gateway server has port \(request.port) (there is \(there))"
            if let pod = table.index.listeners.first(where: { $0.podPort == request.port }),
                let server = pod.serverPorts.min()
            {
                return ["\(missing); \(request.port) is the pod's port of server port \(server): add --port \(server)"]
            }
            return [
                "\(missing); if this is a NodePort or a forwarded port, add --port \(ports.first ?? 80)"
            ]
        }
        if listener.isRefused {
            return ["two TLS servers on port \(request.port) ask for one name, so Envoy refuses the listener"]
        }
        guard request.isTLS else {
            return plan.tls.isEmpty
                ? ["port \(request.port) is taken by a TCP server"]
                : [
                    "port \(request.port) speaks TLS, so a request in plain text gets no answer there; ask with https://"
                ]
        }
        if plan.tls.isEmpty { return ["port \(request.port) speaks plain HTTP, no TLS"] }
        return serverNameCauses(plan)
    }

    private func serverNameCauses(_ plan: ListenerPlan) -> [String] {
        let wanted = HostNames.lowercased(request.serverName ?? "")
        let covering = plan.tls.first { server in
            server.serverNames.isEmpty || server.serverNames.contains { HostNames.isCovered(wanted, by: $0) }
        }
        guard let server = covering else {
            let names = plan.tls.flatMap { $0.serverNames.isEmpty ? ["*"] : $0.serverNames }.prefix(8)
            return [
                "no server on port \(request.port) has the TLS name \(wanted) (they have \(names.joined(separator: ", "))), so the "
                    + "handshake fails"
            ]
        }
        let mode = server.settings.tls?.mode ?? "PASSTHROUGH"
        return [
            "\(server.name) covers the TLS name \(wanted) and passes TLS through (\(mode)), but no tls rule of an object has "
                + "the name, so the connection is closed"
        ]
    }

    /// A preflight that a rule with a CORS policy does not take because of its conditions.
    private func preflightCauses(_ explanation: RouteExplanation) -> [String] {
        let names = Set(request.lines.map { HostNames.lowercased($0.name) })
        guard request.methodText == "OPTIONS", names.isSuperset(of: ["origin", "access-control-request-method"]) else {
            return []
        }
        for entry in explanation.considered where table.routes[entry.route].metadata.hasCORSPolicy {
            guard case .condition(let words)? = entry.failure else { continue }
            let identity = table.routes[entry.route].identity
            return [
                "this is a CORS preflight; \(identity.object) rule \(identity.rule) has a corsPolicy, but its conditions do not take "
                    + "OPTIONS (\(words))"
            ]
        }
        return []
    }

    // MARK: - VirtualServices

    private func virtualServiceCauses(_ host: String, _ explanation: RouteExplanation) -> [String] {
        knowledge.resources.virtualServices.compactMap { service in
            guard !service.isDelegate, hosts(of: service).contains(where: { covers($0, host) }) else { return nil }
            return cause(of: service, host, explanation).map { "\(service.origin) has this host, but \($0)" }
        }
    }

    private func hosts(of service: VirtualService) -> [String] {
        service.hosts.map { written in
            // A port in a host is a mistake, and still says which host was meant.
            let name = written.prefix { $0 != ":" }
            return HostNames.lowercased(
                HostNames.expanded(
                    String(name),
                    namespace: service.metadata.namespace,
                    clusterDomain: environment.clusterDomain
                )
            )
        }
    }

    private func covers(_ name: String, _ host: String) -> Bool {
        name != "*" && HostNames.isCovered(host, by: name)
    }

    private func cause(of service: VirtualService, _ host: String, _ explanation: RouteExplanation) -> String? {
        if let refusal = knowledge.finding(.refusedObject, about: service.origin) {
            return "is refused: \(refusal.message)"
        }
        if let scope = knowledge.findings.first(where: {
            $0.code == .outOfScope && $0.object == service.origin && $0.severity == .note
        }) {
            return "counts for nothing: it \(scope.message)"
        }
        let references = service.gateways.map { ObjectReferences.gateway($0, namespace: service.metadata.namespace) }
            .filter { $0 != "mesh" }
        guard !references.isEmpty else {
            return "names no gateway, so it applies to the mesh only"
        }
        let exportTo = service.exportTo.isEmpty ? environment.defaultVirtualServiceExportTo : service.exportTo
        guard Visibility(service, environment).includes(environment.namespace)
        else {
            return
                "exportTo (\(exportTo.joined(separator: ", "))) hides it from \(environment.namespace), where the gateway runs"
        }
        let causes = references.compactMap { cause(of: service, through: $0, host, explanation) }
        // One Gateway that serves it is enough; then the host itself was found, and its routes say the rest.
        return causes.count < references.count ? nil : causes.joined(separator: "; ")
    }

    private func cause(
        of service: VirtualService,
        through reference: String,
        _ host: String,
        _ explanation: RouteExplanation
    ) -> String? {
        guard let gateway = knowledge.gateways.first(where: { $0.reference == reference }) else {
            if let refused = knowledge.resources.gateways.first(where: { $0.reference == reference }),
                let finding = knowledge.finding(.refusedObject, about: refused.origin)
            {
                return "its Gateway \(reference) is refused: \(finding.message)"
            }
            let others = knowledge.gateways.filter { !$0.isGenerated }.map(\.reference)
            let nearest = EditDistance.nearest(reference, among: others) ?? Self.sameName(reference, others)
            return "its Gateway \(reference) is not among the objects"
                + (nearest.map { " (\($0) is)" } ?? (others.count == 1 ? " (\(others[0]) is)" : ""))
        }
        guard gateway.selector.isContained(in: environment.labels) else {
            let pairs = gateway.selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return
                "its Gateway \(reference) selects pods with \(pairs.joined(separator: ", ")), which this gateway's are not"
        }
        let onPort = gateway.servers.indices.filter { gateway.servers[$0].port == request.port }
        guard !onPort.isEmpty else {
            let ports = gateway.servers.compactMap(\.port).map(String.init)
            return
                "its Gateway \(reference) has no server on port \(request.port) (it has \(ports.joined(separator: ", ")))"
        }
        if let skipped = knowledge.plans.plans.flatMap(\.skipped).first(where: {
            $0.server.gateway.reference == reference && onPort.contains($0.server.index)
        }), onPort.count == 1 {
            return "the server of its Gateway \(reference) on port \(request.port) is left out: \(skipped.reason)"
        }
        let servers = onPort.map { ListenerPlan.Server(gateway: gateway, index: $0) }
        let admitting = servers.filter { server in
            AdmittedHosts(server.hosts(for: service.metadata.namespace)).intersection(hosts(of: service))
                .contains { HostNames.isCovered(host, by: HostNames.lowercased($0)) }
        }
        guard let server = admitting.first else {
            let entries = servers.flatMap(\.entries).joined(separator: ", ")
            return
                "its Gateway \(reference) has \(entries) on port \(request.port), which does not admit this host for "
                + "namespace \(service.metadata.namespace)"
        }
        return cause(of: service, at: server, explanation)
    }

    private static func sameName(_ reference: String, _ others: [String]) -> String? {
        let name = reference.drop { $0 != "/" }
        return others.first { $0.hasSuffix(name) }
    }

    /// Why an object that a server admits has no route there for the request.
    private func cause(
        of service: VirtualService,
        at server: ListenerPlan.Server,
        _ explanation: RouteExplanation
    ) -> String? {
        switch server.settings.traffic {
        case .plainTCP: return "its server \(server.name) is for TCP, which carries no HTTP rules"
        case .opaqueTLS:
            if request.isTLS, explanation.passedThrough != nil { return nil }
            return "its server \(server.name) passes TLS through, where only tls rules count"
        case .plainHTTP where request.isTLS:
            return "its server \(server.name) speaks plain HTTP; ask with http://"
        case .terminatedHTTP where !request.isTLS:
            return "its server \(server.name) speaks TLS; ask with https://"
        case .terminatedHTTP:
            if let cause = causeOfOtherServer(server) { return cause }
        case .plainHTTP: break
        }
        guard !service.http.isEmpty else {
            return "it has no http rules, and tls rules have no effect where \(server.name) ends TLS"
        }
        let dropped = knowledge.findings.filter {
            [.missingDelegate, .conflictingDelegate].contains($0.code) && $0.object == service.origin
        }
        if let first = dropped.first { return "\(first.path) has no effect: \(first.message)" }
        guard
            explanation.host == nil
                || explanation.considered.allSatisfy({
                    table.routes[$0.route].identity.object != service.origin
                })
        else { return nil }
        if let host = explanation.host, hosts(of: service).contains(where: { HostNames.isWildcard($0) }),
            !hosts(of: service).contains(host)
        {
            return "\(host) is the more exact host, and only its routes are asked"
        }
        guard
            let bound = knowledge.bound[server.gateway.reference].first(where: {
                $0.service.origin == service.origin
            })
        else { return nil }
        let left = knowledge.leftOut(
            bound,
            gateway: server.gateway.reference,
            port: server.number,
            environment: environment
        )
        guard let first = left.first else { return nil }
        return "none of its rules applies at \(server.name): rule \(first.rule) \(first.reason)"
    }

    /// Why a connection does not reach a server that ends TLS; `nil` where it does, or reaches none.
    private func causeOfOtherServer(_ server: ListenerPlan.Server) -> String? {
        guard reference.carriesHTTP else { return nil }
        let reached = knowledge.servers[Int(reference.index)]
        let isReached = reached.contains {
            $0.gateway.reference == server.gateway.reference && $0.index == server.index
        }
        guard !isReached, let asked = reached.first else { return nil }
        // Servers of one Gateway are told apart by their place.
        let isOne = server.gateway.reference == asked.gateway.reference
        let names = [server, asked].map { "\($0.gateway.reference)\(isOne ? " \($0.place.dropFirst(5))" : "")" }
        return "\(names[0]) serves it for the TLS name "
            + "\(server.serverNames.isEmpty ? "*" : server.serverNames.joined(separator: ", ")); the connection for "
            + "\(request.serverName ?? "no name") only reaches \(names[1])"
    }

    // MARK: - Other kinds

    private func routeCauses(_ host: String) -> [String] {
        let hidden = knowledge.hiddenRoutes(environment)
        return knowledge.resources.httpRoutes.compactMap { route in
            let names = route.hostnames.map(HostNames.lowercased)
            guard names.contains(where: { covers($0, host) }) else { return nil }
            if let refusal = knowledge.finding(.refusedObject, about: route.identity) {
                return "\(route.identity) has this host, but is refused: \(refusal.message)"
            }
            if let finding = knowledge.finding(.unattachedRoute, about: route.identity) {
                return "\(route.identity) has this host, but is attached to nothing: \(finding.message)"
            }
            if hidden.contains(route.identity) {
                return "\(route.identity) has this host, but \(environment.hidingDefault)"
            }
            let gateways = Set(route.parents.filter { $0.kind == "Gateway" }.map { "\($0.namespace)/\($0.name)" })
            let others = knowledge.accepted.apiGateways.filter {
                gateways.contains("\($0.metadata.namespace)/\($0.metadata.name)")
                    && !knowledge.accepted.serves($0, environment)
            }
            guard !others.isEmpty, others.count == gateways.count else { return nil }
            let isOfNone = others.allSatisfy { $0.services.isEmpty }
            return
                "\(route.identity) has this host, but its Gateway \(gateways.sorted().joined(separator: ", ")) is served by "
                + (isOfNone
                    ? "no pods: its addresses name no Service of its namespace" : "other pods than this gateway's")
        }
    }

    private func ingressCauses(_ host: String) -> [String] {
        let classes = Dictionary(knowledge.resources.ingressClasses.map { ($0.metadata.name, $0.controller) }) { $1 }
        let hidden = knowledge.hiddenRoutes(environment)
        return knowledge.resources.ingresses.compactMap { ingress in
            guard ingress.rules.contains(where: { covers(HostNames.lowercased($0.host), host) && !$0.host.isEmpty })
            else { return nil }
            if hidden.contains(ingress.identity) {
                return "\(ingress.identity) has this host, but \(environment.hidingDefault)"
            }
            guard !IngressConversion.counts(ingress, classes, environment.ingress) else { return nil }
            return "\(ingress.identity) has this host, but is not Istio's as far as the objects tell: "
                + ingress.foreignness(classes, environment.ingress)
        }
    }
}

extension Ingress {
    /// Why Istio does not count an Ingress.
    func foreignness(_ classes: [String: String], _ settings: IngressSettings) -> String {
        if settings.mode == .off { return "mesh.ingressControllerMode is OFF" }
        if let annotation = metadata.annotations["kubernetes.io/ingress.class"] {
            return "its annotation names the class \(annotation), not \(settings.className)"
        }
        guard let name = className else { return "it names no class" }
        if let controller = classes[name] { return "its class \(name) is of \(controller)" }
        return "there is no IngressClass \(name)"
    }
}
