// Wingmirror · Apache-2.0

/// One virtual host of a table, for listings.
public struct ListedHost: Sendable {
    /// The ports in the gateway's pods; several where they lead to the same servers.
    public let podPorts: [Int]
    /// The port numbers of the Gateway servers that listen there.
    public let serverPorts: [Int]
    /// Whether clients speak TLS, which the gateway ends.
    public let isTLS: Bool
    /// The TLS names of the server; none takes every name.
    public let serverNames: [String]
    /// The name, in lower case.
    public let name: String
    /// Whether requests that are not https are redirected before any route.
    public let requiresTLS: Bool
    /// The numbers of the routes, in match order.
    public let routes: [Int]
    /// The same number for hosts that share their routes.
    let routeList: UInt32
}

extension RouteTable {
    /// All virtual hosts as compiled: by pod port, then by server, then in the order of the table.
    public var listedHosts: [ListedHost] {
        var podPorts: [Int: [Int]] = [:]
        for listener in index.listeners {
            for table in tables(of: listener) { podPorts[table, default: []].append(listener.podPort) }
        }
        return index.listeners.flatMap { listener in
            // A table that several ports share is listed under the first of them.
            tables(of: listener).filter { podPorts[$0]?.first == listener.podPort }.flatMap { table in
                hosts(of: listener, table, podPorts: podPorts[table] ?? [])
            }
        }
    }

    private func tables(of listener: LookupListener) -> [Int] {
        ([listener.plainTable] + listener.tls.map(\.table)).filter { $0 >= 0 }.map(Int.init)
    }

    private func hosts(of listener: LookupListener, _ number: Int, podPorts: [Int]) -> [ListedHost] {
        let names = listener.tls.first { Int($0.table) == number }?.names ?? []
        let table = index.tables[number]
        var lists: [UInt32: [Int]] = [:]
        return table.hostRange.map { host in
            let entry = index.hosts[host]
            let places = entry.routes.first..<entry.routes.first + entry.routes.count
            let routes = lists[entry.routes.first] ?? places.map { Int(index.hostRoutes[Int($0)]) }
            if !routes.isEmpty { lists[entry.routes.first] = routes }
            return ListedHost(
                podPorts: podPorts,
                serverPorts: listener.serverPorts,
                isTLS: table.isTLS,
                serverNames: names.map { String(decoding: $0, as: UTF8.self) },
                name: text(entry.name),
                requiresTLS: entry.requiresTLS,
                routes: routes,
                routeList: entry.routes.first
            )
        }
    }
}
