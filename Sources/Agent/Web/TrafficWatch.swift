// Wingmirror · Apache-2.0

import PacketCapture
import ServiceLifecycle
import Synchronization
import TCPReassembly
package import TrafficMetrics
internal import TrafficModel
package import TrafficPipeline

/// The history of the traffic of a running agent, sampled once a second for whoever shows it.
///
/// A sample reads atomic counters and the figures that the capture thread leaves; that thread does not notice.
final class TrafficWatch: Sendable {
    private let registry: MetricsRegistry
    private let reading: @Sendable () -> CaptureReading
    private let clock: Clock
    private let kept: Mutex<TrafficHistory>

    /// The clock of the samples.
    enum Clock: Sendable {
        /// That of the day; counting began at `since`, in nanoseconds since the Unix epoch.
        case wall(since: Int64)
        /// That of the packets, as savefiles are read faster than time passes in them: the times of the first and of the
        /// latest, once there are any. When they have been read, it stands still.
        case packets(@Sendable () -> (first: Int64, latest: Int64)?)
    }

    /// Begins a history, before anything is counted.
    ///
    /// - Parameters:
    ///   - registry: What is counted of the traffic.
    ///   - clock: What time it is.
    ///   - octets: How much the history may hold.
    ///   - reading: What is counted of the capture.
    init(_ registry: MetricsRegistry, clock: Clock, octets: Int, reading: @escaping @Sendable () -> CaptureReading) {
        self.registry = registry
        self.reading = reading
        self.clock = clock
        switch clock {
        case .wall(let since):
            var limits = HistoryLimits()
            limits.octets = min(limits.octets, octets)
            var history = TrafficHistory(of: registry, limits: limits)
            history.countingBegan(at: since)
            kept = Mutex(history)
        case .packets:
            var limits = HistoryLimits.packetTime
            limits.octets = min(limits.octets, octets)
            kept = Mutex(TrafficHistory(of: registry, limits: limits))
        }
    }

    /// The history up to the latest sample.
    var history: TrafficHistory { kept.withLock { $0 } }

    /// Routes with requests that the history does not follow.
    var leftOutRoutes: Int { kept.withLock { $0.leftOutRoutes } }

    /// What is counted of the capture now.
    var capture: CaptureReading { reading() }

    /// Takes a sample; one without time since the one before is left out.
    func sample() {
        switch clock {
        case .wall: sample(at: WallClock.now(), since: nil)
        case .packets(let times):
            guard let (first, latest) = times() else { return }
            sample(at: latest, since: first)
        }
    }

    private func sample(at now: Int64, since beginning: Int64?) {
        let capture = reading()
        kept.withLock { history in
            if let beginning, history.latestSample == nil { history.countingBegan(at: beginning) }
            history.sampled(registry, capture: capture, at: now)
        }
    }
}

/// Supplies what the history leaves out.
struct HistoryCollector: MetricCollector {
    /// The history.
    let watch: TrafficWatch

    func collect(into samples: inout SampleCollection) {
        samples.set(MetricCatalogue.historyRoutesLeftOut, [], Double(watch.leftOutRoutes))
    }
}

/// Samples the history once a second.
struct TrafficWatchService: Service {
    /// The history.
    let watch: TrafficWatch
    /// What kinds of requests there are.
    let requests: RequestWatch

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                watch.sample()
                requests.sample()
            }
        }
    }
}

extension CaptureReading {
    /// Puts together what a pipeline and its sources have counted.
    package init(_ figures: PipelineFigures, sources: CaptureSources, registry: MetricsRegistry) {
        self.init(
            packets: UInt64(figures.interfaces.reduce(0) { $0 + $1.packets }),
            octets: UInt64(figures.interfaces.reduce(0) { $0 + $1.octets }),
            lostPackets: sources.lostPackets,
            truncatedPackets: UInt64(figures.interfaces.reduce(0) { $0 + $1.truncatedPackets }),
            gaps: UInt64(figures.reassembly.gaps.total),
            gapOctets: UInt64(figures.reassembly.gapOctets.total),
            connections: UInt64(figures.reassembly.connectionsOpened),
            opaqueConnections: registry.opaqueSummaries().reduce(0) { $0 + $1.connectionCount },
            answersAlone: registry.responsesAlone
        )
    }
}

extension CaptureSources {
    /// Packets that the kernel or an interface dropped; of savefiles none that is known.
    fileprivate var lostPackets: UInt64 {
        guard case .live(_, let counters) = self else { return 0 }
        return counters.interfaces.reduce(0) {
            $0 + UInt64($1.packetsDroppedByKernelBuffer) + UInt64($1.packetsDroppedByInterface)
        }
    }
}
