// Wingmirror · Apache-2.0

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
    private let gatewayAddresses: [IPAddress]
    private var generations: GenerationsInUse
    private var ports: RoutedPorts
    private var scratch = RouteScratch()

    init(_ board: RouteBoard) {
        self.board = board
        gatewayAddresses = board.gatewayAddresses
        generations = GenerationsInUse(board.generation)
        ports = RoutedPorts(generations.newest)
    }

    /// The generation that decides on requests now.
    var newest: RouteGeneration { generations.newest }

    /// Decides on a request whose head is complete; ``exchangeCompleted(_:)`` must follow.
    ///
    /// - Parameters:
    ///   - request: The head; borrowed for the call only.
    ///   - server: The end that answers.
    ///   - session: What is known of the connection's TLS; `nil` for plain text.
    ///   - time: When the first octet was captured.
    /// - Returns: The decision.
    mutating func route(
        _ request: borrowing RequestView,
        to server: Endpoint,
        in session: TLSSession?,
        at time: PacketTime
    ) -> RoutedRequest {
        let port = gatewayPort(of: server)
        let hosts =
            session.map { generations.newest.table.hostTable(podPort: port, serverName: $0.serverName.span) }
            ?? ports.port(port, in: generations.newest).hosts
        let decision = generations.newest.table.route(request, in: hosts, scratch: &scratch)
        generations.requestRouted()
        // Anybody can send the marker; a request is shadow traffic only if the marker's code is of our key.
        let isShadow =
            request.traits.contains(.isShadow)
            && generations.newest.mirroring?.plan.verifiesMarker(of: request, at: time.nanoseconds) ?? false
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

    /// The exchange of a request that was decided on is complete; returns the generation that decided.
    mutating func exchangeCompleted(_ routed: RoutedRequest) -> RouteGeneration {
        generations.exchangeCompleted(generation: routed.generation)
    }

    /// What the connections to a server are counted under.
    mutating func gateway(of server: Endpoint, in session: TLSSession?) -> GatewaySeries {
        let port = gatewayPort(of: server)
        guard let session else { return ports.port(port, in: generations.newest).gateway }
        let table = generations.newest.table
        let hosts = table.hostTable(podPort: port, serverName: session.serverName.span)
        return generations.newest.gatewaySeries(Int32(table.gateway(of: hosts) ?? -1))
    }

    /// The port of a server that is the gateway; 0, where nothing listens, of one that has another address: the connection
    /// passes by to another node, or is the gateway's own to a service.
    @inline(__always)
    private func gatewayPort(of server: Endpoint) -> UInt16 {
        gatewayAddresses.isEmpty || gatewayAddresses.contains(server.address) ? server.port : 0
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
