// Wingmirror · Apache-2.0
// Istio's admission of HTTP rules: istio pkg/config/validation/{validation,virtualservice}.go.

/// Checks one HTTP rule of a VirtualService.
struct HTTPRuleValidation {
    let service: VirtualService
    let path: FieldPath
    var problems: ProblemList
    var patterns: PatternChecks

    mutating func check(_ rule: HTTPRule) {
        checkActions(rule)
        for (index, match) in rule.matches.enumerated() {
            check(match, at: path.member("match").element(index))
        }
        checkRoute(rule.route)
        checkMirrors(rule)
        if let redirect = rule.redirect { check(redirect, matches: rule.matches) }
        if let response = rule.directResponse { check(response) }
        if let rewrite = rule.rewrite { check(rewrite) }
        check(rule.headers, at: path.member("headers"))
        checkAuthorityRewrites(rule)
        if let fault = rule.fault { check(fault) }
        if let cors = rule.corsPolicy { check(cors) }
        SharedChecks.duration(rule.timeout, at: path.member("timeout"), &problems)
        if let retries = rule.retries { check(retries) }
    }

    // MARK: - Which parts may stand together

    private mutating func checkActions(_ rule: HTTPRule) {
        if rule.delegate != nil {
            problems.require(!service.isDelegate, path.member("delegate"), "must be absent in a delegate")
            problems.require(rule.route.isEmpty, path.member("route"), "must be absent beside delegate")
            problems.require(rule.redirect == nil, path.member("redirect"), "must be absent beside delegate")
            return
        }
        if rule.redirect != nil {
            forbid(rule, beside: "redirect")
            problems.require(
                rule.directResponse == nil,
                path.member("directResponse"),
                "must be absent beside redirect"
            )
        } else if rule.directResponse != nil {
            forbid(rule, beside: "directResponse")
        } else {
            problems.require(!rule.route.isEmpty, path, "must have one of route, redirect and directResponse")
        }
    }

    private mutating func forbid(_ rule: HTTPRule, beside action: String) {
        problems.require(rule.route.isEmpty, path.member("route"), "must be absent beside \(action)")
        problems.require(rule.fault == nil, path.member("fault"), "must be absent beside \(action)")
        problems.require(rule.rewrite == nil, path.member("rewrite"), "must be absent beside \(action)")
    }

    // MARK: - Destinations

    private mutating func checkRoute(_ route: [WeightedDestination]) {
        for (index, entry) in route.enumerated() {
            let place = path.member("route").element(index)
            SharedChecks.destination(entry.destination, at: place.member("destination"), &problems)
            check(entry.headers, at: place.member("headers"))
        }
        SharedChecks.weights(route, at: path.member("route"), &problems)
    }

    private mutating func checkMirrors(_ rule: HTTPRule) {
        if let mirror = rule.mirror {
            // Istio does not ask that of a rule that delegates.
            let isClear = rule.mirrors.isEmpty || rule.delegate != nil
            problems.require(isClear, path.member("mirrors"), "must be absent beside mirror")
            SharedChecks.destination(mirror, at: path.member("mirror"), &problems)
        }
        SharedChecks.percentage(rule.mirrorPercent.map(Double.init), at: path.member("mirrorPercent"), &problems)
        SharedChecks.percentage(rule.mirrorPercentage, at: path.member("mirrorPercentage"), &problems)
        for (index, mirror) in rule.mirrors.enumerated() {
            let place = path.member("mirrors").element(index)
            SharedChecks.destination(mirror.destination, at: place.member("destination"), &problems)
            SharedChecks.percentage(mirror.percentage, at: place.member("percentage"), &problems)
        }
    }
}
