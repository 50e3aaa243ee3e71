// Wingmirror · Apache-2.0

internal import TrafficModel

/// Why a request is attributed as it is.
public struct RouteExplanation: Sendable {
    /// A route that was looked at.
    public struct Considered: Sendable {
        /// The index in `RouteTable.routes`.
        public let route: Int
        /// The first condition that does not hold; `nil` for the winner.
        public let failure: Failure?
    }

    /// Why a route does not take the request.
    public enum Failure: Sendable, Hashable, CustomStringConvertible {
        /// The path is another one than this.
        case path(String)
        /// The path fits, and this condition does not hold.
        case condition(String)
        /// The same as far as one can tell: the value of the header was taken out.
        case hidden(String)

        /// The reason in words.
        public var description: String {
            switch self {
            case .path(let wanted): "the path is not \(wanted)"
            case .condition(let words): words
            case .hidden(let words): "perhaps \(words): its value is not shown"
            }
        }
    }

    /// The answer, as the lookup gives it.
    public let decision: RouteDecision
    /// The pod ports that the server's traffic arrives at, in ascending order; empty without a listener.
    public internal(set) var podPorts: [Int] = []
    /// The port numbers of the servers behind the first of them, in ascending order.
    public internal(set) var serverPorts: [Int] = []
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
    /// Rules and match entries that the host's objects have and the table does not, with the reason, in words.
    public internal(set) var leftOut: [String] = []
    /// Why the answer may be another one in a cluster; `nil` where nothing is guessed.
    public internal(set) var doubt: String?
    /// Objects that have the host and take no part, each with the reason, in words.
    public internal(set) var causes: [String] = []
    /// The rule that would take the request after the smallest change; `nil` where there is none, or none is needed.
    public internal(set) var nearest: NearestRule?
    /// Where a connection goes whose TLS the gateway does not end.
    public internal(set) var passedThrough: PassedThrough?
}

extension RouteTable {
    /// Looks up a described request.
    public func route(_ request: DescribedRequest, scratch: inout RouteScratch) -> RouteDecision {
        route(request.view(), in: hostTable(for: request), scratch: &scratch)
    }

    /// Looks up a described request and says why the answer is what it is.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - scratch: Buffers of the calling thread.
    ///   - diagnoses: Whether to look for causes and the nearest rule too, which costs time in the number of objects.
    /// - Returns: The answer and what led to it.
    public func explain(
        _ request: DescribedRequest,
        scratch: inout RouteScratch,
        diagnoses: Bool = true
    ) -> RouteExplanation {
        let reference = hostTable(for: request)
        var explanation = lookedUp(request, reference, scratch: &scratch)
        if diagnoses { diagnose(request, reference, &explanation, scratch: &scratch) }
        return explanation
    }

    private func lookedUp(
        _ request: DescribedRequest,
        _ reference: HostTableReference,
        scratch: inout RouteScratch
    ) -> RouteExplanation {
        var explanation = RouteExplanation(decision: route(request.view(), in: reference, scratch: &scratch))
        let listener = listener(for: request)
        explanation.podPorts = podPorts(listener, of: request)
        explanation.serverPorts = Set(listener?.serverPorts ?? []).sorted()
        guard reference.carriesHTTP else {
            if request.isTLS { explanation.passedThrough = passedThrough(request) }
            return explanation
        }
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

    /// The pod ports of the server that a request names, or the one of the listener where it names a pod's.
    private func podPorts(_ listener: LookupListener?, of request: DescribedRequest) -> [Int] {
        guard let listener else { return [] }
        guard !request.isPodPort, listener.serverPorts.contains(request.port) else { return [listener.podPort] }
        return index.listeners.filter { $0.serverPorts.contains(request.port) }.map(\.podPort)
    }

    func hostTable(for request: DescribedRequest) -> HostTableReference {
        let listener = listener(for: request)
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
        var hidden: String?
        defer {
            if let hidden, explanation.doubt == nil {
                explanation.doubt = "it depends on header \(hidden), whose value is not shown here"
            }
        }
        for position in 0..<host.routes.count {
            let number = Int(index.hostRoutes[Int(host.routes.first + position)])
            let route = index.routes[number]
            var failure: RouteExplanation.Failure?
            if !matcher.pathMatches(route, target.span.extracting(first: prepared.pathCount)) {
                failure = .path(pathText(route))
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
                    let condition = index.conditions[Int(route.firstCondition) + failed]
                    let words = conditionText(condition)
                    failure = isHidden(condition, of: request) ? .hidden(words) : .condition(words)
                    if isHidden(condition, of: request) { hidden = hidden ?? text(condition.name) }
                }
            }
            explanation.considered.append(RouteExplanation.Considered(route: number, failure: failure))
            if failure == nil {
                for place in 0..<Int(route.conditionCount) where hidden == nil {
                    let condition = index.conditions[Int(route.firstCondition) + place]
                    if isHidden(condition, of: request) { hidden = text(condition.name) }
                }
                explanation.doubt = doubt(
                    about: number,
                    before: (position + 1)..<host.routes.count,
                    of: host,
                    view,
                    prepared,
                    target
                )
                return
            }
        }
    }

    /// Whether a condition is on a header whose value is not known; that it is there is known.
    private func isHidden(_ condition: LookupCondition, of request: DescribedRequest) -> Bool {
        guard !request.hiddenNames.isEmpty, condition.test != .present else { return false }
        return switch condition.subject {
        case .method, .scheme, .authority, .target, .parameter, .claim, .removedField, .unseenField: false
        default: request.hiddenNames.contains(HostNames.lowercased(text(condition.name)))
        }
    }

    /// Whether a later route of another object would take the request too, and only a guess puts it behind.
    private func doubt(
        about winner: Int,
        before rest: Range<UInt32>,
        of host: LookupHost,
        _ view: RequestView,
        _ prepared: PreparedRequest,
        _ target: [UInt8]
    ) -> String? {
        let object = routes[winner].identity.object
        var joined: [UInt8] = []
        for position in rest.prefix(Self.doubtSearchLimit) {
            let number = Int(index.hostRoutes[Int(host.routes.first + position)])
            let other = routes[number]
            guard other.identity.object != object, routes[winner].isCatchAll == other.isCatchAll,
                matcher.pathMatches(index.routes[number], target.span.extracting(first: prepared.pathCount))
            else { continue }
            var sawUnseen = false
            let failed = matcher.firstFailure(
                index.routes[number],
                view,
                prepared,
                target: target.span,
                joined: &joined,
                sawUnseen: &sawUnseen
            )
            guard failed == nil else { continue }
            return knowledge.orderDoubt(object, other.identity.object).map {
                "\(other.identity.object) rule \(other.identity.rule) would take it too; \($0)"
            }
        }
        return nil
    }

    /// How many routes behind the winner are looked at for one that only a guess puts there.
    private static let doubtSearchLimit = 1000

    // MARK: - Words

    /// The text of a range of the arena.
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
