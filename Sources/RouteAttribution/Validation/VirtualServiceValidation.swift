// Wingmirror · Apache-2.0
// Istio's admission of VirtualServices: istio pkg/config/validation/{validation,virtualservice}.go.

/// Checks one VirtualService.
struct VirtualServiceValidation {
    private(set) var problems = ProblemList()
    private let service: VirtualService
    private let spec = FieldPath.root.member("spec")

    init(_ service: VirtualService, patterns: inout PatternChecks) {
        self.service = service
        checkKind()
        checkGateways()
        checkHosts()
        SharedChecks.exportTo(service.exportTo, namespace: service.metadata.namespace, at: spec, &problems)
        for (index, rule) in service.http.enumerated() {
            let path = spec.member("http").element(index)
            guard let rule else {
                problems.add(path, "must not be null")
                continue
            }
            var check = HTTPRuleValidation(service: service, path: path, problems: problems, patterns: patterns)
            check.check(rule)
            problems = check.problems
            patterns = check.patterns
        }
        checkOpaqueRules()
    }

    private mutating func checkKind() {
        if service.http.isEmpty, service.tls.isEmpty, service.tcp.isEmpty {
            problems.add(spec, "must have http, tcp or tls rules")
        }
        guard service.isDelegate else { return }
        problems.require(service.gateways.isEmpty, spec.member("gateways"), "must be absent in a delegate")
        problems.require(service.tls.isEmpty, spec.member("tls"), "must be absent in a delegate")
        problems.require(service.tcp.isEmpty, spec.member("tcp"), "must be absent in a delegate")
    }

    private mutating func checkGateways() {
        SharedChecks.gateways(service.gateways, at: spec.member("gateways"), &problems)
    }

    private mutating func checkHosts() {
        var allValid = true
        for (index, host) in service.hosts.enumerated() {
            let path = spec.member("hosts").element(index)
            if !isHostName(host), !NameChecks.isAddress(host) {
                problems.add(path, "must be a domain name with at most a leading wildcard label, not \(host)")
                allValid = false
            } else if host == "*", service.appliesToMesh {
                problems.add(path, "must not be * while the object applies to the mesh")
                allValid = false
            }
        }
        guard allValid else { return }
        checkOverlaps()
    }

    /// Whether a host is a domain name, with a wildcard or not.
    ///
    /// Where an object for gateways has rules for TLS names, also one that Istio makes of a cluster, such as
    /// `outbound_.80_._.reviews.default.svc.cluster.local` (agent/validation.go
    /// ValidateWildcardDomainForVirtualServiceBoundToGateway).
    private func isHostName(_ host: String) -> Bool {
        guard host.hasPrefix("outbound_"), !service.appliesToMesh,
            service.tls.contains(where: { $0.matches.contains { !$0.sniHosts.isEmpty } })
        else { return NameChecks.isWildcardDomain(host) }
        let parts = host.split(separator: "_", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 && parts[1].hasPrefix(".") && parts[1].contains(where: \.isNumber)
            && parts[2].hasPrefix(".") && parts[3].hasPrefix(".") && parts[3].contains(where: \.isLetter)
    }

    /// Compares each host with those before it; of names without a wildcard there may be thousands, which a set holds.
    private mutating func checkOverlaps() {
        var exact: Set<String> = []
        var wildcards: [String] = []
        for (index, host) in service.hosts.enumerated() {
            let path = spec.member("hosts").element(index)
            guard HostNames.isWildcard(host) else {
                for other in wildcards where HostNames.isCovered(host, by: other) {
                    problems.add(path, "overlaps with \(other)")
                }
                if !exact.insert(host).inserted { problems.add(path, "overlaps with \(host)") }
                continue
            }
            for other in service.hosts[..<index]
            where HostNames.isCovered(host, by: other) || HostNames.isCovered(other, by: host) {
                problems.add(path, "overlaps with \(other)")
            }
            wildcards.append(host)
        }
    }

    private mutating func checkOpaqueRules() {
        for (index, rule) in service.tls.enumerated() {
            let path = spec.member("tls").element(index)
            checkRoute(of: rule, at: path)
            problems.require(!rule.matches.isEmpty, path.member("match"), "is missing")
            for (number, hosts) in rule.matches.map(\.sniHosts).enumerated() {
                let entry = path.member("match").element(number).member("sniHosts")
                problems.require(!hosts.isEmpty, entry, "is missing")
                for host in hosts where !NameChecks.isAddress(host) {
                    if !service.hosts.contains(where: { HostNames.isCovered(host, by: $0) }) {
                        problems.add(entry, "holds \(host), which is not among the hosts")
                    } else if !isHostName(host) {
                        problems.add(entry, "holds \(host), which is no domain name")
                    }
                }
            }
        }
        for (index, rule) in service.tcp.enumerated() {
            checkRoute(of: rule, at: spec.member("tcp").element(index))
        }
    }

    private mutating func checkRoute(of rule: OpaqueRule, at path: FieldPath) {
        problems.require(!rule.route.isEmpty, path.member("route"), "is missing")
        for (index, entry) in rule.route.enumerated() {
            let place = path.member("route").element(index)
            SharedChecks.destination(entry.destination, at: place.member("destination"), &problems)
        }
        SharedChecks.weights(rule.route, at: path.member("route"), &problems)
        for (index, match) in rule.matches.enumerated() {
            let place = path.member("match").element(index)
            if let port = match.port { SharedChecks.port(port, at: place.member("port"), &problems) }
            SharedChecks.gateways(match.gateways, at: place.member("gateways"), &problems)
        }
    }
}

/// Checks that several kinds share.
enum SharedChecks {
    static func exportTo(_ exportTo: [String], namespace: String, at spec: FieldPath, _ problems: inout ProblemList) {
        let path = spec.member("exportTo")
        var seen: Set<String> = []
        for (index, entry) in exportTo.enumerated() {
            let name = entry == "." ? namespace : entry
            if !seen.insert(name).inserted {
                problems.add(path.element(index), "names \(name) twice")
            } else if name == "~" {
                problems.add(path.element(index), "must not be ~")
            } else if name != "*", !NameChecks.isLabel(name) {
                problems.add(path.element(index), "must be *, . or a namespace, not \(entry)")
            }
        }
        if seen.contains("*"), exportTo.count > 1 {
            problems.add(path, "must not have other entries beside *")
        }
    }

