// Wingmirror · Apache-2.0

import AgentConfiguration
import Logging
import OctetText
import PacketCapture
import PacketDecoding
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// Supplies what the agent says of itself: configuration, build, log lines, scrapes, records.
final class AgentCollector: MetricCollector {
    private let configuration: ConfigurationKeeper
    private let logs: LogSettings
    private let routes: RouteKeeper
    private let records: RecordQueue?
    private let shedding: LoadShedding
    private let memoryLimit: Int
    private let state = Mutex(Scrapes())

    private struct Scrapes: Sendable {
        var counts: [[String]: UInt64] = [:]
        var renderSeconds: Double?
    }

    init(
        configuration: ConfigurationKeeper,
        logs: LogSettings,
        routes: RouteKeeper,
        records: RecordQueue?,
        shedding: LoadShedding,
        memoryLimit: Int
    ) {
        self.configuration = configuration
        self.logs = logs
        self.routes = routes
        self.shedding = shedding
        self.records = records
        self.memoryLimit = memoryLimit
    }

    /// A scrape was answered.
    func scrapeServed(_ format: String, _ status: Int) {
        state.withLock { $0.counts[[format, String(status)], default: 0] += 1 }
    }

    /// A page was rendered.
    func pageRendered(in seconds: Double) {
        state.withLock { $0.renderSeconds = seconds }
    }

    func collect(into samples: inout SampleCollection) {
        collectConfiguration(into: &samples)
        samples.info(
            MetricCatalogue.buildInfo,
            [
                BuildInformation.version, BuildInformation.revision, BuildInformation.swiftVersion,
                BuildInformation.libpcapVersion, BuildInformation.architecture,
            ]
        )
        collectFeatures(into: &samples)
        collectFindings(into: &samples)
        samples.set(MetricCatalogue.memoryLimit, [], Double(memoryLimit))
        samples.set(MetricCatalogue.memoryUsed, [], Double(shedding.used))
        let sheddingLevel = shedding.level
        for level in SheddingLevel.allCases {
            guard let work = level.work else { continue }
            samples.set(MetricCatalogue.loadShedding, [work], level <= sheddingLevel ? 1 : 0)
        }
        samples.count(MetricCatalogue.loadShedRequests, [], shedding.requests)
        for (level, count) in logs.messageCounts {
            samples.count(MetricCatalogue.logMessages, [level.rawValue], count)
        }
        let scrapes = state.withLock { $0 }
        for (labels, count) in scrapes.counts {
            samples.count(MetricCatalogue.scrapes, labels, count)
        }
        if let seconds = scrapes.renderSeconds {
            samples.set(MetricCatalogue.scrapeRenderDuration, [], seconds)
        }
        collectRecords(into: &samples)
    }

    private func collectFeatures(into samples: inout SampleCollection) {
        let chosen = configuration.current.configuration
        let features = [
            "mirror": chosen.mirror.isActive, "istio_compat": chosen.metrics.istioCompat,
            "native_histograms": chosen.metrics.nativeHistograms, "exemplars": chosen.metrics.exemplars,
            "kubernetes": chosen.routes.kubernetes.isEnabled, "records": records != nil,
            "tls_decryption": !chosen.tls.keyLog.isEmpty,
        ]
        for (feature, isOn) in features {
            samples.set(MetricCatalogue.featureEnabled, [feature], isOn ? 1 : 0)
        }
    }

    /// What lint finds, by severity and code; each code once it has been found.
    private func collectFindings(into samples: inout SampleCollection) {
        var counts: [[String]: Int] = [:]
        for finding in routes.findings {
            counts[[finding.severity.rawValue, finding.code.rawValue], default: 0] += 1
        }
        for (labels, count) in counts {
            samples.set(MetricCatalogue.routeTableFindings, labels, Double(count))
        }
    }

    private func collectConfiguration(into samples: inout SampleCollection) {
        let current = configuration.current
        samples.count(MetricCatalogue.configReloads, ["success"], current.reloads.accepted)
        samples.count(MetricCatalogue.configReloads, ["rejected"], current.reloads.rejected)
        samples.set(MetricCatalogue.configLastReloadSuccessful, [], current.reloads.isLatestGood ? 1 : 0)
        samples.set(MetricCatalogue.configLastReloadSuccess, [], Double(current.readAt) / 1_000_000_000)
        samples.info(MetricCatalogue.configInfo, [current.digest])
        samples.count(MetricCatalogue.routeTableReloads, ["success"], current.routeReloads.accepted)
        samples.count(MetricCatalogue.routeTableReloads, ["rejected"], current.routeReloads.rejected)
        samples.set(MetricCatalogue.routeTableLastReloadSuccessful, [], current.routeReloads.isLatestGood ? 1 : 0)
    }

    private func collectRecords(into samples: inout SampleCollection) {
        guard let records else { return }
        samples.set(MetricCatalogue.pipelineQueueLength, ["records"], Double(records.count))
        samples.set(MetricCatalogue.pipelineQueueCapacity, ["records"], Double(records.capacity))
        samples.count(MetricCatalogue.recordsWritten, [], records.ledger.written)
        samples.set(MetricCatalogue.recordSinkUp, [], records.ledger.failure == nil ? 1 : 0)
        for loss in RecordLedger.Loss.allCases {
            samples.count(MetricCatalogue.pipelineDropped, ["records", loss.rawValue], records.ledger.lost(loss))
        }
    }
}

/// Supplies what live captures count.
struct LiveCollector: MetricCollector {
    /// What became of the packets of each interface.
    let counters: CaptureCounters
    /// What the packets held, as the workers counted it.
    let boards: WorkerBoards
    /// How far the capture threads are behind.
    let heartbeats: Heartbeats

    func collect(into samples: inout SampleCollection) {
        for (worker, heartbeat) in heartbeats.workers.enumerated() {
            samples.set(MetricCatalogue.pipelineLag, ["\(worker)"], heartbeat.lagSeconds)
        }
        let figures = boards.figures.interfaces
        for (number, interface) in counters.interfaces.enumerated() {
            let name = interface.name
            let seen = number < figures.count ? figures[number] : InterfaceFigures()
            samples.count(MetricCatalogue.capturePacketsReceived, [name], interface.packetsReceived)
            samples.count(
                MetricCatalogue.capturePacketsDropped,
                [name, "kernel_buffer"],
                interface.packetsDroppedByKernelBuffer
            )
            samples.count(
                MetricCatalogue.capturePacketsDropped,
                [name, "interface"],
                interface.packetsDroppedByInterface
            )
            samples.count(MetricCatalogue.capturePacketsTruncated, [name], UInt64(seen.truncatedPackets))
            samples.count(MetricCatalogue.captureBytes, [name], UInt64(seen.octets))
            if interface.isWanted {
                samples.set(MetricCatalogue.captureInterfaceUp, [name], interface.isUp ? 1 : 0)
                samples.set(MetricCatalogue.captureRingSize, [name], Double(interface.ringOctets))
            }
            for reason in CaptureRestartReason.allCases {
                samples.count(MetricCatalogue.captureRestarts, [name, reason.rawValue], interface.restarts(reason))
            }
            if let time = seen.latestPacket {
                samples.set(MetricCatalogue.captureLastPacket, [name], Double(time.nanoseconds) / 1_000_000_000)
            }
        }
    }
}
