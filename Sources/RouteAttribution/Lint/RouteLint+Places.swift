// Wingmirror · Apache-2.0

extension RouteLint {
    /// The object and field in which a route was written: for a delegate's rule, the delegate's.
    func place(of route: CompiledRoute) -> (object: ObjectIdentity, path: String) {
        let identity = route.identity
        switch identity.object.kind {
        case "HTTPRoute", "GRPCRoute":
            var path = "spec.rules[\(identity.rule)]"
            let written = resources.httpRoutes.first { $0.identity == identity.object }
            if let match = identity.match, let rules = written?.rules, rules.indices.contains(identity.rule),
                !rules[identity.rule].matches.isEmpty
            {
                path += ".matches[\(match)]"
            }
            return (identity.object, path)
        case "Ingress":
            let path = identity.match.map { ".http.paths[\($0)]" } ?? ""
            return (identity.object, "spec.rules[\(identity.rule)]\(path)")
        default:
            guard let delegate = identity.delegate else {
                let match = identity.match.map { ".match[\($0)]" } ?? ""
                return (identity.object, "spec.http[\(identity.rule)]\(match)")
            }
            let match = identity.mergedMatch?.delegate.map { ".match[\($0)]" } ?? ""
            return (delegate.object, "spec.http[\(delegate.rule)]\(match)")
        }
    }

    /// The field with a route's destinations, in the object that `place(of:)` names.
    func rulePath(of route: CompiledRoute) -> String {
        let identity = route.identity
        switch identity.object.kind {
        case "HTTPRoute", "GRPCRoute": return "spec.rules[\(identity.rule)].backendRefs"
        case "Ingress":
            let path = identity.match.map { ".http.paths[\($0)]" } ?? ""
            return "spec.rules[\(identity.rule)]\(path)"
        default: return "spec.http[\(identity.delegate?.rule ?? identity.rule)].route"
        }
    }
}
