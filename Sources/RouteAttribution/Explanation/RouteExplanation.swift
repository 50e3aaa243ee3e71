// Wingmirror · Apache-2.0

import HTTPMessages

/// Why a request is attributed as it is.
public struct RouteExplanation: Sendable {
    /// A route that was looked at.
    public struct Considered: Sendable {
        /// The index in `RouteTable.routes`.
        public let route: Int
        /// The first condition that does not hold, in words; `nil` for the winner.
        public let failure: String?
    }

    /// The answer, as the lookup gives it.
    public let decision: RouteDecision
    /// The pod port that the server's traffic arrives at; `nil` without a listener.
    public internal(set) var podPort: Int?
    /// The authority without its port, in lower case.
    public internal(set) var hostLookedUp = ""
    /// The virtual host; `nil` where none was found.
    public internal(set) var host: String?
    /// Virtual hosts that also cover the name and lost to a more specific one, which routes never fall back to.
    public internal(set) var lostHosts: [String] = []
    /// The path as the proxy matches it.
    public internal(set) var path = ""
    /// The routes of the virtual host in match order, up to the winner.
    public internal(set) var considered: [Considered] = []
}

extension RouteTable {
    /// Looks up a described request.
    public func route(_ request: DescribedRequest, scratch: inout RouteScratch) -> RouteDecision {
        route(request.view(), in: hostTable(for: request), scratch: &scratch)
    }

    /// Looks up a described request and says why the answer is what it is.
    public func explain(_ request: DescribedRequest, scratch: inout RouteScratch) -> RouteExplanation {
        let reference = hostTable(for: request)
        var explanation = RouteExplanation(decision: route(request.view(), in: reference, scratch: &scratch))
        explanation.podPort = listener(serverPort: request.port)?.podPort
        guard reference.carriesHTTP else { return explanation }
        let table = index.tables[Int(reference.index)]
        guard case .ready(let prepared) = prepare(request.view(), isTLS: table.isTLS, scratch: &scratch) else {
            return explanation
        }
        describeHosts(request, table, prepared, &explanation)
        var target: [UInt8] = scratch.target
        if !prepared.isRewritten {
            let octets = request.view().octets.extracting(prepared.target)
            target = octets.indices.map { octets[$0] }
        }
        explanation.path = String(decoding: target[..<prepared.pathCount], as: UTF8.self)
        let host = findHost(in: table, request.view().octets, prepared.authority)
        guard host >= 0, explanation.decision.outcome != .httpsRedirect else { return explanation }
        considerRoutes(of: index.hosts[Int(host)], request, prepared, target, &explanation)
        return explanation
    }

    private func hostTable(for request: DescribedRequest) -> HostTableReference {
        let listener = listener(serverPort: request.port)
        guard request.isTLS else { return plainTable(listener) }
        let name = Array((request.serverName ?? "").utf8)
        return tlsTable(listener, serverName: name.span)
    }

    private func describeHosts(
        _ request: DescribedRequest,
        _ table: LookupTable,
        _ prepared: PreparedRequest,
        _ explanation: inout RouteExplanation
    ) {
        let octets = request.view().octets
        let name = HostNames.lowercased(
            String(decoding: Self.withoutPort(octets, prepared.authority).map { octets[$0] }, as: UTF8.self)
        )
        explanation.hostLookedUp = name
        let chosen = findHost(in: table, octets, prepared.authority)
        if chosen >= 0 { explanation.host = text(index.hosts[Int(chosen)].name) }
        for number in table.hostRange where number != Int(chosen) {
            let candidate = text(index.hosts[number].name)
            if HostNames.isWildcard(candidate), HostNames.isCovered(name, by: candidate) {
                explanation.lostHosts.append(candidate)
            }
        }
        explanation.lostHosts.sort { $0.utf8.count > $1.utf8.count }
    }

    private func considerRoutes(
        of host: LookupHost,
        _ request: DescribedRequest,
        _ prepared: PreparedRequest,
        _ target: [UInt8],
        _ explanation: inout RouteExplanation
    ) {
        let view = request.view()
        var joined: [UInt8] = []
        for position in 0..<host.routeCount {
            let number = Int(index.hostRoutes[Int(host.firstRoute + position)])
            let route = index.routes[number]
            var failure: String?
            if !matcher.pathMatches(route, target.span.extracting(first: prepared.pathCount)) {
                failure = "the path is not \(pathText(route))"
            } else {
                var sawUnseen = false
                let failed = matcher.firstFailure(
                    route,
                    view,
                    prepared,
                    target: target.span,
                    joined: &joined,
                    sawUnseen: &sawUnseen
                )
                if let failed {
                    failure = conditionText(index.conditions[Int(route.firstCondition) + failed])
                }
            }
            explanation.considered.append(RouteExplanation.Considered(route: number, failure: failure))
            if failure == nil { return }
        }
    }

    // MARK: - Words

    /// The virtual hosts of every host table, each with its routes in match order.
    func text(_ range: OctetRange) -> String {
        String(decoding: index.arena[range.indices], as: UTF8.self)
    }

    private func pathText(_ route: LookupRoute) -> String {
        let value = text(route.path) + (route.ignoresCase ? " (any case)" : "")
        return switch route.test {
        case .any: "any"
        case .exact: "exactly \(value)"
        case .prefix: "one that begins with \(value)"
        case .segmentPrefix: "\(value) or below it"
        case .regex: "matched whole by \(route.pattern >= 0 ? index.patterns[Int(route.pattern)].text : "")"
        }
    }

    private func conditionText(_ condition: LookupCondition) -> String {
        let subject =
            switch condition.subject {
            case .method: "the method"
            case .scheme: "the scheme"
            case .authority: "the authority"
            case .target: "the path with query"
            case .parameter: "query parameter \(text(condition.name))"
            case .claim: "token claim \(text(condition.name))"
            case .removedField: "header \(text(condition.name)), which the gateway removes,"
            case .unseenField: "header \(text(condition.name)), which the gateway sets,"
            default: "header \(text(condition.name))"
            }
        let test =
            switch condition.test {
            case .present: "present"
            case .exact: "exactly '\(text(condition.value))'"
            case .prefix: "one that begins with '\(text(condition.value))'"
            case .regex: "matched whole by \(condition.pattern >= 0 ? index.patterns[Int(condition.pattern)].text : "")"
            }
        return condition.isNegated
            ? "\(subject) must not be \(test), or count as it when missing" : "\(subject) is not \(test)"
    }
}
