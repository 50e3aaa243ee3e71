// Wingmirror · Apache-2.0

public import TrafficModel

/// All routes of a gateway workload, ready to be looked up; never changed once made.
///
/// A table is made in the slow half (`compile`), from objects, as istiod makes what it sends to the proxy. The fast half
/// answers two questions: which host table a connection leads to (`hostTable(podPort:)`), once per connection, and which
/// route takes a request (`route(_:in:scratch:)`). A lookup reads flat arrays of plain values: it takes no lock, builds
/// no string and allocates nothing, and its cost does not grow with hosts and path values that cannot match.
public final class RouteTable: Sendable {
    /// The routes; a route's number is its index.
    public let routes: [CompiledRoute]
    /// The Gateways that requests are counted under, `namespace/name`.
    public let gateways: [String]
    /// What was made for.
    public let environment: RouteEnvironment

    /// What the table was made of; only explanations look at it.
    let knowledge: RouteKnowledge

    let matcher: RouteMatcher
    private let preparation: RequestPreparation
    private let byPodPort: [UInt16: Int32]
    /// Why a port without a listener has none.
    private let absence: RouteReason

    var index: LookupIndex { matcher.index }

    /// A table without routes, where every request ends at no listener.
    public convenience init() {
        let environment = RouteEnvironment()
        let compiler = RouteTableCompiler(
            RouteResources(),
            environment: environment,
            patterns: RegularExpressionCache()
        )
        self.init(
            compiler,
            environment: environment,
            knowledge: compiler.knowledge(of: RouteResources(), accepted: RouteResources(), refusals: [])
        )
    }

    init(_ compiler: RouteTableCompiler, environment: RouteEnvironment, knowledge: RouteKnowledge) {
        self.knowledge = knowledge
        self.environment = environment
        routes = compiler.routes
        gateways = compiler.index.gateways
        matcher = RouteMatcher(
            index: compiler.index.index,
            testsLinesOneByOne: environment.matchesHeaderLinesOneByOne
        )
        preparation = RequestPreparation(
            normalizer: environment.pathNormalizer,
            trustedProxies: environment.trustedProxies,
            takesHTTP10: environment.takesHTTP10
        )
        var byPodPort: [UInt16: Int32] = [:]
        for (number, listener) in compiler.index.listeners.enumerated() {
            if let port = UInt16(exactly: listener.podPort) { byPodPort[port] = Int32(number) }
        }
        self.byPodPort = byPodPort
        absence = compiler.index.hasGateways ? .noListener : .noGateway
    }

    /// Validates and compiles objects.
    ///
    /// Objects that Istio's admission would refuse are left out as a whole and reported. Nothing here fails: without
    /// usable objects the table is empty.
    ///
    /// - Parameters:
    ///   - resources: The objects.
    ///   - environment: What else the table depends on.
    ///   - patterns: The patterns of earlier tables, where there were some; the table is the same without them.
    /// - Returns: The table, and what was found out about the objects.
    public static func compile(
        _ resources: RouteResources,
        environment: RouteEnvironment,
        patterns: RegularExpressionCache = RegularExpressionCache()
    ) -> (table: RouteTable, findings: [RouteFinding]) {
        let validation = ResourceValidation(resources, environment: environment, patterns: patterns)
        let compiler = RouteTableCompiler(validation.accepted, environment: environment, patterns: patterns)
        let knowledge = compiler.knowledge(
            of: resources,
            accepted: validation.accepted,
            refusals: resources.findings + validation.findings
        )
        let table = RouteTable(compiler, environment: environment, knowledge: knowledge)
        return (table, resources.located(knowledge.findings))
    }

    // MARK: - Connections

    /// The pod ports that have a listener, in ascending order.
    public var podPorts: [UInt16] { byPodPort.keys.sorted() }

    /// Whether anything listens on a pod port.
    func listens(on podPort: UInt16) -> Bool { byPodPort[podPort] != nil }

