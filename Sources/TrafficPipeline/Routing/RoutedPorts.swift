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
    /// What was looked up; the first is ``nowhere``.
    private var ports: [RoutedPort]
    /// The index of the latest.
    private var latest = 0

    /// How many are remembered; a port scan must not make the list long.
    private static let limit = 256

    init(_ generation: RouteGeneration) {
        ports = [Self.look(up: -1, 0, in: generation)]
    }

    /// Where nothing listens: what passes by, and what is a gateway's own.
    var nowhere: RoutedPort { ports[0] }

    /// The server, looked up in `generation` if it is new.
    ///
    /// All that have an address of no gateway are one: the connection passes by to another node, or is a gateway's own to a
    /// service.
    ///
    /// Read where it lies: most requests come to the server of the one before, or to one of few.
    @inline(__always)
    mutating func port(of server: Endpoint, in generation: RouteGeneration) -> RoutedPort {
        let place = generation.places.place(of: server.address)
        let port = place >= 0 ? server.port : 0
        if ports[latest].port != port || ports[latest].place != place { find(place, port, in: generation) }
        return ports[latest]
    }

    @inline(never)
    private mutating func find(_ place: Int, _ port: UInt16, in generation: RouteGeneration) {
        if let known = ports.firstIndex(where: { $0.port == port && $0.place == place }) {
            latest = known
            return
        }
        if ports.count > Self.limit { ports.removeSubrange(1...) }
        ports.append(Self.look(up: place, port, in: generation))
        latest = ports.count - 1
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
