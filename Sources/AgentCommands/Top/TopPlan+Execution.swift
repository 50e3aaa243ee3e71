// Wingmirror · Apache-2.0

import Logging
import PacketCapture
import Synchronization
import TrafficMetrics
import TrafficPipeline

extension TopPlan {
    /// Shows the figures until the user or the source ends it.
    ///
    /// - Throws: `CommandFailure` for what keeps figures from being had, `OctetOutput.Failure` when they cannot be shown.
    func execute() async throws {
        let (events, report) = AsyncStream.makeStream(of: TopEvent.self)
        switch origin {
        case .agent(let url, let token):
            let source = AgentTopSource(url, token: token, window: window)
            do {
                try await show(source, named: url.description, events, report, capture: nil)
            } catch {
                await source.close()
                throw error
            }
            await source.close()
        case .capture:
            let capture = try TopCapture(configuration, window: window)
            try await show(capture.source, named: capture.name, events, report, capture: capture)
            try capture.throwFailures()
        }
    }

    private func show(
        _ source: any TopSource,
        named name: String,
        _ events: AsyncStream<TopEvent>,
        _ report: AsyncStream<TopEvent>.Continuation,
        capture: TopCapture?
    ) async throws {
        let isFullScreen = TopScreen.isUsable && !isOnce
        let screen = isFullScreen ? TopScreen() : nil
        do throws(CaptureError) {
            // The threads begin after the handlers, so that no signal finds the default one.
            try TopWatch.start(keyboard: screen?.keyboard, interval: interval) { report.yield($0) }
            try capture?.start(isQuiet: isFullScreen) { event in
                switch event {
                case .message(let text): report.yield(.message(text))
                case .ended: report.yield(isFullScreen ? .tick : .end)
                }
            }
        } catch {
            throw CommandFailure(error)
        }
        defer { capture?.stop() }
        if let screen {
            var session = TopSession(
                terminal: screen,
                source: source,
                sourceName: name,
                order: order,
                events: events,
                report: report
            )
            try await session.run()
        } else {
            try await print(source, events, capture)
        }
    }

    /// Prints the table once per interval, or once.
    private func print(
        _ source: any TopSource,
        _ events: AsyncStream<TopEvent>,
        _ capture: TopCapture?
    ) async throws {
        let endsWithSource = capture?.isLive == false
        let style = Terminal.style(1)
        var output = OctetOutput.standardOutput()
        _ = await source.frame()
        for await event in events {
            let isEnd: Bool
            switch event {
            case .tick: isEnd = false
            case .end: isEnd = true
            default: continue
            }
            // Of savefiles one table is enough, that of the end.
            if isOnce, endsWithSource, !isEnd { continue }
            let frame = await source.frame()
            if frame.time == nil {
                if let problem = frame.problem { throw CommandFailure(.failed, problem) }
                try capture?.throwFailures()
            }
            for line in TopListing(frame: frame, order: order).lines(style) {
                try output.append(line: line)
            }
            try output.flush()
            if isOnce || isEnd { return }
        }
    }
}

/// The table as it is printed where there is no screen.
struct TopListing {
    /// What is printed.
    let frame: TopFrame
    /// What rows are ordered by.
    let order: TopView.Order

    /// The lines; routes that have had no requests are only counted.
    func lines(_ style: TerminalStyle) -> [String] {
        var view = TopView(size: TerminalSize(columns: style.width ?? .max, rows: .max), isColoured: style.isColoured)
        view.order = order
        let rows = view.rows(of: frame)
        var lines = TopHead(frame: frame, style: style).lines.dropLast() + []
        if let problem = frame.problem { lines.append(style.apply(.warning, to: problem.withVisibleControls)) }
        var table = TopTable(order: order)
        for row in rows where row.requests > 0 { table.append(row) }
        lines += table.lines(style)
        let idle = rows.count { $0.requests == 0 }
        if idle > 0 {
            let routes = "\(HumanUnits.count(UInt64(idle))) \(idle == 1 ? "route" : "routes")"
            lines.append(style.apply(.dim, to: "  \(routes) without requests"))
        }
        return lines + [""]
    }
}

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
    private let registry: MetricsRegistry
    private let routing: RoutingBoard
    private let figures = FiguresBoard()
    private let sources: CaptureSources
    private let limits: PipelineLimits
    private let run = Mutex<CaptureRun?>(nil)
    private let failures = Mutex<[CaptureError]>([])

    /// Reads the routes and chooses the sources; opens nothing yet.
    ///
    /// - Throws: `CommandFailure` for whatever is wrong with them.
    init(_ configuration: Configuration, window: Duration) throws(CommandFailure) {
        self.configuration = configuration
        sources = try CaptureSources(configuration)
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        objects.warnOfErrors()
        registry = MetricsRegistry(configuration: configuration.metricsSettings)
        let description = RouteTableDescription(objects.table, findings: objects.findings, buildSeconds: 0)
        let series = registry.routesPublished(description, at: WallClock.now())
        routing = RoutingBoard(RoutingSnapshot(table: objects.table, series: series))
        let given = configuration.limits.memory?.octets
        limits = configuration.pipelineLimits(
            within: sources.isLive ? MemoryBudget.current(configuration.limits).octets : given
        )
        source = LocalTopSource(
            table: objects.table,
            registry: registry,
            figures: figures,
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
        let run = CaptureRun(sources, logger: logger)
        self.run.withLock { $0 = run }
        let made = { @Sendable [self] in makePipeline() }
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

    private func makePipeline() -> TrafficPipeline {
        TrafficPipeline(limits: limits, routing: routing, shard: registry.shards[0], figures: figures)
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

/// Makes a message of each log line from a warning up, for where standard error cannot be written to.
struct TopLogHandler: LogHandler {
    /// Takes the messages.
    let report: @Sendable (String) -> Void
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    /// Makes a handler.
    init(_ report: @escaping @Sendable (String) -> Void) {
        self.report = report
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        report(([event.message.description] + details).joined(separator: " "))
    }
}
