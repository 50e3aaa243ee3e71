// Wingmirror · Apache-2.0

public import TrafficModel

/// The route tables of gateway workloads whose traffic is watched together: each workload has its own, and its routes are asked
/// for its requests alone.
///
/// Routes and Gateways are numbered through all tables, so that one number says all that records, metrics and mirroring need to
/// know. A Gateway that several workloads serve has one number. With a single workload, its table's numbers are the numbers, and
/// a lookup costs a comparison more.
public final class RouteTables: Sendable {
    /// The tables, in the order of the workloads; at least one.
    public let tables: [RouteTable]
    /// The routes of all tables; a route's number is its index.
    public let routes: [CompiledRoute]
    /// The Gateways that requests are counted under, `namespace/name`.
    public let gateways: [String]

    private let first: RouteTable
    /// The number of each table's first route.
    private let firstRoutes: [Int32]
    /// For each table, the numbers of its Gateways.
    private let gatewayNumbers: [[Int32]]

    /// Takes the tables of workloads; without any, one that has no routes.
    public init(_ tables: [RouteTable]) {
        first = tables.first ?? RouteTable()
        self.tables = tables.isEmpty ? [first] : tables
        var routes = first.routes
        var gateways = first.gateways
        var known: [String: Int32] = [:]
        for (number, gateway) in gateways.enumerated() { known[gateway] = Int32(number) }
        var firstRoutes: [Int32] = [0]
        var gatewayNumbers = [gateways.indices.map { Int32($0) }]
        for table in self.tables.dropFirst() {
            firstRoutes.append(Int32(routes.count))
            routes += table.routes
            gatewayNumbers.append(
                table.gateways.map { gateway in
                    if let number = known[gateway] { return number }
                    let number = Int32(gateways.count)
                    gateways.append(gateway)
                    known[gateway] = number
                    return number
                }
            )
        }
        self.routes = routes
        self.gateways = gateways
        self.firstRoutes = firstRoutes
        self.gatewayNumbers = gatewayNumbers
    }

    /// Takes the table of the only workload.
    public convenience init(_ table: RouteTable) { self.init([table]) }

    // MARK: - Connections

    /// Whether anything listens on a port of a workload's pods.
    public func listens(on podPort: UInt16, workload: Int) -> Bool { tables[workload].listens(on: podPort) }

    /// Where requests in plain text to a port of a workload's pods are looked up.
    public func hostTable(podPort: UInt16, workload: Int) -> HostTableReference {
        tables[workload].hostTable(podPort: podPort)
    }

    /// Where requests inside TLS to a port of a workload's pods are looked up.
    ///
    /// - Parameters:
    ///   - podPort: The port that packets bear.
    ///   - serverName: The name the client asked for; empty when it asked for none.
    ///   - workload: The index of the workload's table.
    /// - Returns: The place, for ``route(_:in:workload:scratch:)`` with the same workload.
    public func hostTable(podPort: UInt16, serverName: Span<UInt8>, workload: Int) -> HostTableReference {
        tables[workload].hostTable(podPort: podPort, serverName: serverName)
    }

    /// Where requests inside TLS to a port of a workload's pods are looked up if the name that the client asked for was not
    /// captured.
    public func hostTableOfAnyServer(podPort: UInt16, workload: Int) -> HostTableReference {
        tables[workload].hostTableOfAnyServer(podPort: podPort)
    }

    /// The index in ``gateways`` of the Gateway whose server opened a host table first; `nil` where there is none.
    public func gateway(of reference: HostTableReference, workload: Int) -> Int? {
        tables[workload].gateway(of: reference).map { Int(gatewayNumbers[workload][$0]) }
    }

    // MARK: - Requests

    /// Which route takes a request to a workload.
    ///
    /// - Parameters:
    ///   - request: The head, borrowed for the call.
    ///   - reference: What `hostTable` gave for the connection and the workload.
    ///   - workload: The index of the workload's table.
    ///   - scratch: Buffers of the calling thread.
    /// - Returns: What happened, why, and the number of the route in ``routes``.
    @inline(__always)
    public func route(
        _ request: RequestView,
        in reference: HostTableReference,
        workload: Int,
        scratch: inout RouteScratch
    ) -> RouteDecision {
        // The table of the only workload is no element of an array, so that asking it counts no references.
        guard workload > 0 else { return first.route(request, in: reference, scratch: &scratch) }
        return routeOfAnother(request, in: reference, workload: workload, scratch: &scratch)
    }

    @inline(never)
    private func routeOfAnother(
        _ request: RequestView,
        in reference: HostTableReference,
        workload: Int,
        scratch: inout RouteScratch
    ) -> RouteDecision {
        let decision = tables[workload].route(request, in: reference, scratch: &scratch)
        return RouteDecision(
            decision.outcome,
            decision.reason,
            route: decision.route >= 0 ? decision.route + firstRoutes[workload] : -1,
            gateway: decision.gateway >= 0 ? gatewayNumbers[workload][Int(decision.gateway)] : -1
        )
    }

    // MARK: - For people

    /// The number in ``routes`` of a workload's route.
    public func number(ofRoute route: Int, workload: Int) -> Int { route + Int(firstRoutes[workload]) }

    /// The workload that a described request is for: the first that has a route for it, else the first with a listener on its
    /// port.
    public func workload(for request: DescribedRequest) -> Int {
        guard tables.count > 1 else { return 0 }
        var scratch = RouteScratch()
        let listening = tables.indices.filter { tables[$0].listener(for: request) != nil }
        let routed = listening.first { tables[$0].route(request, scratch: &scratch).route >= 0 }
        return routed ?? listening.first ?? 0
    }
}
