// Wingmirror · Apache-2.0

extension RouteLint {
    /// Whether any Gateway selects the workload, and what is only assumed of it.
    mutating func checkWorkload() {
        for gateway in resources.apiGateways where resources.isIstios(gateway) && !gateway.services.isEmpty {
            guard resources.serves(gateway, environment) else {
                report(
                    gateway.identity,
                    .otherWorkload,
                    "spec",
                    "is served by the pods of Service \(gateway.services.joined(separator: ", ")), which this gateway's are not",
                    severity: .note
                )
                continue
            }
            let isKnown = resources.services.contains {
                gateway.services.contains("\($0.metadata.namespace)/\($0.metadata.name)")
            }
            guard !isKnown, environment.labels["gateway.networking.k8s.io/gateway-name"] == nil,
                resources.apiGateways.count > 1 || !resources.gateways.isEmpty
            else { continue }
            report(
                gateway.identity,
                .assumedWorkload,
                "spec",
                "Service \(gateway.services.joined(separator: ", ")) is not among the objects; the Gateway is taken to be served by "
                    + "the same pods as the others, which Istio would deploy apart: gateway.labels with "
                    + "gateway.networking.k8s.io/gateway-name says which are meant",
                severity: .note
            )
        }
        guard !resources.gateways.isEmpty, !table.index.hasListeners,
            !resources.gateways.contains(where: { $0.selector.isContained(in: environment.labels) })
        else { return }
        let wanted = environment.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let labels = wanted.isEmpty ? "no labels" : wanted.joined(separator: ", ")
        let selectors = Set(resources.gateways.map(\.selector)).map { selector in
            selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        }.sorted()
        report(
            resources.gateways[0].origin,
            .assumedWorkload,
            "spec.selector",
            "no Gateway selects pods with \(labels) in \(environment.namespace), the gateway that is "
                + "looked at; they select \(selectors.joined(separator: "; ")): set gateway.labels and gateway.namespace, or "
                + "--gateway-selector and --gateway-namespace"
        )
    }

    /// Servers of one port that share a certificate, and redirects that lead nowhere.
    mutating func checkServers() {
        let served = Set(table.routes.map(\.identity.object))
        for plan in table.knowledge.plans.plans {
            checkSkipped(plan, served)
            checkCertificates(plan)
            checkRedirects(plan)
        }
    }

    /// Objects that get nothing because every server they are bound to is left out.
    private mutating func checkSkipped(_ plan: ListenerPlan, _ served: Set<ObjectIdentity>) {
        for (server, reason) in plan.skipped {
            for bound in table.knowledge.bound[server.gateway.reference] {
                guard bound.service.origin.kind == "VirtualService", !served.contains(bound.service.origin),
                    bound.service.tls.isEmpty,
                    !AdmittedHosts(server.hosts(for: bound.service.metadata.namespace)).intersection(bound.hosts)
                        .isEmpty
                else { continue }
                report(
                    bound.service.origin,
                    .skippedServer,
                    "spec.gateways",
                    "serves nothing: the server \(server.name) that it is bound to is left out, because \(reason)"
                )
            }
        }
    }

    private mutating func checkCertificates(_ plan: ListenerPlan) {
        var byCertificate: [String: ListenerPlan.Server] = [:]
        for server in plan.tls where server.settings.traffic == .terminatedHTTP {
            guard let tls = server.settings.tls else { continue }
            let names = tls.credentialNames.isEmpty ? [tls.credentialName] : tls.credentialNames
            for name in names where !name.isEmpty {
                guard let earlier = byCertificate[name] else {
                    byCertificate[name] = server
                    continue
                }
                let hosts = Set(server.serverNames)
                guard !hosts.isEmpty, hosts.isDisjoint(with: earlier.serverNames), !earlier.serverNames.isEmpty else {
                    continue
                }
                report(
                    server.gateway.origin,
                    .sharedCertificate,
                    "\(server.place).tls",
                    "has the certificate \(name) of \(earlier.name) and other hosts (\(server.serverNames.joined(separator: ", "))"
                        + " and \(earlier.serverNames.joined(separator: ", "))): browsers reuse a connection for both, and "
                        + "requests for the other host are answered 404; put the hosts into one server, or give each its "
                        + "own certificate"
                )
                break
            }
        }
    }

    private mutating func checkRedirects(_ plan: ListenerPlan) {
        let secure = table.knowledge.plans.plans.flatMap(\.tls)
        for server in plan.plain where server.redirectsToHTTPS {
            let hosts = server.entries.filter { entry in
                let name = Self.hostName(entry)
                return !secure.contains { other in
                    other.entries.contains { candidate in
                        let candidate = Self.hostName(candidate)
                        return HostNames.isCovered(name, by: candidate) || HostNames.isCovered(candidate, by: name)
                    }
                }
            }
            guard !hosts.isEmpty else { continue }
            report(
                server.gateway.origin,
                .redirectLeadsNowhere,
                "\(server.place).tls.httpsRedirect",
                "redirects \(hosts.map(Self.hostName).joined(separator: ", ")) to https, which no server of this gateway has; where "
                    + "a load balancer in front ends TLS, its requests are redirected for ever"
            )
        }
    }

    private static func hostName(_ entry: String) -> String {
        entry.firstIndex(of: "/").map { String(entry[entry.index(after: $0)...]) } ?? entry
    }

    /// Ingresses that are not Istio's although they look like it.
    mutating func checkIngresses() {
        let classes = Dictionary(resources.ingressClasses.map { ($0.metadata.name, $0.controller) }) { $1 }
        for ingress in resources.ingresses where !IngressConversion.counts(ingress, classes, environment.ingress) {
            report(
                ingress.identity,
                .foreignIngress,
                ingress.className == nil ? "metadata.annotations" : "spec.ingressClassName",
                "is not Istio's as far as the objects tell: \(ingress.foreignness(classes, environment.ingress))",
                severity: .note
            )
        }
    }
}

extension LookupIndex {
    /// Whether anything listens.
    var hasListeners: Bool { !listeners.isEmpty }
}
