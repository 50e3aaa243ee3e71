// Wingmirror · Apache-2.0

/// Leaves out the objects that Istio's admission would refuse.
///
/// istiod does not check objects again once the API server has taken them, and its webhook may be absent or fail open; an
/// invalid object can therefore lie in a cluster. What the gateway makes of it is then unknown, so it counts for nothing
/// here and is reported.
struct ResourceValidation {
    /// The objects that count.
    private(set) var accepted: RouteResources
    private(set) var findings: [RouteFinding] = []

    /// Checks objects.
    ///
    /// - Parameters:
    ///   - resources: The objects.
    ///   - environment: What narrows them to those that istiod sees.
    ///   - cache: Patterns that need not be compiled again.
    init(_ resources: RouteResources, environment: RouteEnvironment, patterns cache: RegularExpressionCache) {
        accepted = resources
        var patterns = PatternChecks(cache)
        var scope = ObjectScope(resources, environment: environment)
        scope.narrow(&accepted)
        let resources = accepted
        var findings = scope.findings
        findings += resources.extensions.filter { $0.mayReach(environment, apiGateways: resources.apiGateways) }
            .map(\.finding)
        func keep<Model>(_ models: [Model], _ identity: (Model) -> ObjectIdentity, _ check: (Model) -> ProblemList)
            -> [Model]
        {
            models.filter { model in
                let problems = check(model)
                findings += problems.problems.map { Self.finding(identity(model), $0) }
                return problems.isEmpty
            }
        }
        accepted.virtualServices = keep(resources.virtualServices, \.origin) {
            patterns.objectBegan()
            return VirtualServiceValidation($0, patterns: &patterns).problems
        }
        accepted.gateways = keep(resources.gateways, \.origin) { GatewayValidation($0).problems }
        accepted.destinationRules = keep(resources.destinationRules, \.identity) {
            DestinationRuleValidation($0).problems
        }
        accepted.httpRoutes = keep(resources.httpRoutes, \.identity) {
            patterns.objectBegan()
            return HTTPRouteValidation($0, patterns: &patterns).problems
        }
        self.findings = findings
    }

    private static func finding(_ object: ObjectIdentity, _ problem: ResourceError) -> RouteFinding {
        RouteFinding(
            object: object,
            severity: .error,
            code: .refusedObject,
            path: problem.path,
            message: "\(problem.path) \(problem.message)"
        )
    }
}
