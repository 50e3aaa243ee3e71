// Wingmirror · Apache-2.0

internal import RouteAttribution
internal import TrafficMetrics

/// Where requests to a server's port are looked up, and what its connections are counted under.
struct RoutedPort {
    let port: UInt16
    let hosts: HostTableReference
    let gateway: GatewaySeries
}

/// The ports seen so far, as one generation has them: looked up once, and then found among few.
struct RoutedPorts {
    private var ports: [RoutedPort] = []
    private var latest: RoutedPort

    /// How many are remembered; a port scan must not make the list long.
    private static let limit = 256

    init(_ generation: RouteGeneration) {
        latest = Self.look(up: 0, in: generation)
    }

    /// The port, looked up in `generation` if it is new.
    mutating func port(_ port: UInt16, in generation: RouteGeneration) -> RoutedPort {
        if latest.port == port { return latest }
        if let known = ports.first(where: { $0.port == port }) {
            latest = known
        } else {
            latest = Self.look(up: port, in: generation)
            if ports.count >= Self.limit { ports.removeAll(keepingCapacity: true) }
            ports.append(latest)
        }
        return latest
    }

    private static func look(up port: UInt16, in generation: RouteGeneration) -> RoutedPort {
        let hosts = generation.table.hostTable(podPort: port)
        return RoutedPort(
            port: port,
            hosts: hosts,
            gateway: generation.gatewaySeries(Int32(generation.table.gateway(of: hosts) ?? -1))
        )
    }
}
