// Wingmirror · Apache-2.0

import AgentConfiguration
import TrafficPipeline

/// What an operator should know of the gateway's ports: mistakes among those that were named, and requests that came to none.
struct GatewayPortNotices: Sendable {
    /// A sentence each.
    let sentences: [String]

    /// Compares the ports with the servers and with what requests came to.
    ///
    /// - Parameters:
    ///   - configuration: Says which ports were named; those of pods that are found are not judged, unless others were named.
    ///   - figures: What the pipeline saw.
    ///   - arrived: How many requests came to a Gateway.
    ///   - servers: The port numbers of all servers.
    ///   - pods: The pod ports on which they listen.
    init(
        _ configuration: Configuration,
        _ figures: PipelineFigures,
        arrived: UInt64,
        servers: [Int],
        pods: [UInt16]
    ) {
        let gateway = configuration.gateway
        guard !configuration.findsGateways || gateway.namesPorts else {
            sentences = []
            return
        }
        let missed = UnservedTraffic(figures, arrived: arrived, gateway: gateway, servers: servers, pods: pods)
        sentences = PortMistakes(gateway, servers: servers).sentences + [missed.sentence].compactMap(\.self)
    }
}
