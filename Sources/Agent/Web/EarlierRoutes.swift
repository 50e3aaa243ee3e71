// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
package import RouteAttribution
internal import TrafficModel
package import TrafficPipeline

/// The routes that hosts ask before one, and why they did not take its latest requests.
struct EarlierRoutes {
    /// A virtual host that has the route.
    struct Host {
        /// The index of the workload's table.
        let workload: Int
        /// Its name.
        let name: String
        /// The ports in the gateway's pods where it is found.
        let podPorts: [Int]
        /// How many routes are asked before.
        let position: Int
        /// How many of the latest requests the reasons come from.
        var explained = 0
        /// The routes asked before, in that order.
        var earlier: [Earlier]
    }

    /// A route asked before.
    struct Earlier {
        /// Its number in the tables.
        let number: Int
        /// Why it did not take requests, the most frequent reason first.
        var failures: [(reason: String, count: Int)] = []
    }

    /// The hosts that have the route, in the order of the tables.
    private(set) var hosts: [Host]

    /// How many hosts are looked at, and how many requests are explained.
    private static let hostLimit = 10
    private static let requestLimit = 20

    /// Looks at the hosts of a route, and explains its latest requests.
    init(_ catalogue: RouteCatalogue, _ entry: RouteCatalogue.Entry, _ exchanges: [RecentExchange]) {
        let tables = catalogue.tables
        let numbers = Set(entry.numbers)
        hosts = tables.tables.indices.lazy.flatMap { workload in
            tables.tables[workload].listedHosts.lazy.compactMap { host -> Host? in
                let routes = host.routes.map { tables.number(ofRoute: $0, workload: workload) }
                guard let position = routes.firstIndex(where: numbers.contains) else { return nil }
                return Host(
                    workload: workload,
                    name: host.name,
                    podPorts: host.podPorts,
                    position: position,
                    earlier: routes[..<position].map { Earlier(number: $0) }
                )
            }
        }.prefix(Self.hostLimit).map { $0 }
        var scratch = RouteScratch()
        for exchange in exchanges.prefix(Self.requestLimit) {
            let workload = catalogue.workload(of: exchange)
            let table = tables.tables[workload]
            guard let request = DescribedRequest(exchange, in: table.environment) else { continue }
            let explanation = table.explain(request, scratch: &scratch)
            note(explanation, of: workload, in: tables, port: Int(exchange.facts.connection.server.port))
        }
    }

    private mutating func note(_ explanation: RouteExplanation, of workload: Int, in tables: RouteTables, port: Int) {
        guard
            let place = hosts.firstIndex(where: { host in
                host.workload == workload && host.name == explanation.host
                    && (host.podPorts.isEmpty || host.podPorts.contains(port))
            })
        else { return }
        hosts[place].explained += 1
        for considered in explanation.considered {
            let number = tables.number(ofRoute: considered.route, workload: workload)
            guard let failure = considered.failure,
                let earlier = hosts[place].earlier.firstIndex(where: { $0.number == number })
            else { continue }
            hosts[place].earlier[earlier].note(failure.description)
        }
    }
}

extension EarlierRoutes.Earlier {
    fileprivate mutating func note(_ reason: String) {
        if let place = failures.firstIndex(where: { $0.reason == reason }) {
            failures[place].count += 1
        } else {
            failures.append((reason, 1))
        }
        failures.sort { $0.count > $1.count }
    }
}

extension DescribedRequest {
    /// Describes the request of an exchange; `nil` where its head was not kept.
    package init?(_ exchange: RecentExchange, in environment: RouteEnvironment) {
        guard let request = exchange.request else { return nil }
        let pod = exchange.facts.connection.server.port
        self.init(
            method: request.method,
            target: request.target,
            authority: request.authority,
            headers: request.fields.filter { $0.name.lowercased() != "host" }.map {
                (name: $0.name, value: $0.value ?? RedactedValue.text)
            },
            port: Int(environment.ports.first { $0.pod == pod }?.server ?? pod),
            isTLS: exchange.facts.connection.isSecured,
            serverName: exchange.serverName
        )
    }
}
