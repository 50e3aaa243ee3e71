// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
internal import RouteAttribution
internal import ShadowTesting
internal import TLSDecryption
internal import TrafficMetrics
internal import TrafficModel

/// Says of each request which route took it.
///
/// The decision is made when the request's head is complete, with the routes of that moment, and the generation that made it
/// is kept until the exchange is complete. Owned by one capture thread.
struct RequestRouter: ~Copyable {
    private let board: RouteBoard
    private var generations: GenerationsInUse
    private var ports: RoutedPorts
    /// What answers on the gateway's ports, where no address is known.
    private var servers: GatewayServers
    /// The ports of requests that came to none of the gateway's.
    private var unserved = UnservedPorts()
    private var scratch = RouteScratch()

    /// Makes a router.
    ///
    /// - Parameters:
    ///   - board: Where the routes come from.
    ///   - isElsewhere: Whether an address is known to be reached by way of another machine.
    init(_ board: RouteBoard, isElsewhere: (@Sendable (IPAddress) -> Bool?)? = nil) {
        self.board = board
        servers = GatewayServers(isElsewhere: isElsewhere)
        generations = GenerationsInUse(board.generation)
        ports = RoutedPorts(generations.newest)
    }

    /// The generation that decides on requests now.
    var newest: RouteGeneration { generations.newest }

    /// The same, lent for a call.
    var lentNewest: LentGeneration { generations.lent }

    /// Decides on a request whose head is complete; ``exchangeCompleted(_:)`` must follow.
    ///
    /// - Parameters:
    ///   - request: The head; borrowed for the call only.
    ///   - connection: Its ends.
    ///   - session: What is known of the connection's TLS; `nil` for plain text.
    ///   - time: When the first octet was captured.
    /// - Returns: The decision.
    mutating func route(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        in session: TLSSession?,
        at time: PacketTime
    ) -> RoutedRequest {
        let lent = generations.lent
        return lent.lend { newest in route(request, on: connection, in: session, at: time, by: newest) }
    }

    @inline(__always)
    private mutating func route(
        _ request: borrowing RequestView,
        on connection: ConnectionFacts,
        in session: TLSSession?,
        at time: PacketTime,
        by newest: RouteGeneration
    ) -> RoutedRequest {
        var place = ports.port(of: connection.server, in: newest)
        if place.isLearnt,
            servers.requestArrived(
                from: connection.client.address,
                to: connection.server,
                at: time.nanoseconds
            )
        {
            place = ports.nowhere
        }
        let hosts = hostTable(at: place, in: session)
        let decision = newest.tables.route(request, in: hosts, workload: place.workload, scratch: &scratch)
        generations.requestRouted()
        if decision.reason == .noListener { missed(place) }
        // Anybody can send the marker; a request is shadow traffic only if the marker's code is of our key.
        let isShadow =
            request.traits.contains(.isShadow)
            && newest.mirroring?.plan.verifiesMarker(of: request, at: time.nanoseconds) ?? false
        return RoutedRequest(decision, generation: generations.newestNumber, isShadow: isShadow)
    }

    /// An exchange is complete, if the newest generation decided on its request.
    ///
    /// - Parameter routed: The decision.
    /// - Returns: `false`, with nothing done, if an older one did.
    @inline(__always)
    mutating func exchangeOfNewestCompleted(_ routed: RoutedRequest) -> Bool {
        generations.exchangeOfNewestCompleted(generation: routed.generation)
    }

    /// The generation that decided on a request whose exchange is not complete.
    func generation(of routed: RoutedRequest) -> RouteGeneration {
        generations.generation(routed.generation)
    }

    /// The exchange of a request that was decided on is complete; returns the generation that decided.
    mutating func exchangeCompleted(_ routed: RoutedRequest) -> RouteGeneration {
        generations.exchangeCompleted(generation: routed.generation)
    }

    /// It is known what a connection carries.
    mutating func connectionRecognized(_ connection: ConnectionFacts) {
        let place = ports.port(of: connection.server, in: generations.newest)
        if place.isLearnt { servers.serverAnswers(connection.server) }
    }

    /// Whether a connection to one of the gateway's ports is the gateway's own, or passes by to another machine.
    func isForeignConnection(_ connection: ConnectionFacts) -> Bool {
        generations.newest.places.isAnywhere
            && servers.isForeignConnection(from: connection.client.address, to: connection.server)
    }

    /// What answers on the gateway's ports, as of the latest report; empty where the gateway's addresses are known.
    var gatewayServers: [GatewayServer] { servers.report }

    /// The ports on which no Gateway listens that requests came to, as of the latest report.
    var unservedPorts: [UnservedPort] { unserved.report }

    /// A request came to no listener of a Gateway: that which passes by, or is a gateway's own, is at no port.
    @inline(never)
    private mutating func missed(_ place: RoutedPort) {
        guard place.port > 0, !generations.newest.tables.listens(on: place.port, workload: place.workload) else {
            return
        }
        unserved.requestArrived(at: place.port)
    }

    /// What a connection is counted under.
    mutating func gateway(of connection: ConnectionFacts, in session: TLSSession?) -> GatewaySeries {
        guard !isForeignConnection(connection) else { return .none }
        let place = ports.port(of: connection.server, in: generations.newest)
        guard session != nil else { return place.gateway }
        let gateway = generations.newest.tables.gateway(of: hostTable(at: place, in: session), workload: place.workload)
        return generations.newest.gatewaySeries(Int32(gateway ?? -1))
    }

    /// Where requests to a server are looked up: by the name that the client asked for where TLS is spoken.
    @inline(__always)
    private func hostTable(at place: RoutedPort, in session: TLSSession?) -> HostTableReference {
        guard let session else { return place.hosts }
        let tables = generations.newest.tables
        guard session.isServerNameKnown else {
            return tables.hostTableOfAnyServer(podPort: place.port, workload: place.workload)
        }
        return tables.hostTable(
            podPort: place.port,
            serverName: session.serverName.span,
            workload: place.workload
        )
    }

    /// No packet will come any more.
    mutating func captureEnded() {
        servers.captureEnded()
        unserved.captureEnded()
    }

    /// Between two batches of packets: renews what is reported of servers and ports.
    mutating func batchEnded(at time: PacketTime) {
        servers.batchEnded(at: time.nanoseconds)
        unserved.batchEnded(at: time.nanoseconds)
    }

    /// Between two batches of packets: takes up the newest generation, and returns it if there is one.
    mutating func takeUpNewest() -> RouteGeneration? {
        guard generations.hasRoom, let newer = board.generation(newerThan: generations.newest.number) else {
            return nil
        }
        generations.append(newer)
        ports = RoutedPorts(newer)
        return newer
    }
}
