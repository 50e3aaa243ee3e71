// Wingmirror · Apache-2.0

package import AdminServer
import HTTPReconstruction
import OctetText
package import PacketCapture
package import PacketDecoding
package import RouteAttribution
package import TCPReassembly
package import TLSDecryption
package import TrafficMetrics
package import TrafficPipeline

// What the configuration means to each stage, in that stage's own terms.

extension Configuration {
    /// What the route table depends on besides the objects.
    package var environment: RouteEnvironment {
        var environment = RouteEnvironment()
        environment.namespace = gateway.namespace
        environment.labels = gateway.labels
        environment.trustedProxies = gateway.trustedProxies
        environment.takesHTTP10 = gateway.http10
        environment.ports = gateway.ports
        environment.pathNormalization = mesh.pathNormalization
        environment.defaultVirtualServiceExportTo = mesh.defaultVirtualServiceExportTo
        environment.clusterDomain = mesh.clusterDomain
        environment.envoyVersion = mesh.envoyVersion
        environment.revision = mesh.revision.isEmpty ? nil : mesh.revision
        environment.rootNamespace = mesh.rootNamespace
        environment.scopesGatewaysToNamespace = mesh.scopeGatewayToNamespace
        environment.discoverySelectors = mesh.discoverySelectors.compactMap { try? NamespaceSelector($0.document) }
        return environment
    }

    /// What is exported of the traffic.
    package var metricsSettings: MetricsConfiguration {
        do {
            return try MetricsConfiguration(
                durationBounds: metrics.durationBuckets ?? MetricsConfiguration.defaultDurationBounds,
                seriesLimit: metrics.seriesLimit,
                exemplars: metrics.exemplars,
                nativeHistograms: metrics.nativeHistograms,
                createdSeries: metrics.createdSeries,
                grpcErrorStatuses: GRPCStatusSet(metrics.grpcErrorStatuses)
            )
        } catch {
            preconditionFailure(
                "Configuration.metricsSettings: the reader lets through what the metrics refuse: \(error)"
            )
        }
    }

    /// Whether the gateway's addresses, ports and interfaces are found on Kubernetes.
    package var findsGateways: Bool {
        routes.kubernetes.isEnabled && routes.kubernetes.findsGateways && gateway.addresses.isEmpty
            && capture.savefiles.isEmpty
    }

    /// Whether all interfaces of this machine are captured, as far as the configuration says.
    package var seesAllInterfaces: Bool {
        guard capture.savefiles.isEmpty else { return false }
        return switch capture.interfaces {
        case .automatic: gateway.addresses.isEmpty
        case .named(let names): names.contains("any")
        }
    }

    /// What the kernel is to hand over: the gateway's traffic, without what scrapers exchange with this agent.
    package var liveFilter: CaptureFilter {
        liveFilter(ports: gateway.ports.map(\.pod), addresses: gateway.addresses)
    }

    /// The same for ports and addresses that were found.
    package func liveFilter(ports: [UInt16], addresses: [IPAddress]) -> CaptureFilter {
        CaptureFilter(
            ports: ports,
            addresses: addresses,
            ownEndpoints: listeners.filter { $0.port > 0 }.map { .init(port: UInt16(clamping: $0.port)) },
            expression: capture.filter.expression
        )
    }

    /// Where the endpoints are served: all in one place, or metrics and health apart from the rest.
    package var listeners: [AdminServer.Address] {
        let first = metrics.listen
        guard let second = admin.listen else { return [AdminServer.Address(host: first.host, port: first.port)] }
        return [
            AdminServer.Address(host: first.host, port: first.port, isForScrapers: true),
            AdminServer.Address(host: second.host, port: second.port),
        ]
    }

    /// How interfaces are captured.
    ///
    /// - Parameters:
    ///   - interfaces: The interfaces of this machine, for `auto`.
    ///   - awaitsGateway: Whether the gateway's pods are still to be found, so that nothing is captured yet.
    /// - Returns: What `LiveCapture` takes.
    /// - Throws: What `LiveConfiguration` refuses.
    package func liveConfiguration(
        among interfaces: [NetworkInterface],
        awaitsGateway: Bool = false
    ) throws(CaptureError) -> LiveConfiguration {
        let isIdle = awaitsGateway && capture.filter.expression == nil
        let names =
            switch capture.interfaces {
            case .named(let names): names
            case .automatic where awaitsGateway: ["lo"]
            case .automatic: NetworkInterface.automatic(interfaces, for: gateway.addresses)
            }
        return try LiveConfiguration(
            interfaces: names,
            filter: isIdle ? .nothing : liveFilter,
            snapshotLength: capture.snapshotLength,
            ringOctets: capture.ringBytes.octets,
            isPromiscuous: capture.promiscuous,
            workers: capture.workers
        )
    }

