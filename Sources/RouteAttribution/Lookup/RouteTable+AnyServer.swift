// Wingmirror · Apache-2.0
// Requests inside TLS whose client's hello was not captured whole. Whose routes Envoy asks is decided by the name in that hello
// (filter chain match), and by nothing in the request.

internal import TrafficModel

extension RouteTable {
    /// Servers that are asked for one request at most.
    private static var askedServers: Int { 64 }

    /// Which route takes a request that any TLS server of a listener may have received.
    ///
    /// - Returns: The decision that all servers agree on. Else it is unknown; with a route, if that is the only one that any
    ///   server has, and the others have none.
    @inline(never)
    func routeInAnyServer(
        _ request: RequestView,
        of listener: LookupListener,
        scratch: inout RouteScratch
    ) -> RouteDecision {
        guard listener.tls.count <= Self.askedServers else { return RouteDecision(.unknown, .unknownServerName) }
        var decisions: [RouteDecision] = []
        for server in listener.tls {
            decisions.append(
                server.table >= 0
                    ? route(request, in: index.tables[Int(server.table)], scratch: &scratch)
                    : RouteDecision(.noListener, .noListener)
            )
        }
        guard let first = decisions.first else { return RouteDecision(.noListener, .noListener) }
        if decisions.allSatisfy({ isSame($0, first) }) { return first }
        let routed = decisions.filter { $0.outcome == .route && $0.reason == .matched }
        if let only = routed.first, routed.allSatisfy({ isSame($0, only) }),
            routed.count + decisions.count(where: Self.isWithoutRoute) == decisions.count
        {
            return RouteDecision(.unknown, .unknownServerName, route: only.route, gateway: only.gateway)
        }
        let isOfOneGateway = decisions.allSatisfy { $0.gateway == first.gateway }
        return RouteDecision(.unknown, .unknownServerName, gateway: isOfOneGateway ? first.gateway : -1)
    }

    /// The Gateway of all TLS servers of a listener; `nil` where there are several.
    func gatewayOfAllServers(of listener: LookupListener) -> Int? {
        let gateways = Set(listener.tls.map { $0.table >= 0 ? index.tables[Int($0.table)].gateway : -1 })
        guard gateways.count == 1, let gateway = gateways.first, gateway >= 0 else { return nil }
        return Int(gateway)
    }

    /// Whether a request is treated alike: by the same rule, which each server has under a number of its own, or by none.
    private func isSame(_ first: RouteDecision, _ second: RouteDecision) -> Bool {
        if Self.isWithoutRoute(first) { return Self.isWithoutRoute(second) }
        guard first.outcome == second.outcome, first.reason == second.reason else { return false }
        guard first.route >= 0, second.route >= 0 else { return first.route == second.route }
        return first.route == second.route
            || routes[Int(first.route)].record == routes[Int(second.route)].record
    }

    private static func isWithoutRoute(_ decision: RouteDecision) -> Bool {
        decision.outcome == .noRoute && decision.reason != .conditional
    }
}