    /// Where requests in plain text to a pod port are looked up.
    public func hostTable(podPort: UInt16) -> HostTableReference {
        guard let number = byPodPort[podPort] else { return HostTableReference(index: -1, reason: absence) }
        return plainTable(index.listeners[Int(number)])
    }

    /// Where requests inside TLS to a pod port are looked up.
    ///
    /// - Parameters:
    ///   - podPort: the port that packets bear.
    ///   - serverName: the name the client asked for; empty when it asked for none.
    /// - Returns: the place, for `route(_:in:scratch:)`.
    func hostTable(podPort: UInt16, serverName: Span<UInt8>) -> HostTableReference {
        guard let number = byPodPort[podPort] else { return HostTableReference(index: -1, reason: absence) }
        return tlsTable(index.listeners[Int(number)], serverName: serverName)
    }

    /// Where requests inside TLS to a pod port are looked up if the name that the client asked for was not captured.
    ///
    /// - Parameter podPort: the port that packets bear.
    /// - Returns: the place, for `route(_:in:scratch:)`; where several servers listen, each of them is asked.
    public func hostTableOfAnyServer(podPort: UInt16) -> HostTableReference {
        guard let number = byPodPort[podPort] else { return HostTableReference(index: -1, reason: absence) }
        let listener = index.listeners[Int(number)]
        if listener.isRefused { return HostTableReference(index: -1, reason: .conditional) }
        guard listener.tls.count > 1 else {
            return HostTableReference(index: listener.tls.first?.table ?? -1, reason: .noListener)
        }
        return HostTableReference(anyServerOf: Int32(number))
    }

    /// The port numbers of the Gateways' servers, in ascending order.
    public var serverPorts: [Int] { Set(index.listeners.flatMap(\.serverPorts)).sorted() }

    /// The listener that a described request arrives at, for callers that know no pods.
    func listener(for request: DescribedRequest) -> LookupListener? {
        if request.isPodPort { return index.listeners.first { $0.podPort == request.port } }
        return index.listeners.first { $0.serverPorts.contains(request.port) }
            ?? (request.isServerPort ? nil : index.listeners.first { $0.podPort == request.port })
    }

    func plainTable(_ listener: LookupListener?) -> HostTableReference {
        guard let listener else { return HostTableReference(index: -1, reason: absence) }
        if listener.isRefused { return HostTableReference(index: -1, reason: .conditional) }
        return HostTableReference(index: listener.plainTable, reason: .noListener)
    }

    func tlsTable(_ listener: LookupListener?, serverName: Span<UInt8>) -> HostTableReference {
        guard let listener else { return HostTableReference(index: -1, reason: absence) }
        if listener.isRefused { return HostTableReference(index: -1, reason: .conditional) }
        return HostTableReference(index: listener.tlsServer(serverName)?.table ?? -1, reason: .noListener)
    }

    /// The index in ``gateways`` of the Gateway whose server opened a host table first; `nil` where there is none.
    public func gateway(of reference: HostTableReference) -> Int? {
        if let listener = reference.listenerOfAnyServer { return gatewayOfAllServers(of: index.listeners[listener]) }
        guard reference.carriesHTTP else { return nil }
        let gateway = index.tables[Int(reference.index)].gateway
        return gateway >= 0 ? Int(gateway) : nil
    }

    // MARK: - Requests

    /// Which route takes a request.
    ///
    /// - Parameters:
    ///   - request: the head, borrowed for the call.
    ///   - reference: what `hostTable` gave for the connection.
    ///   - scratch: buffers of the calling thread.
    /// - Returns: what happened, why, and the number of the route.
    public func route(
        _ request: RequestView,
        in reference: HostTableReference,
        scratch: inout RouteScratch
    ) -> RouteDecision {
        guard _fastPath(reference.carriesHTTP) else {
            guard let listener = reference.listenerOfAnyServer else {
                return RouteDecision(.noListener, reference.reason)
            }
            return routeInAnyServer(request, of: index.listeners[listener], scratch: &scratch)
        }
        return route(request, in: index.tables[Int(reference.index)], scratch: &scratch)
    }