    /// Checks the entries in order up to the first without a slash, where Istio stops looking.
    static func gateways(_ gateways: [String], at path: FieldPath, _ problems: inout ProblemList) {
        for (index, gateway) in gateways.enumerated() {
            let parts = gateway.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                problems.require(
                    NameChecks.isDomainName(gateway),
                    path.element(index),
                    "must be the name of a gateway, not \(gateway)"
                )
                return
            }
            if !NameChecks.isLabel(parts[0]) || !NameChecks.isLabel(parts[1]) {
                problems.add(path.element(index), "must be a namespace and a name, not \(gateway)")
            }
        }
    }

    /// A destination, which must be there.
    static func destination(_ destination: Destination?, at place: FieldPath, _ problems: inout ProblemList) {
        guard let destination else {
            problems.add(place, "is missing")
            return
        }
        if destination.host == "*" || !NameChecks.isWildcardDomain(destination.host) {
            problems.add(place.member("host"), "must be a name, not \(destination.host)")
        }
        if !destination.subset.isEmpty, !NameChecks.isLabel(destination.subset) {
            problems.add(place.member("subset"), "must be a DNS label, not \(destination.subset)")
        }
        if let port = destination.port {
            self.port(port, at: place.member("port").member("number"), &problems)
        }
    }

    /// Weights of a list, of several of which one must be above 0.
    static func weights(_ route: [WeightedDestination], at path: FieldPath, _ problems: inout ProblemList) {
        var sum = 0.0
        for (index, entry) in route.enumerated() {
            let place = path.element(index).member("weight")
            problems.require(entry.weight >= 0, place, "must not be negative")
            problems.require(entry.weight <= Int32.max, place, "must not be above \(Int32.max)")
            sum += Double(entry.weight)
        }
        if route.count > 1, sum == 0 { problems.add(path, "must have weights whose sum is above 0") }
    }

    static func port(_ port: Int, at path: FieldPath, _ problems: inout ProblemList) {
        problems.require((1...65_535).contains(port), path, "must lie in 1...65535, not \(port)")
    }

    static func percentage(_ value: Double?, at path: FieldPath, _ problems: inout ProblemList) {
        guard let value else { return }
        problems.require(value >= 0 && value <= 100, path, "must lie in 0...100, not \(value)")
    }

    /// A duration of at least a millisecond, in whole milliseconds.
    static func duration(_ text: String?, at path: FieldPath, _ problems: inout ProblemList) {
        guard let text else { return }
        guard let nanoseconds = GoDuration.nanoseconds(text) else {
            problems.add(path, "must be a duration such as 1.5s, not \(text)")
            return
        }
        problems.require(nanoseconds >= 1_000_000, path, "must be at least 1ms")
        problems.require(nanoseconds % 1_000_000 == 0, path, "must be in whole milliseconds")
    }
}
