// Wingmirror · Apache-2.0

package import AgentConfiguration
import OctetText
import TCPReassembly
package import TLSDecryption
import TrafficMetrics
package import TrafficPipeline

extension TrafficRun {
    /// Makes a run of what a configuration says.
    ///
    /// - Parameters:
    ///   - objects: The routes.
    ///   - configuration: What is counted, and what the stages may hold.
    ///   - isLive: Whether packets come as they are captured: then the machine's memory bounds what the stages hold.
    ///     Pcap files give the same on every machine, and are bounded by the configured budget alone.
    ///   - now: Nanoseconds since the Unix epoch, or 0 where time is that of packets.
    ///   - keys: Where the secrets of TLS connections come from.
    package init(
        _ objects: RouteObjects,
        _ configuration: Configuration,
        isLive: Bool,
        at now: Int64,
        keys: KeyStore? = nil
    ) {
        let workers = isLive ? configuration.capture.workers : 1
        let registry = MetricsRegistry(configuration: configuration.metricsSettings, shardCount: workers)
        // No duration of this run may show, or two runs over the same files would print two pages.
        self.init(
            routes: RouteBoard(
                objects.tables,
                places: objects.places,
                findings: objects.findings,
                registry: registry,
                at: now
            ),
            limits: configuration.pipelineLimits(isLive: isLive),
            keys: keys
        )
    }

    /// Adds what is counted of pcap files and their pipeline to the metrics.
    package func addCollectors(ofFiles paths: [String]) {
        registry.add(PipelineCollector(boards: boards, sources: { paths }, limits: limits.reassembly))
        registry.add(TLSCollector(boards: boards))
        registry.add(SavefileCollector(boards: boards, savefiles: paths))
    }
}

extension GatewayPlaces {
    /// The addresses that a configuration names, which are those of its only workload.
    init(_ gateway: GatewayConfiguration) {
        self = gateway.addresses.isEmpty ? GatewayPlaces() : GatewayPlaces([gateway.addresses])
    }
}

extension Configuration {
    /// What the stages may hold: of a live capture, what the machine allows; of pcap files, what is configured.
    func pipelineLimits(isLive: Bool) -> PipelineLimits {
        var pipeline = pipelineLimits(within: isLive || limits.memory != nil ? MemoryBudget.shared(self).octets : nil)
        // The interfaces of one machine have one clock.
        pipeline.reassembly.learnsLateness = !isLive
        if isLive {
            // The key log of pcap files is read before their packets.
            pipeline.tls.patienceNanoseconds = tls.patience.nanoseconds
        } else {
            pipeline.reassembly.hashSeed = 0x57_696E_676D_6972
        }
        return pipeline
    }
}