    @inline(__always)
    func route(_ request: RequestView, in table: LookupTable, scratch: inout RouteScratch) -> RouteDecision {
        if _slowPath(!request.traits.isDisjoint(with: [.targetUnknown, .authorityUnknown])) {
            return routeWithUnknownTarget(request, in: table, scratch: &scratch)
        }
        switch preparation.prepare(request, isTLS: table.isTLS, scratch: &scratch) {
        case .rejected(let why): return RouteDecision(.rejected, .rejected, gateway: table.gateway, refusal: why)
        case .unroutable: return RouteDecision(.noRoute, .noMatch, gateway: table.gateway)
        case .ready(let prepared):
            let host = findHost(in: table, request, prepared, &scratch.joined)
            guard host >= 0 else { return RouteDecision(.noRoute, .noHost, gateway: table.gateway) }
            return route(request, prepared, of: index.hosts[Int(host)], gateway: table.gateway, &scratch)
        }
    }

    /// Which route of a virtual host takes a request.
    @inline(__always)
    func route(
        _ request: RequestView,
        _ prepared: PreparedRequest,
        of entry: LookupHost,
        gateway: Int32,
        _ scratch: inout RouteScratch
    ) -> RouteDecision {
        if _slowPath(prepared.forwardedProto == .empty) { return RouteDecision(.noRoute, .noMatch, gateway: gateway) }
        if _slowPath(entry.requiresTLS), prepared.forwardedProto != .https {
            return RouteDecision(.httpsRedirect, .httpsRedirect, gateway: gateway)
        }
        let choice =
            _slowPath(prepared.isRewritten)
            ? choose(entry, request, prepared, rewritten: scratch.target, &scratch.joined)
            : choose(entry, request, prepared, request.octets.extracting(prepared.target), &scratch.joined)
        if _slowPath(choice.isConditional), !request.traits.isDisjoint(with: [.fieldsUnknown, .authorityUnknown]) {
            return RouteDecision(.unknown, .unknownFields, gateway: gateway)
        }
        guard choice.route >= 0 else {
            let reason: RouteReason = choice.isConditional ? .conditional : .noMatch
            return RouteDecision(.noRoute, reason, gateway: gateway)
        }
        return RouteDecision(
            .route,
            choice.isConditional ? .conditional : .matched,
            route: choice.route,
            gateway: choice.gateway
        )
    }

    /// Which route takes a request of which the target or the authority is not known.
    ///
    /// Without the target, only a host whose first rules hold whatever the path is gives an answer; without the authority, what
    /// all virtual hosts would do with the request.
    private func routeWithUnknownTarget(
        _ request: RequestView,
        in table: LookupTable,
        scratch: inout RouteScratch
    ) -> RouteDecision {
        let unknown = RouteDecision(.unknown, .unknownFields, gateway: table.gateway)
        if !request.traits.contains(.targetUnknown) { return routeOfAnyHost(request, in: table, scratch: &scratch) }
        guard !request.traits.contains(.authorityUnknown),
            let prepared = preparation.prepareWithoutTarget(request, isTLS: table.isTLS)
        else { return unknown }
        let host = findHost(in: table, request.octets, prepared.authority)
        guard host >= 0 else { return RouteDecision(.noRoute, .noHost, gateway: table.gateway) }
        let entry = index.hosts[Int(host)]
        if prepared.forwardedProto == .empty {
            return RouteDecision(.noRoute, .noMatch, gateway: table.gateway)
        }
        if entry.requiresTLS, prepared.forwardedProto != .https {
            return RouteDecision(.httpsRedirect, .httpsRedirect, gateway: table.gateway)
        }
        let route = chooseWithoutPath(entry, request, prepared, &scratch.joined)
        guard route >= 0 else { return unknown }
        return RouteDecision(.route, .matched, route: route, gateway: index.routes[Int(route)].gateway)
    }

    /// Prepares a request as `route` does, for those who look up otherwise.
    func prepare(_ request: RequestView, isTLS: Bool, scratch: inout RouteScratch) -> Preparation {
        preparation.prepare(request, isTLS: isTLS, scratch: &scratch)
    }
}
