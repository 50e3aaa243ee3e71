// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import RouteAttribution
internal import TrafficMetrics

/// Where requests to a server are looked up, and what its connections are counted under.
struct RoutedPort {
    /// The number of the server's address among those of gateways; -1 of one that is no gateway's.
    let place: Int
    /// The port; 0, where nothing listens, of a server that is no gateway.
    let port: UInt16
    /// The index of the workload's table.
    let workload: Int
    let hosts: HostTableReference
    let gateway: GatewaySeries
    /// Whether something listens here, and it has to be learnt from the traffic whether the server is the gateway.
    let isLearnt: Bool
}

/// The servers seen so far, as one generation has them: looked up once, and then found among few.
struct RoutedPorts {
    private var ports: [RoutedPort] = []
    private var latest: RoutedPort
    /// Where nothing listens: what passes by, and what is a gateway's own.
    let nowhere: RoutedPort

    /// How many are remembered; a port scan must not make the list long.
    private static let limit = 256

    init(_ generation: RouteGeneration) {
        nowhere = Self.look(up: -1, 0, in: generation)
        latest = nowhere
    }

    /// The server, looked up in `generation` if it is new.
    ///
    /// All that have an address of no gateway are one: the connection passes by to another node, or is a gateway's own to a
    /// service.
    mutating func port(of server: Endpoint, in generation: RouteGeneration) -> RoutedPort {
        let place = generation.places.place(of: server.address)
        let port = place >= 0 ? server.port : 0
        if latest.port == port, latest.place == place { return latest }
        if let known = ports.first(where: { $0.port == port && $0.place == place }) {
            latest = known
        } else {
            latest = Self.look(up: place, port, in: generation)
            if ports.count >= Self.limit { ports.removeAll(keepingCapacity: true) }
            ports.append(latest)
        }
        return latest
    }

    private static func look(up place: Int, _ port: UInt16, in generation: RouteGeneration) -> RoutedPort {
        let workload = generation.places.workload(at: place, port: port, in: generation.tables)
        let hosts = generation.tables.hostTable(podPort: port, workload: workload)
        return RoutedPort(
            place: place,
            port: port,
            workload: workload,
            hosts: hosts,
            gateway: generation.gatewaySeries(
                Int32(generation.tables.gateway(of: hosts, workload: workload) ?? -1)
            ),
            isLearnt: generation.places.isAnywhere && generation.tables.listens(on: port, workload: workload)
        )
    }
}
