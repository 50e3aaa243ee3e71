// Wingmirror · Apache-2.0

extension RouteLint {
    /// Destinations whose Service, port or subset is not among the objects; only asked where others of the kind are.
    mutating func checkDestinations() {
        var seen: Set<String> = []
        for route in table.routes {
            for destination in route.destinations where !destination.isInvalid {
                let key = "\(route.identity.object) \(route.identity.rule) \(destination.cluster)"
                guard seen.insert(key).inserted else { continue }
                check(destination, of: route)
            }
        }
    }

    private mutating func check(_ destination: RouteDestination, of route: CompiledRoute) {
        let object = route.identity.delegate?.object ?? route.identity.object
        let path = rulePath(of: route)
        for problem in table.problems(of: destination) {
            // A backend without a Service was reported when it was converted; one that is hidden was not.
            let isHidden = table.knowledge.catalog.isHidden(destination.host)
            if problem.code == .unknownService, object.kind != "VirtualService", !isHidden { continue }
            report(object, problem.code, path, problem.message, severity: problem.severity)
        }
    }
}

/// Why requests to a destination are not answered by it.
struct DestinationProblem: Sendable {
    let code: FindingCode
    let message: String
    let severity: RouteFinding.Severity
}

extension RouteTable {
    /// What the objects tell against a destination of a route, each as a sentence.
    public func doubts(about destination: RouteDestination, of route: CompiledRoute) -> [String] {
        let status = ["HTTPRoute", "GRPCRoute"].contains(route.identity.object.kind) ? 500 : 503
        return problems(of: destination).map { problem in
            problem.severity == .note ? problem.message : "\(problem.message): answered \(status)"
        }
    }

    func problems(of destination: RouteDestination) -> [DestinationProblem] {
        var result: [DestinationProblem] = []
        let entry = knowledge.catalog[destination.host]
        if knowledge.catalog.isHidden(destination.host) {
            result.append(
                DestinationProblem(
                    code: .unknownService,
                    message:
                        "\(destination.host) is not exported to \(environment.namespace), the namespace of the gateway's pods",
                    severity: .warning
                )
            )
        } else if entry != nil {
            let known = knowledge.catalog.ports(of: destination.host)
            if !known.isEmpty, !known.contains(destination.port) {
                let ports = known.map(String.init).joined(separator: ", ")
                result.append(
                    DestinationProblem(
                        code: .unknownPort,
                        message: "\(destination.host) has no port \(destination.port) (it has \(ports))",
                        severity: .warning
                    )
                )
            }
        } else if knowledge.catalog.state(of: destination.host) == .absent {
            result.append(
                DestinationProblem(
                    code: .unknownService,
                    message: "there is no Service or ServiceEntry for \(destination.host) among the objects",
                    severity: .warning
                )
            )
        }
        if !destination.subset.isEmpty, let problem = subsetProblem(destination, entry?.service) {
            result.append(problem)
        }
        return result
    }

    private func subsetProblem(_ destination: RouteDestination, _ service: Service?) -> DestinationProblem? {
        let host = destination.host
        let all = knowledge.destinationRules[host]
        guard !all.isEmpty else {
            let hasAny = !knowledge.destinationRules.isEmpty
            return DestinationProblem(
                code: hasAny ? .unknownSubset : .notLookedAt,
                message: hasAny
                    ? "no DestinationRule defines subset \(destination.subset) of \(host)"
                    : "no DestinationRule is among the objects, so whether subset \(destination.subset) of \(host) exists is "
                        + "unknown",
                severity: hasAny ? .warning : .note
            )
        }
        let visible = visibleSubsets(of: host, service, all)
        guard !visible.contains(destination.subset) else { return nil }
        if let hidden = all.first(where: { $0.rule.subsets.contains(destination.subset) })?.rule {
            return DestinationProblem(
                code: .hiddenDestinationRule,
                message:
                    "\(hidden.identity) defines subset \(destination.subset) of \(host), but the gateway does not look there: "
                    + "it reads those of its own namespace, of the Service's and of \(environment.rootNamespace), as far as "
                    + "exportTo lets it",
                severity: .warning
            )
        }
        let defined = Set(all.flatMap { $0.rule.subsets.compactMap(\.self) }).sorted().joined(separator: ", ")
        return DestinationProblem(
            code: .unknownSubset,
            message: "no DestinationRule that the gateway uses defines subset \(destination.subset) of \(host)"
                + (defined.isEmpty ? "" : " (they define \(defined))"),
            severity: .warning
        )
    }

    /// The subsets that the gateway knows of a host: of the first namespace that has rules for it, in Istio's order.
    ///
    /// - Parameters:
    ///   - host: The host.
    ///   - service: Its Service; `nil` where that is not among the objects.
    ///   - rules: All rules that are for the host.
    /// - Returns: The names of the subsets.
    private func visibleSubsets(
        of host: String,
        _ service: Service?,
        _ rules: [DestinationRules.Entry]
    ) -> Set<String> {
        let suffix = ".svc.\(environment.clusterDomain)"
        // The namespace is part of a Service's name, also where the Service itself is not among the objects.
        let named = host.hasSuffix(suffix) ? host.dropLast(suffix.count).drop { $0 != "." }.dropFirst() : ""
        let namespaces = [
            environment.namespace, service?.metadata.namespace ?? String(named), environment.rootNamespace,
        ]
        for (index, namespace) in namespaces.enumerated() {
            if index == 0, namespace == environment.rootNamespace { continue }
            var best = ""
            var names: Set<String> = []
            for entry in rules where entry.rule.metadata.namespace == namespace {
                let rule = entry.rule
                let exportTo = rule.exportTo.isEmpty ? ["*"] : rule.exportTo
                guard Visibility(exportTo: exportTo, namespace: namespace).includes(environment.namespace) else {
                    continue
                }
                guard entry.pattern.utf8.count >= best.utf8.count else { continue }
                if entry.pattern != best { names = [] }
                best = entry.pattern
                names.formUnion(rule.subsets.compactMap(\.self))
            }
            if !best.isEmpty { return names }
        }
        return []
    }
}
