// Wingmirror · Apache-2.0

import AgentConfiguration
package import Logging
package import PacketCapture
import PacketDecoding
import Synchronization
package import TLSDecryption
package import TrafficPipeline

/// The capture threads' work: opens the sources, feeds a pipeline each until a stop is requested, and reports how it ended.
package final class CaptureRun: Sendable {
    /// What happens to the threads, in this order; `ended` always comes last.
    package enum Event: Sendable {
        /// The sources are open in every thread, so that privileges are not needed any more.
        case opened
        /// Nothing will be captured any more; the errors are of what could not be read.
        case ended([CaptureError])
    }

    /// How far the threads have come together.
    private struct Progress {
        var opened = 0
        var ended = 0
        var errors: [CaptureError] = []
    }

    /// Set to end the capture.
    package let stop = StopFlag()
    /// Show that the threads make progress.
    let heartbeats: Heartbeats

    /// Gives a live capture other interfaces or another filter; `nil` when pcap files are read.
    package let control: CaptureControl?

    private let sources: CaptureSources
    private let keys: KeyStore?
    private let logger: Logger
    private let timeline: Timeline?
    private let keptPackets: KeptPackets?
    private let shedding: LoadShedding?
    private let decoding: DecodingLimits
    private let progress = Mutex(Progress())
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
    ///
    /// - Parameters:
    ///   - sources: Where packets come from.
    ///   - keys: Takes the key logs that pcapng files hold.
    ///   - logger: Where to say what happens to the sources.
    ///   - timeline: Where else to say it.
    ///   - keptPackets: Where packets are kept for a while; `nil` keeps none.
    ///   - shedding: Says when memory is too short to keep any.
    ///   - decoding: How packets are decoded, to keep them by their connections.
    init(
        _ sources: CaptureSources,
        keys: KeyStore?,
        logger: Logger,
        timeline: Timeline?,
        keptPackets: KeptPackets? = nil,
        shedding: LoadShedding? = nil,
        decoding: DecodingLimits = DecodingLimits()
    ) {
        self.keptPackets = keptPackets
        self.shedding = shedding
        // The fragments that workers hold to know whose packets they are come to the same for any number of them.
        var share = decoding
        share.fragmentOctets /= sources.workers
        share.fragmentedDatagrams /= sources.workers
        self.decoding = share
        self.sources = sources
        self.keys = keys
        self.logger = logger
        self.timeline = timeline
        heartbeats = Heartbeats(workers: sources.workers)
        control =
            switch sources {
            case .live(_, let counters): CaptureControl(counters: counters)
            case .savefiles: nil
            }
    }

    /// Whether the threads were started.
    var hasStarted: Bool { isStarted.load(ordering: .relaxed) }

    /// Whether a source is open, or has been read to its end.
    var isReady: Bool {
        switch sources {
        case .live(_, let counters): counters.interfaces.contains { $0.isUp }
        case .savefiles: isOpen.load(ordering: .relaxed)
        }
    }

    /// Starts a thread for each worker.
    ///
    /// - Parameters:
    ///   - makePipeline: Makes the pipeline of the worker with that number, which belongs to its thread.
    ///   - report: Called on one of the threads with what happens to them.
    /// - Throws: `.captureFailed` when the system gives no thread.
    package func start(
        makePipeline: @escaping @Sendable (_ worker: Int) -> TrafficPipeline,
        report: @escaping @Sendable (Event) -> Void
    ) throws(CaptureError) {
        for heartbeat in heartbeats.workers { heartbeat.beat() }
        isStarted.store(true, ordering: .relaxed)
        for (worker, share) in CaptureShare.shares(among: sources.workers).enumerated() {
            do throws(CaptureError) {
                let name = share == nil ? "capture" : "capture-\(worker)"
                _ = try CaptureThread.start(name: name) { [self] in
                    do throws(CaptureError) {
                        ended(worker, try run(worker, share, makePipeline(worker), report), report)
                    } catch {
                        ended(worker, [error], report)
                    }
                }
            } catch {
                guard worker > 0 else { throw error }
                ended(worker, [error], report)
            }
        }
    }

    /// The sources are open in one more thread.
    private func opened(_ report: @Sendable (Event) -> Void) {
        let isLast = progress.withLock { progress in
            progress.opened += 1
            return progress.opened == sources.workers
        }
        if isLast { report(.opened) }
    }

    /// One more thread has done all there was to do, or cannot go on; then the others are to end too.
    private func ended(_ worker: Int, _ errors: [CaptureError], _ report: @Sendable (Event) -> Void) {
        if !errors.isEmpty, sources.workers > 1 { stop.request() }
        let all: [CaptureError]? = progress.withLock { progress in
            progress.ended += 1
            progress.errors += errors
            return progress.ended == sources.workers ? progress.errors : nil
        }
        if let all {
            if case .live(_, let counters) = sources, all.isEmpty {
                for interface in counters.interfaces { logger.reportEnd(of: interface) }
            }
            report(.ended(all))
        }
        heartbeats.workers[worker].finished()
    }

    private func run(
        _ number: Int,
        _ share: CaptureShare?,
        _ pipeline: consuming TrafficPipeline,
        _ report: @Sendable (Event) -> Void
    ) throws(CaptureError) -> [CaptureError] {
        let worker = CaptureWorker(pipeline, heartbeat: heartbeats.workers[number], measuresLag: sources.isLive)
        guard let keptPackets else { return try capture(number, share, into: worker, report) }
        let keeping = PacketKeeping(keptPackets, worker: number, shedding: shedding)
        return try capture(number, share, into: PacketKeeper(worker, keeping: keeping, decoding: decoding), report)
    }

    private func capture(
        _ number: Int,
        _ share: CaptureShare?,
        into sink: consuming some FinishingSink & ~Copyable,
        _ report: @Sendable (Event) -> Void
    ) throws(CaptureError) -> [CaptureError] {
        var worker = sink
        switch sources {
        case .live(let configuration, let counters):
            // What happens to an interface happens to all workers; the first one says so.
            let (logger, timeline) = number == 0 ? (logger, timeline) : (logger.quieter, nil)
            let filter: @Sendable () -> String = { [control] in
                (control?.wantedFilter ?? configuration.filter).plainText
            }
            var capture = try LiveCapture(configuration, counters: counters, control: control, share: share) { event in
                logger.report(event, filter: filter())
                if let text = event.timelineText { timeline?.add(.capture, text) }
            }
            opened(report)
            capture.run(into: &worker, until: stop)
            worker.captureEnded()
            return []
        case .savefiles(let paths, let pace, let filter, let loops):
            var capture: SavefileCapture
            do throws(CaptureError) {
                capture = try savefileCapture(paths, pace, filter)
            } catch {
                guard error.code == .stopped else { throw error }
                return []
            }
            isOpen.store(true, ordering: .relaxed)
            opened(report)
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
            progressed: { [heartbeats] _ in heartbeats.workers[0].beat() }
        )
    }

    /// Reads savefiles again and again until a stop, or until one cannot be read or has no packet.
    private func `repeat`(
        _ first: consuming SavefileCapture,
        into worker: consuming some FinishingSink & ~Copyable,
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
    /// The same, for what another logger says too.
    fileprivate var quieter: Logger {
        var logger = self
        logger.logLevel = .error
        return logger
    }

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
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - filter: The filter in force, for people.
    fileprivate func report(_ event: CaptureEvent, filter: @autoclosure () -> String) {
        switch event {
        case .opened(let interface, let ringOctets, let linkType):
            info(
                "capturing",
                metadata: [
                    "interface": "\(interface)", "ringBytes": "\(ringOctets)", "linkType": "\(linkType.rawValue)",
                    "filter": "\(filter())",
                ]
            )
        case .filterChanged(let interface):
            info("filter changed", metadata: ["interface": "\(interface)", "filter": "\(filter())"])
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
