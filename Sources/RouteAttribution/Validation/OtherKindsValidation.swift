// Wingmirror · Apache-2.0

/// Checks a DestinationRule, as Istio's admission does.
struct DestinationRuleValidation {
    private(set) var problems = ProblemList()

    init(_ rule: DestinationRule) {
        let spec = FieldPath.root.member("spec")
        problems.require(
            NameChecks.isWildcardDomain(rule.host) || NameChecks.isAddress(rule.host),
            spec.member("host"),
            "must be a name, not \(rule.host)"
        )
        var names: Set<String> = []
        for (index, subset) in rule.subsets.enumerated() {
            let place = spec.member("subsets").element(index)
            guard let subset else {
                problems.add(place, "must not be null")
                continue
            }
            problems.require(NameChecks.isLabel(subset), place.member("name"), "must be a DNS label, not \(subset)")
            problems.require(names.insert(subset).inserted, place.member("name"), "is used by an earlier subset")
        }
        // What a DestinationRule hides has no part in attribution, so `~` is not asked after here.
        SharedChecks.exportTo(rule.exportTo, namespace: rule.metadata.namespace, at: spec, &problems)
    }
}

/// Checks an HTTPRoute, as its resource definition and Istio's conversion do.
struct HTTPRouteValidation {
    private(set) var problems = ProblemList()

    init(_ route: HTTPRoute, patterns: inout PatternChecks) {
        let spec = FieldPath.root.member("spec")
        for (index, hostname) in route.hostnames.enumerated() {
            let isName = NameChecks.isRouteHostname(hostname)
            problems.require(isName, spec.member("hostnames").element(index), "must be a domain name, not \(hostname)")
        }
        problems.require(route.rules.count <= 16, spec.member("rules"), "must not have more than 16 entries")
        for (index, rule) in route.rules.enumerated() {
            let place = spec.member("rules").element(index)
            problems.require(rule.matches.count <= 64, place.member("matches"), "must not have more than 64 entries")
            for (number, match) in rule.matches.enumerated() {
                check(match, at: place.member("matches").element(number), &patterns)
            }
            checkFilters(rule, at: place)
            for (number, backend) in rule.backends.enumerated() where backend.weight < 0 {
                problems.add(place.member("backendRefs").element(number).member("weight"), "must not be negative")
            }
        }
    }

    /// Which filters may stand together, and beside what.
    private mutating func checkFilters(_ rule: HTTPRoute.Rule, at place: FieldPath) {
        var redirects = 0
        var rewrites = 0
        var replacesPrefix = false
        for filter in rule.filters {
            switch filter {
            case .redirect(let redirect):
                redirects += 1
                replacesPrefix = replacesPrefix || !redirect.prefixRewrite.isEmpty
            case .rewrite(let rewrite):
                rewrites += 1
                replacesPrefix = replacesPrefix || (!rewrite.uri.isEmpty && !rewrite.replacesWholePath)
            case .mirror, .later, .unknown: continue
            }
        }
        let filters = place.member("filters")
        problems.require(redirects < 2, filters, "must not have RequestRedirect twice")
        problems.require(rewrites < 2, filters, "must not have URLRewrite twice")
        if redirects > 0 {
            problems.require(rule.backends.isEmpty, place, "must not have backendRefs beside RequestRedirect")
            problems.require(rewrites == 0, place, "must not have both RequestRedirect and URLRewrite")
        }
        // A rule without matches has one for every path.
        if replacesPrefix, rule.matches.count > 1 || rule.matches.first.map({ $0.pathType != .pathPrefix }) == true {
            problems.add(place.member("matches"), "must be one with a PathPrefix, as a filter replaces the prefix")
        }
    }

    /// Whether a path has no other characters than the resource definition allows.
    private static func isPath(_ value: String) -> Bool {
        let octets = Array(value.utf8)
        return octets.indices.allSatisfy { index in
            let octet = octets[index]
            guard octet == UInt8(ascii: "%") else {
                return PathNormalizer.isPlain(octet) && octet != UInt8(ascii: "[") && octet != UInt8(ascii: "]")
            }
            return octets.dropFirst(index + 1).prefix(2).count { Character(Unicode.Scalar($0)).isHexDigit } == 2
        }
    }

    private mutating func check(_ match: HTTPRouteMatch, at place: FieldPath, _ patterns: inout PatternChecks) {
        let value = match.pathValue
        let valuePath = place.member("path").member("value")
        if match.pathType == .any || (match.isCall && match.pathType != .regularExpression) {
            // The service and method of a GRPCRoute are names, not a path that was written.
        } else if match.pathType == .regularExpression {
            if let reason = patterns.reason(value) { problems.add(valuePath, reason) }
        } else {
            problems.require(value.hasPrefix("/"), valuePath, "must begin with a slash")
            for part in ["//", "/./", "/../", "%2f", "%2F", "#"] where value.contains(part) {
                problems.add(valuePath, "must not contain \(part)")
            }
            problems.require(
                !value.hasSuffix("/.") && !value.hasSuffix("/.."),
                valuePath,
                "must not end in a dot segment"
            )
            problems.require(Self.isPath(value), valuePath, "must have characters of a path only, others escaped")
        }
        for (key, conditions) in [("headers", match.headers), ("queryParams", match.queryParams)] {
            for (index, condition) in conditions.enumerated() {
                let entry = place.member(key).element(index)
                problems.require(!condition.name.isEmpty, entry.member("name"), "is missing")
                let hasValue = condition.match == .present || !(condition.match?.text ?? "").isEmpty
                problems.require(hasValue, entry.member("value"), "must not be empty")
                if case .regex(let text)? = condition.match, let reason = patterns.reason(text) {
                    problems.add(entry.member("value"), reason)
                }
            }
        }
    }
}
