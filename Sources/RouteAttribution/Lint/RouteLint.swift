// Wingmirror · Apache-2.0

/// Looks for what is valid and still not what its author can have meant.
///
/// Errors are left to validation and compilation; what is found here is a warning where something has no effect, and a
/// note where it only deserves a look.
public struct RouteLint {
    /// What was found, in the order of the checks.
    public private(set) var findings: [RouteFinding] = []

    let resources: RouteResources
    let table: RouteTable
    let gatewaysByReference: [String: Gateway]
    /// The hosts of objects that name a gateway.
    let boundHosts: Set<String>
    var environment: RouteEnvironment { table.environment }

    /// Checks objects against the table that was made of them.
    public init(_ resources: RouteResources, table: RouteTable) {
        self.resources = table.knowledge.accepted
        self.table = table
        gatewaysByReference = Dictionary(self.resources.gateways.map { ($0.reference, $0) }) { $1 }
        boundHosts = Set(
            self.resources.virtualServices.filter { $0.gateways.contains { $0 != "mesh" } }.flatMap(\.hosts)
        )
        checkGateways()
        checkWorkload()
        checkServers()
        for service in self.resources.virtualServices { check(service) }
        checkHiddenRoutes()
        checkIngresses()
        checkDestinations()
        checkSidecars()
        checkCutRoutes()
        checkShadows()
        checkOverlaps()
        checkNames()
        findings = resources.located(findings)
    }

    mutating func report(
        _ object: ObjectIdentity,
        _ code: FindingCode,
        _ path: String,
        _ message: String,
        severity: RouteFinding.Severity = .warning
    ) {
        findings.append(RouteFinding(object: object, severity: severity, code: code, path: path, message: message))
    }

    // MARK: - Gateways

    private mutating func checkGateways() {
        for gateway in resources.gateways where !gateway.selector.isContained(in: environment.labels) {
            let pairs = gateway.selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            report(
                gateway.origin,
                .otherWorkload,
                "spec.selector",
                "selects pods with \(pairs.joined(separator: ", ")), which this gateway's are not",
                severity: .note
            )
        }
    }

    // MARK: - VirtualServices

    private mutating func check(_ service: VirtualService) {
        checkRules(of: service)
        let references = service.gateways.map { ObjectReferences.gateway($0, namespace: service.metadata.namespace) }
        guard !service.isDelegate else { return }
        guard references.contains(where: { $0 != "mesh" }) else {
            checkMeshOnly(service)
            return
        }
        var known: [Gateway] = []
        for (index, reference) in references.enumerated() where reference != "mesh" {
            if let gateway = gatewaysByReference[reference] {
                known.append(gateway)
            } else if !table.gateways.contains(reference) {
                report(
                    service.origin,
                    .missingGateway,
                    "spec.gateways[\(index)]",
                    "there is no Gateway \(reference)\(nearestGateway(to: reference))"
                )
            }
        }
        checkShortHosts(of: service, appliesToMesh: references.contains("mesh"))
        checkApplicability(of: service, references)
        let carried = known.filter { $0.selector.isContained(in: environment.labels) }
        guard !carried.isEmpty else { return }
        checkVisibility(of: service)
        checkHosts(of: service, carried)
        checkTLSModes(of: service, carried)
    }

    /// Another Gateway that the reference can mean, in words; empty without one.
    func nearestGateway(to reference: String) -> String {
        let others = resources.gateways.map(\.reference)
        let name = reference.drop { $0 != "/" }
        guard
            let other = EditDistance.nearest(reference, among: others) ?? others.first(where: { $0.hasSuffix(name) })
        else { return "" }
        let isGuess = resources.gateways.first { $0.reference == other }?.metadata.namesNamespace == false
        return isGuess
            ? " (\(other) is there; its file names no namespace, which --namespace can say)" : " (\(other) is there)"
    }

    private mutating func checkShortHosts(of service: VirtualService, appliesToMesh: Bool) {
        // Such a host is for the mesh, where that is among the gateways and another host is for clients outside.
        if appliesToMesh, service.hosts.contains(where: { $0 == "*" || $0.contains(".") }) { return }
        for (index, host) in service.hosts.enumerated() where host != "*" && !host.contains(".") {
            let full = HostNames.expanded(
                host,
                namespace: service.metadata.namespace,
                clusterDomain: environment.clusterDomain
            )
            report(
                service.origin,
                .shortHost,
                "spec.hosts[\(index)]",
                "\(host) stands for \(full), so requests for the host \(host) do not reach it"
            )
        }
    }

    private mutating func checkVisibility(of service: VirtualService) {
        guard !Visibility(service, environment).includes(environment.namespace) else { return }
        report(
            service.origin,
            .hiddenFromGateway,
            "spec.exportTo",
            "hides the object from the gateway, whose pods run in \(environment.namespace); add that namespace"
        )
    }

    /// Routes of other kinds, of which istiod makes VirtualServices.
    private mutating func checkHiddenRoutes() {
        for object in table.knowledge.hiddenRoutes(environment) {
            report(object, .hiddenFromGateway, "metadata.namespace", environment.hidingDefault)
        }
    }