    /// How much reassembly may hold, and for how long.
    ///
    /// - Parameter budget: The memory to stay within, in octets, of which each holder has its ``MemoryShare``. Without one the
    ///   bounds are the same on every machine, so that a savefile gives the same everywhere.
    /// - Returns: The limits.
    package func reassemblyLimits(within budget: Int?) -> ReassemblyLimits {
        var reassembly = ReassemblyLimits()
        reassembly.connections = limits.connections
        reassembly.bufferedOctetsPerConnection = limits.bufferedBytesPerConnection.octets
        reassembly.idleTimeoutNanoseconds = limits.idleTimeout.nanoseconds
        reassembly.networkTags = capture.networkTags
        if let budget {
            let connections = MemoryShare.connections.octets(of: budget) / MemoryEstimate.octetsPerConnection
            reassembly.connections = min(reassembly.connections, connections)
            reassembly.bufferedOctets = min(reassembly.bufferedOctets, MemoryShare.waiting.octets(of: budget))
            // What is known of a connection on which something waits, be it no octets but a SYN or a RST, takes some 400.
            let waiting = MemoryShare.waiting.octets(of: budget) / MemoryEstimate.octetsPerWaitingConnection
            reassembly.waitingConnections = min(reassembly.waitingConnections, waiting)
        }
        return reassembly
    }

    /// What the stages of a pipeline may hold, within a budget as `reassemblyLimits(within:)` has it.
    package func pipelineLimits(within budget: Int?) -> PipelineLimits {
        var pipeline = PipelineLimits()
        pipeline.reassembly = reassemblyLimits(within: budget)
        pipeline.decoding.vxlanPorts = capture.vxlanPorts
        pipeline.http.headOctets = limits.headBytes.octets
        pipeline.tls.heldOctets = tls.heldBytes.octets
        if let budget {
            let exchanges = MemoryShare.exchanges.octets(of: budget) / MemoryEstimate.octetsPerExchange
            pipeline.tls.heldOctets = min(pipeline.tls.heldOctets, MemoryShare.ciphertext.octets(of: budget))
            pipeline.tls.readerOctets = min(pipeline.tls.readerOctets, MemoryShare.tls.octets(of: budget))
            pipeline.http.heldOctets = min(pipeline.http.heldOctets, MemoryShare.heads.octets(of: budget))
            pipeline.http.readerOctets = min(pipeline.http.readerOctets, MemoryShare.readers.octets(of: budget))
            pipeline.http.openExchanges = min(pipeline.http.openExchanges, exchanges)
            pipeline.http.retainedOctets = min(pipeline.http.retainedOctets, MemoryShare.retained.octets(of: budget))
        }
        return pipeline
    }

    /// How many keys may wait for their connections: in a live capture for a minute, those of pcap files all the time.
    package func keyLimits(isLive: Bool) -> KeyStore.Limits {
        var keys = isLive ? KeyStore.Limits() : .savefile
        if isLive || limits.memory != nil {
            let share = MemoryShare.keys.octets(of: MemoryBudget.shared(self).octets)
            keys.connections = min(keys.connections, share / MemoryEstimate.octetsPerKeys)
        }
        return keys
    }

    /// How much of pcap files may be decompressed and wait to be read, in octets.
    ///
    /// A second file is to be decompressed far enough ahead that two threads are busy until the first has been read: two
    /// fifths of what `tcpdump -C 300` writes. Within `limits.memory` it is no more than the shares of shadow requests and
    /// of what the page shows, which files that are read once do without.
    /// - Parameter jobs: How many threads there are, with the one that reads.
    /// - Returns: For all files together.
    package func readAheadOctets(jobs: Int) -> Int {
        let wanted = (jobs - 1) * (128 << 20)
        guard limits.memory != nil else { return wanted }
        let budget = MemoryBudget.shared(self).octets
        let unused: [MemoryShare] = [.shadows, .recent, .history]
        return min(wanted, unused.reduce(0) { $0 + $1.octets(of: budget) })
    }

    /// How many recent exchanges are kept to be looked at, within a budget.
    package func recentLimits(within budget: Int) -> RecentLimits {
        var recent = RecentLimits()
        recent.exchanges = min(recent.exchanges, MemoryShare.recent.octets(of: budget) / recent.octetsPerExchange)
        return recent
    }

    /// What records say of a message.
    package var recordOptions: RecordOptions {
        RecordOptions(
            includesFields: records.fields,
            contentOctets: records.contentBytes.octets > 0 ? records.contentBytes.octets : nil,
            redactedFields: Set(redaction.fields),
            replacesParameters: redaction.parameters ?? false
        )
    }
}

extension CaptureConfiguration.Filter {
    /// The user's expression, if there is one.
    package var expression: String? {
        switch self {
        case .automatic: nil
        case .expression(let expression): expression
        }
    }
}
