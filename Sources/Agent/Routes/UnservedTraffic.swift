// Wingmirror · Apache-2.0

package import AgentConfiguration
import RouteAttribution
package import TrafficPipeline

/// What keeps all requests from the routes where none comes to a port on which a Gateway listens.
///
/// A recording of whatever was at hand has all ports in it, and the gateway's may be another than the usual ones: then every
/// request is `no_listener`, and its table of routes looks like that of a quiet minute.
package struct UnservedTraffic: Sendable {
    /// What to say of it; `nil` where requests arrived at a Gateway, or none came to any other port.
    package let sentence: String?

    /// Compares the ports that requests came to with those of the gateway.
    ///
    /// - Parameters:
    ///   - figures: What the pipeline saw.
    ///   - arrived: How many requests came to a Gateway.
    ///   - gateway: The gateway as configured.
    ///   - servers: The port numbers of all servers of its Gateways; without any there are no routes, which is said elsewhere.
    ///   - pods: The pod ports on which they listen, by the configuration and by Services.
    package init(
        _ figures: PipelineFigures,
        arrived: UInt64,
        gateway: GatewayConfiguration,
        servers: [Int],
        pods: [UInt16]
    ) {
        guard arrived == 0, let most = figures.unservedPorts.first, !servers.isEmpty else {
            sentence = nil
            return
        }
        let came = "\(most.requests == 1 ? "1 request" : "\(most.requests) requests") came to port \(most.port)"
        let named = servers.map(String.init).joined(separator: ", ")
        if let known = gateway.ports.first(where: { $0.pod == most.port }) {
            sentence =
                "no request came to a port on which a Gateway listens: \(came), which stands for port \(known.server) of a "
                + "Gateway's server, and no server has that (there \(servers.count == 1 ? "is" : "are") \(named))"
            return
        }
        let listening = (pods.isEmpty ? gateway.ports.map(\.pod) : pods).map(String.init).joined(separator: ", ")
        let server = servers.count == 1 ? named : "SERVER"
        sentence =
            "no request came to a port of the gateway (\(listening)): \(came); if that is the gateway's, write "
            + "--gateway-port \(most.port):\(server) (gateway.ports: {pod: \(most.port), server: \(server)})"
    }
}
