// Wingmirror · Apache-2.0

import Logging
import PacketCapture
import ServiceLifecycle
import TrafficPipeline

/// Runs the capture threads within the service group: starts them when the server listens, drains them at shutdown.
struct CaptureService: Service {
    /// The threads' work.
    let run: CaptureRun
    /// Makes the pipeline of a worker, on its thread.
    let makePipeline: @Sendable (Int) -> TrafficPipeline
    /// Yields for each address on which the server listens; the capture waits for all, so that a taken port ends the agent
    /// before anything else is done.
    let listening: AsyncStream<Int>
    /// How many addresses there are.
    let listenerCount: Int
    /// Does what the capture needs first, once the server listens; `false` when a signal came meanwhile.
    let prepare: @Sendable () async throws -> Bool
    /// The user to become once the sources are open; empty keeps the user.
    let user: String
    /// Called when nothing will be captured any more, before the service ends or idles.
    let ended: @Sendable () throws -> Void
    /// Whether the agent goes on serving when the sources have come to an end.
    let staysAfterEnd: Bool
    /// Where privileges given up are logged.
    let logger: Logger

    func run() async throws {
        // Without a port the wait was ended: by a signal, or because the server could not listen.
        let hasPort = await cancelWhenGracefulShutdown {
            var count = 0
            for await _ in listening {
                count += 1
                if count == listenerCount { return true }
            }
            return false
        }
        guard hasPort, !Task.isShuttingDownGracefully else { return }
        let isPrepared = try await cancelWhenGracefulShutdown { try await prepare() }
        guard isPrepared, !Task.isShuttingDownGracefully else { return }
        let (events, continuation) = AsyncStream.makeStream(of: CaptureRun.Event.self)
        do throws(CaptureError) {
            try run.start(makePipeline: makePipeline) { event in
                continuation.yield(event)
                if case .ended = event { continuation.finish() }
            }
        } catch {
            throw CommandFailure(error)
        }
        var failures: [CaptureError] = []
        var hasOpened = false
        await withGracefulShutdownHandler {
            for await event in events {
                switch event {
                case .opened:
                    hasOpened = true
                    failures += dropPrivileges()
                case .ended(let errors): failures += errors
                }
            }
        } onGracefulShutdown: {
            run.stop.request()
        }
        if hasOpened {
            try ended()
        }
        try report(failures, hasOpened: hasOpened)
        if staysAfterEnd {
            try? await gracefulShutdown()
        }
    }

    /// Becomes another user, when there is one to become; a failure stops the capture.
    private func dropPrivileges() -> [CaptureError] {
        guard !user.isEmpty, Capabilities.current.isRoot else { return [] }
        do throws(CaptureError) {
            try PrivilegeDrop.become(user: user)
            logger.info("privileges given up", metadata: ["user": "\(user)"])
            return []
        } catch {
            run.stop.request()
            return [error]
        }
    }

    private func report(_ failures: [CaptureError], hasOpened: Bool) throws {
        guard let first = failures.first else { return }
        // What could be read has been: the agent goes on serving it.
        guard staysAfterEnd, hasOpened, failures.allSatisfy({ $0.concernsContent }) else {
            let failure = CommandFailure(first)
            throw CommandFailure(failure.status, failures.map(\.description))
        }
        for failure in failures {
            logger.error("pcap file not read to its end", metadata: ["reason": "\(failure)"])
        }
    }
}
