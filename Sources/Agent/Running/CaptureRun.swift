// Wingmirror · Apache-2.0

import AgentConfiguration
package import Logging
package import PacketCapture
import PacketDecoding
import Synchronization
package import TLSDecryption
package import TrafficPipeline

/// The capture thread's work: opens the sources, feeds the pipeline until told to stop, and tells how it ended.
package final class CaptureRun: Sendable {
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

    /// Gives a live capture other interfaces or another filter; `nil` when pcap files are read.
    package let control: CaptureControl?

    private let sources: CaptureSources
    private let keys: KeyStore?
    private let logger: Logger
    private let timeline: Timeline?
    private let isOpen = Atomic<Bool>(false)
    private let isStarted = Atomic<Bool>(false)

    /// Makes the work, which opens nothing yet.
    ///
    /// - Parameters:
    ///   - sources: Where packets come from.
    ///   - keys: Takes the key logs that pcapng files hold.
    ///   - logger: Where to say what happens to the sources.
    package convenience init(_ sources: CaptureSources, keys: KeyStore? = nil, logger: Logger) {
        self.init(sources, keys: keys, logger: logger, timeline: nil)
    }

    /// Makes the work, which notes what happens to interfaces on a time line too.
    init(_ sources: CaptureSources, keys: KeyStore?, logger: Logger, timeline: Timeline?) {
        self.sources = sources
        self.keys = keys
        self.logger = logger
        self.timeline = timeline
        control =
            switch sources {
            case .live(_, let counters): CaptureControl(counters: counters)
            case .savefiles: nil
            }
    }

    /// Whether the thread was started.
    var hasStarted: Bool { isStarted.load(ordering: .relaxed) }

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
        heartbeat.beat()
        isStarted.store(true, ordering: .relaxed)
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
            var worker = CaptureWorker(pipeline, heartbeat: heartbeat, measuresLag: true)
            var capture = try LiveCapture(configuration, counters: counters, control: control) { [timeline] event in
                logger.report(event)
                if let text = event.timelineText { timeline?.add(.capture, text) }
            }
            report(.opened)
            capture.run(into: &worker, until: stop)
            worker.captureEnded()
            for interface in counters.interfaces {
                logger.reportEnd(of: interface)
            }
            return []
        case .savefiles(let paths, let pace, let filter, let loops):
            var worker = CaptureWorker(pipeline, heartbeat: heartbeat, measuresLag: false)
            var capture: SavefileCapture
            do throws(CaptureError) {
                capture = try savefileCapture(paths, pace, filter)
            } catch {
                guard error.code == .stopped else { throw error }
                return []
            }
            isOpen.store(true, ordering: .relaxed)
            report(.opened)
            guard loops else {
                capture.run(into: &worker, until: stop)
                worker.captureEnded()
                return capture.failures
            }
            return `repeat`(capture, into: worker) { () throws(CaptureError) in
                try savefileCapture(paths, pace, filter)
            }
        }
    }

    /// Opens savefiles.
    private func savefileCapture(
        _ paths: [String],
        _ pace: CaptureConfiguration.Pace,
        _ filter: String?
    ) throws(CaptureError) -> SavefileCapture {
        // Opening a pipe takes until something comes through it, and the thread is well meanwhile.
        try SavefileCapture(
            paths: paths,
            filter: filter,
            keepsPace: pace == .realtime,
            secrets: { [keys] in keys?.take(keyLog: $0) },
            stop: stop,
            progressed: { [heartbeat] _ in heartbeat.beat() }
        )
    }

    /// Reads savefiles again and again until a stop, or until one cannot be read or has no packet.
    private func `repeat`(
        _ first: consuming SavefileCapture,
        into worker: consuming CaptureWorker,
        _ open: () throws(CaptureError) -> SavefileCapture
    ) -> [CaptureError] {
        var capture = first
        var sink = RepeatedSavefiles(worker)
        while true {
            let packets = sink.packets
            capture.run(into: &sink, until: stop)
            sink.roundEnded()
            guard !stop.isRequested, capture.failures.isEmpty, sink.packets > packets else { return capture.failures }
            do throws(CaptureError) {
                capture = try open()
            } catch {
                return error.code == .stopped ? [] : [error]
            }
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
        case .filterChanged(let interface):
            info("filter changed", metadata: ["interface": "\(interface)"])
        case .filterRefused(let interface, let error):
            warning(
                "filter refused, the old one stays",
                metadata: ["interface": "\(interface)", "reason": "\(error)"]
            )
        case .closed(let interface):
            info("interface closed", metadata: ["interface": "\(interface)"])
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

extension CaptureEvent {
    /// The event on a time line; `nil` where the log is enough.
    fileprivate var timelineText: String? {
        switch self {
        case .opened(let interface, _, _): "capturing on \(interface)"
        case .closed(let interface): "no longer capturing on \(interface)"
        case .filterChanged(let interface): "another filter on \(interface)"
        case .filterRefused(let interface, let error): "filter refused on \(interface): \(error)"
        case .unavailable(let interface, let error): "\(interface) is not available: \(error)"
        case .lost(let interface, let error): "\(interface) was lost: \(error)"
        case .wentDown(let interface): "\(interface) went down"
        case .cameUp(let interface): "\(interface) came up"
        }
    }
}
