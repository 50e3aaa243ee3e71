// Wingmirror · Apache-2.0

internal import RouteAttribution
internal import TrafficMetrics

/// A routing snapshot, and how many exchanges still need it.
struct RoutingEdition {
    /// Which edition it is, modulo 256.
    let number: UInt8
    let table: RouteTable
    let series: RouteSeriesTable
    let mirroring: MirrorRouting?
    var pendingExchanges = 0

    init(_ snapshot: RoutingSnapshot, number: UInt8) {
        self.number = number
        table = snapshot.table
        series = snapshot.series
        mirroring = snapshot.mirroring
    }

    /// The series of a Gateway of this edition; that of no Gateway below 0.
    func gatewaySeries(_ gateway: Int) -> GatewaySeries {
        gateway >= 0 ? series.series(ofGateway: gateway) : .none
    }
}

/// The snapshots in use: the newest, and older ones whose exchanges are not told yet.
///
/// An exchange is counted and recorded by the snapshot that decided on its request, so that a reload mixes no generations.
struct RoutingEditions {
    private(set) var newest: RoutingEdition
    private var older: [RoutingEdition] = []

    init(_ snapshot: RoutingSnapshot) {
        newest = RoutingEdition(snapshot, number: 0)
    }

    /// Whether there is a number for another edition: one that is still needed is not given its number away.
    var hasRoom: Bool {
        !older.contains { $0.number == newest.number &+ 1 }
    }

    /// Makes `snapshot` the newest.
    mutating func append(_ snapshot: RoutingSnapshot) {
        if newest.pendingExchanges > 0 { older.append(newest) }
        newest = RoutingEdition(snapshot, number: newest.number &+ 1)
    }

    /// The newest edition has decided on a request.
    mutating func requestRouted() {
        newest.pendingExchanges += 1
    }

    /// An exchange is told, and needs its edition no more; returns the edition.
    mutating func exchangeTold(edition number: UInt8) -> RoutingEdition {
        if number == newest.number {
            newest.pendingExchanges -= 1
            return newest
        }
        guard let index = older.firstIndex(where: { $0.number == number }) else {
            preconditionFailure("RoutingEditions.exchangeTold: edition \(number) is gone")
        }
        older[index].pendingExchanges -= 1
        let edition = older[index]
        if edition.pendingExchanges == 0 { older.remove(at: index) }
        return edition
    }
}

/// Where requests to a server's port are looked up, and what its connections are counted under.
struct RoutedPort {
    let port: UInt16
    let hosts: HostTableReference
    let gateway: GatewaySeries
}

/// The ports seen so far, as the newest edition has them: looked up once, and then found among few.
struct RoutedPorts {
    private var ports: [RoutedPort] = []
    private var latest: RoutedPort

    /// How many are remembered; a port scan must not make the list long.
    private static let limit = 256

    init(_ edition: RoutingEdition) {
        latest = Self.look(up: 0, in: edition)
    }

    /// The port, looked up in `edition` if it is new.
    mutating func port(_ port: UInt16, in edition: RoutingEdition) -> RoutedPort {
        if latest.port == port { return latest }
        if let known = ports.first(where: { $0.port == port }) {
            latest = known
        } else {
            latest = Self.look(up: port, in: edition)
            if ports.count >= Self.limit { ports.removeAll(keepingCapacity: true) }
            ports.append(latest)
        }
        return latest
    }

    private static func look(up port: UInt16, in edition: RoutingEdition) -> RoutedPort {
        let hosts = edition.table.hostTable(podPort: port)
        return RoutedPort(
            port: port,
            hosts: hosts,
            gateway: edition.gatewaySeries(edition.table.gateway(of: hosts) ?? -1)
        )
    }
}
