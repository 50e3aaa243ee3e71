// Wingmirror · Apache-2.0
// Requests of which it is not known whose rules were asked. Which server's, is decided by the name in the client's TLS hello
// (Envoy's filter chain match); which virtual host's, by the authority. Either may not have been captured.

internal import TrafficModel

extension RouteTable {
    /// Servers, or virtual hosts, that are asked for one request at most.
    private static var askedCandidates: Int { 64 }

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
        // Without the authority too, each server asks all of its hosts.
        let limit = Self.askedCandidates / (request.traits.contains(.authorityUnknown) ? 8 : 1)
        guard listener.tls.count <= limit else { return RouteDecision(.unknown, .unknownServerName) }
        var decisions: [RouteDecision] = []
        for server in listener.tls {
            decisions.append(
                server.table >= 0
                    ? route(request, in: index.tables[Int(server.table)], scratch: &scratch)
                    : RouteDecision(.noListener, .noListener)
            )
        }
        return agreed(decisions, else: .unknownServerName)
    }

    /// Which route takes a request for any virtual host of a table, since its authority was not captured.
    ///
    /// - Returns: As for ``routeInAnyServer(_:of:scratch:)``.
    @inline(never)
    func routeOfAnyHost(
        _ request: RequestView,
        in table: LookupTable,
        scratch: inout RouteScratch
    ) -> RouteDecision {
        let unknown = RouteDecision(.unknown, .unknownFields, gateway: table.gateway)
        guard table.hostRange.count <= Self.askedCandidates,
            case .ready(let prepared) = prepare(request, isTLS: table.isTLS, scratch: &scratch)
        else { return unknown }
        var decisions: [RouteDecision] = []
        for host in table.hostRange {
            let decision = route(request, prepared, of: index.hosts[host], gateway: table.gateway, &scratch)
            if decision.outcome == .unknown { return unknown }
            decisions.append(decision)
        }
        if table.universalHost < 0 { decisions.append(RouteDecision(.noRoute, .noHost, gateway: table.gateway)) }
        return agreed(decisions, else: .unknownFields)
    }

    /// What all candidates say, or else that it is unknown for a reason, with the only route that there may be.
    private func agreed(_ decisions: [RouteDecision], else reason: RouteReason) -> RouteDecision {
        guard let first = decisions.first else { return RouteDecision(.noListener, .noListener) }
        // What every server would do is known although it is not which of them did.
        let gateway = decisions.allSatisfy { $0.gateway == first.gateway } ? first.gateway : -1
        if decisions.allSatisfy({ isSame($0, first) }) {
            return first.route >= 0 ? first : RouteDecision(first.outcome, first.reason, gateway: gateway)
        }
        let routed = decisions.filter { $0.outcome == .route && $0.reason == .matched }
        if let only = routed.first, routed.allSatisfy({ isSame($0, only) }),
            routed.count + decisions.count(where: Self.isWithoutRoute) == decisions.count,
            routes[Int(only.route)].action == .forward
        {
            return RouteDecision(.unknown, reason, route: only.route, gateway: gateway)
        }
        return RouteDecision(.unknown, reason, gateway: gateway)
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
