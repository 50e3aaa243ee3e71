// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import PacketCapture

extension TopPlan {
    /// Shows the figures until the user or the source ends it.
    ///
    /// - Throws: `CommandFailure` for what keeps figures from being had, `OctetOutput.Failure` when they cannot be shown.
    func execute() async throws {
        let (events, report) = AsyncStream.makeStream(of: TopEvent.self)
        switch origin {
        case .agent(let url, let access):
            let source = AgentTopSource(url, access, window: window)
            do {
                try await show(source, named: url.description, events, report, capture: nil)
            } catch {
                await source.close()
                throw error
            }
            await source.close()
        case .capture:
            let objects = try await cluster?.objects(configuration)
            let capture = try TopCapture(configuration, window: window, cluster: objects)
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
        let isFullScreen = TopScreen.isUsable && !isOnce && output == .table
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
        var page = OctetOutput.standardOutput()
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
            switch self.output {
            case .table:
                for line in TopListing(frame: frame, order: order).lines(style) { try page.append(line: line) }
            case .ndjson:
                try page.append(frame.document(order).encoded())
                try page.append(line: "")
            }
            try page.flush()
            if isOnce || isEnd { return }
        }
    }
}
