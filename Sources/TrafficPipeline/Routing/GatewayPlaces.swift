// Wingmirror · Apache-2.0

public import PacketDecoding
public import RouteAttribution

/// Which gateway workload is behind an address.
///
/// Pods of several workloads share an address where they have the node's network: the port tells them apart then.
public struct GatewayPlaces: Sendable, Hashable {
    private struct Place: Sendable, Hashable {
        let address: IPAddress
        /// The indices of the workloads, in ascending order.
        var workloads: [Int]
    }

    private let places: [Place]
    /// How many workloads there are.
    let workloadCount: Int

    /// No address is known: whoever listens on the ports of the first workload counts as its gateway.
    public init() {
        places = []
        workloadCount = 1
    }

    /// Takes the addresses of each workload's pods, in the order of the workloads' tables.
    ///
    /// Connections to other addresses reach no listener: those that pass by to a gateway on another node, and the gateway's own to
    /// services. Without any address, whoever listens on the ports of the first workload counts as its gateway.
    public init(_ addresses: [[IPAddress]]) {
        var places: [Place] = []
        for (workload, addresses) in addresses.enumerated() {
            for address in addresses {
                if let known = places.firstIndex(where: { $0.address == address }) {
                    if places[known].workloads.last != workload { places[known].workloads.append(workload) }
                } else {
                    places.append(Place(address: address, workloads: [workload]))
                }
            }
        }
        self.places = places
        workloadCount = max(1, addresses.count)
    }

    /// Whether no address is known.
    var isAnywhere: Bool { places.isEmpty }

    /// The number of an address: -1 of one that no gateway has, and 0 of all where no address is known.
    @inline(__always)
    func place(of address: IPAddress) -> Int {
        if places.isEmpty { return 0 }
        // A node has few gateway pods.
        for index in places.indices where places[index].address == address { return index }
        return -1
    }

    /// The workload that listens on a port of a place, the first of the place's where none does.
    func workload(at place: Int, port: UInt16, in tables: RouteTables) -> Int {
        guard place >= 0, place < places.count else { return 0 }
        let workloads = places[place].workloads
        guard workloads.count > 1 else { return workloads[0] }
        return workloads.first { tables.listens(on: port, workload: $0) } ?? workloads[0]
    }

    /// The workload that a server belongs to; the first where none has its address.
    public func workload(of server: Endpoint, in tables: RouteTables) -> Int {
        workload(at: place(of: server.address), port: server.port, in: tables)
    }
}
