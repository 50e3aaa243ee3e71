// Wingmirror · Apache-2.0

import AgentConfiguration
import PacketDecoding
import RouteAttribution

/// Ports of the gateway that were named and lead to no Gateway server, each with what to write instead.
///
/// A port of the pods alone stands for the server of the same number, and a Gateway's server seldom has the number that its pods
/// listen on: 8080 without `:80` is the commonest mistake, and leaves every request without a Gateway.
struct PortMistakes {
    /// One sentence for each mistake.
    let sentences: [String]

    /// Compares the named ports with the servers of the Gateways that select the workload.
    ///
    /// - Parameters:
    ///   - gateway: The gateway as configured; ports that nobody named are not judged.
    ///   - servers: The port numbers of all servers; without any, there is nothing to compare with.
    init(_ gateway: GatewayConfiguration, servers: [Int]) {
        let ports = gateway.ports
        let missing = servers.filter { server in !ports.contains { Int($0.server) == server } }
        // Where all servers have a port, another one may be there for what is yet to come.
        guard ports != GatewayConfiguration.usualPorts, !missing.isEmpty else {
            sentences = []
            return
        }
        let there = "(there \(servers.count == 1 ? "is" : "are") \(servers.map(String.init).joined(separator: ", ")))"
        let meant = missing.count == 1 ? missing.first.map(String.init) ?? "" : "SERVER"
        sentences = ports.filter { !servers.contains(Int($0.server)) }.map { port in
            guard servers.contains(Int(port.pod)), port.pod != port.server else {
                return "no Gateway server has port \(port.server) \(there); "
                    + "write --gateway-port \(port.pod):\(meant) (gateway.ports: {pod: \(port.pod), server: \(meant)})"
            }
            return "the gateway port \(port.pod):\(port.server) is swapped, as a Gateway server has port \(port.pod): "
                + "write --gateway-port \(port.server):\(port.pod) (gateway.ports: {pod: \(port.server), server: \(port.pod)})"
        }
    }
}