    private mutating func checkHosts(of service: VirtualService, _ gateways: [Gateway]) {
        let hosts = service.hosts.map {
            HostNames.expanded($0, namespace: service.metadata.namespace, clusterDomain: environment.clusterDomain)
        }
        let meets = gateways.contains { gateway in
            gateway.servers.indices.contains { index in
                let server = ListenerPlan.Server(gateway: gateway, index: index)
                return !AdmittedHosts(server.hosts(for: service.metadata.namespace)).intersection(hosts).isEmpty
            }
        }
        guard !meets else { return }
        let names = gateways.map(\.reference).joined(separator: ", ")
        report(
            service.origin,
            .disjointHosts,
            "spec.hosts",
            "no server of \(names) admits any of the hosts for namespace \(service.metadata.namespace)"
        )
    }

    private mutating func checkRules(of service: VirtualService) {
        let normalizer = environment.pathNormalizer
        for (index, rule) in service.http.enumerated() {
            guard let rule else { continue }
            let path = "spec.http[\(index)]"
            for (number, match) in rule.matches.enumerated() {
                checkPath(match, of: service, "\(path).match[\(number)]", normalizer)
            }
            checkRewrite(rule, of: service, path)
            checkPreflight(rule, of: service, path)
            let sum = rule.route.reduce(0) { $0 + Double($1.weight) }
            if rule.route.count > 1, sum != 100 {
                report(
                    service.origin,
                    .unusualWeights,
                    "\(path).route",
                    "the weights sum to \(rule.route.reduce(into: 0) { $0 = $0.addingReportingOverflow($1.weight).partialValue }); shares are weights divided by that sum",
                    severity: .note
                )
            }
            if let code = rule.redirect?.redirectCode, ![301, 302, 303, 307, 308].contains(code) {
                report(
                    service.origin,
                    .refusedTable,
                    "\(path).redirect.redirectCode",
                    "Envoy cannot redirect with \(code) and refuses the whole table; the one before it stays in force",
                    severity: .error
                )
            }
        }
        checkCut(service)
        checkRuleNames(service)
    }

    /// Rules behind one that takes every request, as far as that does not hang on port or source.
    private mutating func checkCut(_ service: VirtualService) {
        var taker: Int?
        for (index, rule) in service.http.enumerated() {
            guard let rule else { continue }
            if let taker {
                report(
                    service.origin,
                    .unreachableAfterCatchAll,
                    "spec.http[\(index)]",
                    "is never reached, because spec.http[\(taker)] takes every request; move it before that rule"
                )
            } else if rule.delegate == nil,
                rule.matches.isEmpty
                    || rule.matches.contains(where: {
                        $0.isCatchAll && $0.port == nil && $0.gateways.isEmpty && $0.sourceLabels.isEmpty
                            && $0.sourceNamespace.isEmpty
                    })
            {
                taker = index
            }
        }
    }

    private mutating func checkPath(
        _ match: HTTPMatch,
        of service: VirtualService,
        _ path: String,
        _ normalizer: PathNormalizer
    ) {
        let text: String
        let probe: String
        switch match.uri {
        case .exact(let value):
            text = value
            probe = value
        case .prefix(let value) where !value.isEmpty:
            text = value
            // What follows a prefix may make its last octets mean something else.
            probe = value + "x"
        case .regex(let value):
            checkCost(value, of: service, "\(path).uri.regex")
            checkPattern(value, match, of: service, "\(path).uri.regex")
            return
        default: return
        }
        var output: [UInt8] = []
        var buffer: [UInt8] = []
        let octets = Array(probe.utf8)
        let isUsable =
            text.hasPrefix("/") && !text.contains("?") && !text.contains("#")
            && normalizer.normalize(octets.span, into: &output, buffer: &buffer) && output == octets
        guard !isUsable else {
            checkGlob(match, of: service, "\(path).uri")
            return
        }
        let reason: String
        if !text.hasPrefix("/") {
            reason = "a path begins with a slash"
        } else if text.contains("?") || text.contains("#") {
            reason = "the query and fragment are no part of the path that is compared; use queryParams"
        } else {
            reason =
                "paths are normalised first (mesh.pathNormalization \(environment.pathNormalization.rawValue)), to "
                + String(decoding: output, as: UTF8.self)
        }
        report(service.origin, .impossiblePath, "\(path).uri", "no request path can have \(text): \(reason)")
    }

    private mutating func checkCost(_ text: String, of service: VirtualService, _ path: String) {
        guard let size = (try? RegularExpression(text))?.programSize, size > Self.costlyProgramSize else { return }
        report(
            service.origin,
            .costlyRegex,
            path,
            "the pattern compiles to \(size) instructions, which Envoy may be set to refuse",
            severity: .note
        )
    }

    /// The program size above which a pattern is told; Envoy warns from 100 on when it is asked to, a little pattern with
    /// a character class for Unicode passes that, and Istio's own limit lies far above.
    static let costlyProgramSize = 500
}
