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
        require(route.hostnames, spec.member("hostnames"))
        require(route.rules, spec.member("rules"))
        let count = route.rules.reduce(0) { $0 + $1.matches.count }
        problems.require(count <= 128, spec.member("rules"), "must not have more than 128 matches together")
        for (index, rule) in route.rules.enumerated() {
            let place = spec.member("rules").element(index)
            problems.require(rule.matches.count <= 64, place.member("matches"), "must not have more than 64 entries")
            for (number, match) in rule.matches.enumerated() {
                check(match, at: place.member("matches").element(number), &patterns)
            }
            checkFilters(rule, at: place)
            require(rule.backends, place.member("backendRefs"))
            for (number, backend) in rule.backends.enumerated() where !(0...1_000_000).contains(backend.weight) {
                problems.add(
                    place.member("backendRefs").element(number).member("weight"),
                    "must lie in 0...1000000, not \(backend.weight)"
                )
            }
        }
    }

    /// Most lists of the resource definition have 16 entries at most.
    private mutating func require(_ list: [some Any], _ place: FieldPath) {
        problems.require(list.count <= 16, place, "must not have more than 16 entries")
    }

    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]

    /// Which filters may stand together, and beside what.
    private mutating func checkFilters(_ rule: HTTPRoute.Rule, at place: FieldPath) {
        let filters = place.member("filters")
        require(rule.filters, filters)
        var replacesPrefix = false
        for (number, filter) in rule.filters.enumerated() {
            switch filter {
            case .redirect(let redirect):
                check(redirect, at: filters.element(number).member("requestRedirect"))
                replacesPrefix = replacesPrefix || !redirect.prefixRewrite.isEmpty
            case .rewrite(let rewrite):
                replacesPrefix = replacesPrefix || (!rewrite.uri.isEmpty && !rewrite.replacesWholePath)
            case .mirror, .later, .unknown: continue
            }
        }
        let kinds = rule.filters.map(\.kind)
        for kind in Self.singleFilters where kinds.count(where: { $0 == kind }) > 1 {
            problems.add(filters, "must not have \(kind) twice")
        }
        if kinds.contains("RequestRedirect") {
            problems.require(rule.backends.isEmpty, place, "must not have backendRefs beside RequestRedirect")
            problems.require(
                !kinds.contains("URLRewrite"),
                place,
                "must not have both RequestRedirect and URLRewrite"
            )
        }
        // A rule without matches has one for every path; one whose list is empty has none to the resource definition.
        if replacesPrefix,
            rule.hasEmptyMatches || rule.matches.count > 1
                || rule.matches.first.map({ $0.pathType != .pathPrefix }) == true
        {
            problems.add(place.member("matches"), "must be one with a PathPrefix, as a filter replaces the prefix")
        }
    }

    private static let singleFilters = [
        "RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS",
    ]

    private mutating func check(_ redirect: HTTPRedirect, at place: FieldPath) {
        let code = redirect.redirectCode ?? 302
        problems.require(
            [301, 302, 303, 307, 308].contains(code),
            place.member("statusCode"),
            "must be 301, 302, 303, 307 or 308, not \(code)"
        )
        problems.require(
            ["", "http", "https"].contains(redirect.scheme),
            place.member("scheme"),
            "must be http or https, not \(redirect.scheme)"
        )
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
        if match.pathType != .any, !match.isCall {
            problems.require(value.unicodeScalars.count <= 1024, valuePath, "is longer than 1024 characters")
        }
        if let method = match.method {
            problems.require(
                Self.methods.contains(method),
                place.member("method"),
                "must be a method in capital letters, not \(method)"
            )
        }
        check(match.headers, at: place.member("headers"), &patterns)
        check(match.queryParams, at: place.member("queryParams"), &patterns)
    }

    /// The conditions of one list, each name once.
    private mutating func check(_ conditions: [NamedMatch], at place: FieldPath, _ patterns: inout PatternChecks) {
        require(conditions, place)
        var names: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let entry = place.element(index)
            let name = condition.name
            if name.isEmpty {
                problems.add(entry.member("name"), "is missing")
            } else if !NameChecks.isToken(name) {
                problems.add(entry.member("name"), "must be the name of a header or parameter, not \(name)")
            } else if !names.insert(name).inserted {
                problems.add(entry.member("name"), "is \(name), as in an earlier entry")
            }
            let hasValue = condition.match == .present || !(condition.match?.text ?? "").isEmpty
            problems.require(hasValue, entry.member("value"), "must not be empty")
            if case .regex(let text)? = condition.match, let reason = patterns.reason(text) {
                problems.add(entry.member("value"), reason)
            }
        }
    }
}
