// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import Logging
import PacketCapture
import RouteAttribution
import Synchronization
import TrafficMetrics
import TrafficPipeline

/// A capture of this process whose figures `top` shows.
final class TopCapture: Sendable {
    /// What happens to the capture.
    enum Event: Sendable {
        /// Something worth a line.
        case message(String)
        /// Nothing will be captured any more.
        case ended
    }

    /// The figures.
    let source: LocalTopSource
    /// The names of the interfaces or savefiles.
    let name: String
    /// Whether packets come as they are captured.
    let isLive: Bool

    private let configuration: Configuration
    private let traffic: TrafficRun
    private let sources: CaptureSources
    private let keys: KeySource
    private let run = Mutex<CaptureRun?>(nil)
    private let failures = Mutex<[CaptureError]>([])

    /// Reads the routes and chooses the sources; opens nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: The sources, and the files of routes.
    ///   - window: How far back the figures of a row go.
    ///   - cluster: Routes that come from a cluster.
    /// - Throws: `CommandFailure` for whatever is wrong with them.
    init(
        _ configuration: Configuration,
        window: Duration,
        cluster: ClusterObjects? = nil
    ) throws(CommandFailure) {
        self.configuration = configuration
        sources = try CaptureSources(configuration, refusesUnknown: true)
        let objects = try RouteObjects(configuration, namesServerPorts: false, cluster: cluster)
        if cluster != nil { try objects.requireWorkload() }
        objects.warnOfErrors()
        keys = try KeySource(configuration, isLive: sources.isLive)
        traffic = TrafficRun(
            objects,
            configuration,
            isLive: sources.isLive,
            at: WallClock.now(),
            keys: keys.store
        )
        source = LocalTopSource(
            gateway: configuration.gateway,
            table: objects.table,
            registry: traffic.registry,
            boards: traffic.boards,
            sources: sources,
            window: window
        )
        name = sources.names.joined(separator: ", ")
        isLive = sources.isLive
    }

    /// Starts the capture thread.
    ///
    /// - Parameters:
    ///   - isQuiet: Whether log lines become messages, because standard error shows the table.
    ///   - report: Takes what happens, from any thread.
    /// - Throws: `.captureFailed` when the system gives no thread.
    func start(isQuiet: Bool, report: @escaping @Sendable (Event) -> Void) throws(CaptureError) {
        let logger =
            isQuiet
            ? Logger(label: "capture") { _ in TopLogHandler { report(.message($0)) } }
            : LogSettings(configuration.log).logger("capture")
        let run = CaptureRun(sources, keys: keys.store, logger: logger)
        // The table is there for as long as the program is.
        Task { [keys] in await keys.follow(logger) }
        self.run.withLock { $0 = run }
        let made = { @Sendable [traffic] (worker: Int) in traffic.makePipeline(ofWorker: worker) }
        try run.start(makePipeline: made) { [self] event in
            switch event {
            case .opened: dropPrivileges()
            case .ended(let errors):
                failures.withLock { $0 += errors }
                source.captureEnded()
                if let first = errors.first { report(.message(first.description)) }
                report(.ended)
            }
        }
    }

    /// Ends the capture.
    func stop() {
        run.withLock { $0 }?.stop.request()
    }

    /// - Throws: `CommandFailure` when something could not be read.
    func throwFailures() throws(CommandFailure) {
        let failures = failures.withLock { $0 }
        guard let first = failures.first else { return }
        throw CommandFailure(CommandFailure(first).status, failures.map(\.description))
    }

    /// Becomes another user, when there is one to become; a failure ends the capture.
    private func dropPrivileges() {
        guard !configuration.capture.user.isEmpty, Capabilities.current.isRoot else { return }
        do throws(CaptureError) {
            try PrivilegeDrop.become(user: configuration.capture.user)
        } catch {
            failures.withLock { $0.append(error) }
            stop()
        }
    }
}
