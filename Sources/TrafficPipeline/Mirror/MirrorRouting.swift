// Wingmirror · Apache-2.0

public import RouteAttribution
public import ShadowTesting
public import TrafficModel

/// A mirroring plan together with what it means for the routes of all tables; immutable.
public final class MirrorRouting: Sendable {
    /// The plan.
    public let plan: MirrorPlan
    /// For each route of the tables, the policies that may concern its requests.
    private let masks: [UInt32]
    private let unroutedMask: UInt32
    /// The policies that take requests which were encrypted.
    let decryptedMask: UInt32
    private let names: [RouteName]

    /// Works out which policies can concern which routes.
    public init(_ plan: MirrorPlan, for tables: RouteTables) {
        self.plan = plan
        names = tables.routes.map { RouteName($0) }
        masks = plan.routeMasks(for: names)
        unroutedMask = plan.unroutedMask
        decryptedMask = plan.policies.enumerated().reduce(0) { mask, policy in
            policy.element.takesDecrypted ? mask | 1 << UInt32(policy.offset) : mask
        }
    }

    /// How many routes the tables have.
    var routeCount: Int { names.count }

    /// The policies that may concern the requests of a route; of no route below 0.
    func mask(ofRoute route: Int32) -> UInt32 {
        route >= 0 ? masks[Int(route)] : unroutedMask
    }

    /// The names that label a route's series; empty ones for no route.
    func name(ofRoute route: Int32) -> RouteName {
        route >= 0 ? names[Int(route)] : RouteName()
    }
}

extension RouteName {
    /// The names that label a route's series.
    public init(_ route: CompiledRoute) {
        self.init(
            virtualServiceNamespace: route.identity.object.namespace,
            virtualService: route.identity.object.name,
            route: route.label
        )
    }
}
