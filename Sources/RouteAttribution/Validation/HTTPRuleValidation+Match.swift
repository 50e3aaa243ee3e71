// Wingmirror · Apache-2.0

extension HTTPRuleValidation {
    mutating func check(_ match: HTTPMatch, at place: FieldPath) {
        // Only here may a prefix be empty.
        if let uri = match.uri { check(uri, at: place.member("uri"), allowsEmptyPrefix: true) }
        check(match.scheme, at: place.member("scheme"))
        check(match.method, at: place.member("method"))
        check(match.authority, at: place.member("authority"))
        for header in match.headers {
            let field = place.member("headers").member(header.name)
            checkName(header.name, at: field)
            problems.require(header.match != nil, field, "must not be null")
            check(header.match, at: field)
        }
        for header in match.withoutHeaders {
            let field = place.member("withoutHeaders").member(header.name)
            checkName(header.name, at: field)
            if header.match != .regex("*") { check(header.match, at: field) }
        }
        for parameter in match.queryParams {
            check(parameter.match, at: place.member("queryParams").member(parameter.name))
        }
        if let port = match.port { SharedChecks.port(port, at: place.member("port"), &problems) }
        for (key, value) in match.sourceLabels {
            let isValid = NameChecks.isLabelKey(key) && NameChecks.isLabelValue(value)
            problems.require(isValid, place.member("sourceLabels").member(key), "must be a valid label")
        }
        if !match.sourceNamespace.isEmpty {
            problems.require(
                NameChecks.isLabel(match.sourceNamespace),
                place.member("sourceNamespace"),
                "must be a namespace"
            )
        }
        SharedChecks.gateways(match.gateways, at: place.member("gateways"), &problems)
    }

    private mutating func check(_ match: StringMatch?, at place: FieldPath, allowsEmptyPrefix: Bool = false) {
        switch match {
        case .prefix("") where !allowsEmptyPrefix: problems.add(place.member("prefix"), "must not be empty")
        case .regex(let text):
            if let reason = patterns.reason(text) { problems.add(place.member("regex"), reason) }
        default: return
        }
    }

    /// A field name, a pseudo-header field or a claim of a token.
    private mutating func checkName(_ name: String, at place: FieldPath) {
        if Self.isClaim(name) {
            problems.require(!service.appliesToMesh, place, "must not be used while the object applies to the mesh")
            return
        }
        let pseudo = [":method", ":scheme", ":authority", ":path", ":status"]
        problems.require(NameChecks.isToken(name) || pseudo.contains(name), place, "must be a field name")
    }

    /// Whether a name stands for a claim of a token: `@request.auth.claims.x` or `@request.auth.claims[x]` (Istio pkg/jwt).
    private static func isClaim(_ name: String) -> Bool {
        let beginning = "@request.auth.claims"
        guard HostNames.lowercased(name).hasPrefix(beginning) else { return false }
        let claim = name.dropFirst(beginning.count)
        return claim.hasPrefix(".") && claim.count > 1
            || claim.hasPrefix("[") && claim.hasSuffix("]") && claim.count > 2
    }
}
