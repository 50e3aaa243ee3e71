// Wingmirror · Apache-2.0

import AgentConfiguration
package import Logging
package import PacketCapture
import PacketDecoding
import Synchronization
package import TrafficPipeline

/// The capture thread's work: opens the sources, feeds the pipeline until told to stop, and tells how it ended.
package final class CaptureRun: Sendable {
    /// How long the thread sleeps at most while it keeps the pace of a savefile.
    private static let longestNap: Duration = .milliseconds(100)
    /// After how many packets of a savefile a batch ends.
    private static let batchPackets = 4096

    /// What happens to the thread, in this order; `ended` always comes last.
    package enum Event: Sendable {
        /// The sources are open, so that privileges are not needed any more.
        case opened
        /// Nothing will be captured any more; the errors are of what could not be read.
        case ended([CaptureError])
    }

    /// Set to end the capture.
    package let stop = StopFlag()
    /// Shows that the thread makes progress.
    let heartbeat = Heartbeat()

    private let sources: CaptureSources
    private let logger: Logger
    private let isOpen = Atomic<Bool>(false)

    /// Makes the work, which opens nothing yet.
    package init(_ sources: CaptureSources, logger: Logger) {
        self.sources = sources
        self.logger = logger
    }

    /// Whether a source is open, or has been read to its end.
    var isReady: Bool {
        switch sources {
        case .live(_, let counters): counters.interfaces.contains { $0.isUp }
        case .savefiles: isOpen.load(ordering: .relaxed)
        }
    }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - makePipeline: Makes the pipeline, which belongs to the thread.
    ///   - report: Called on the thread with what happens to it.
    /// - Throws: `.captureFailed` when the system gives no thread.
    package func start(
        makePipeline: @escaping @Sendable () -> TrafficPipeline,
        report: @escaping @Sendable (Event) -> Void
    ) throws(CaptureError) {
        _ = try CaptureThread.start(name: "capture") { [self] in
            do throws(CaptureError) {
                report(.ended(try run(makePipeline(), report)))
            } catch {
                report(.ended([error]))
            }
            heartbeat.finished()
        }
    }

    private func run(
        _ pipeline: consuming TrafficPipeline,
        _ report: @Sendable (Event) -> Void
    ) throws(CaptureError) -> [CaptureError] {
        switch sources {
        case .live(let configuration, let counters):
            let logger = logger
            var capture = try LiveCapture(configuration, counters: counters) { logger.report($0) }
            report(.opened)
            var sink = LivePipelineSink(pipeline, heartbeat: heartbeat)
            capture.run(into: &sink, until: stop)
            sink.captureEnded()
            for interface in counters.interfaces {
                logger.reportEnd(of: interface)
            }
            return []
        case .savefiles(let paths, let pace, let filter):
            var merger = try SavefileMerger(paths: paths, filter: filter)
            isOpen.store(true, ordering: .relaxed)
            report(.opened)
            read(&merger, into: &pipeline, at: pace)
            pipeline.captureEnded()
            return merger.failures
        }
    }

    // MARK: - Savefiles

    private func read(
        _ merger: inout SavefileMerger,
        into pipeline: inout TrafficPipeline,
        at pace: CaptureConfiguration.Pace
    ) {
        var beginning: (packet: PacketTime, wall: ContinuousClock.Instant)?
        var packets = 0
        while !stop.isRequested, let packet = merger.next() {
            if pace == .realtime {
                let (first, start) = beginning ?? (packet.time, .now)
                beginning = (first, start)
                let due = start + .nanoseconds(packet.time.nanoseconds(since: first))
                if due > .now {
                    pipeline.batchEnded()
                    wait(until: due)
                }
            }
            pipeline.packetArrived(packet, octets: merger.octets)
            packets += 1
            guard packets % Self.batchPackets == 0 else { continue }
            pipeline.batchEnded()
            heartbeat.beat()
        }
    }

    /// Sleeps until `due` in short naps, so that a stop is noticed.
    private func wait(until due: ContinuousClock.Instant) {
        while !stop.isRequested, case let rest = due - .now, rest > .zero {
            ThreadSleep.sleep(min(rest, Self.longestNap))
            heartbeat.beat()
        }
    }
}

extension Logger {
    /// Logs what there was in all: what was lost while the rings were drained is on no scrape any more.
    fileprivate func reportEnd(of interface: InterfaceCounters) {
        info(
            "capture ended",
            metadata: [
                "interface": "\(interface.name)", "packets": "\(interface.packetsReceived)",
                "droppedByKernelBuffer": "\(interface.packetsDroppedByKernelBuffer)",
                "droppedByInterface": "\(interface.packetsDroppedByInterface)",
            ]
        )
    }

    /// Logs what happened to an interface.
    fileprivate func report(_ event: CaptureEvent) {
        switch event {
        case .opened(let interface, let ringOctets, let linkType):
            info(
                "capturing",
                metadata: [
                    "interface": "\(interface)", "ringBytes": "\(ringOctets)", "linkType": "\(linkType.rawValue)",
                ]
            )
        case .unavailable(let interface, let error):
            warning(
                "interface not available, trying again",
                metadata: ["interface": "\(interface)", "reason": "\(error)"]
            )
        case .lost(let interface, let error):
            warning("interface lost, trying again", metadata: ["interface": "\(interface)", "reason": "\(error)"])
        case .wentDown(let interface):
            warning("interface went down", metadata: ["interface": "\(interface)"])
        case .cameUp(let interface):
            notice("interface came up", metadata: ["interface": "\(interface)"])
        }
    }
}
