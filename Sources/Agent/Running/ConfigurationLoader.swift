// Wingmirror · Apache-2.0

import AdminServer
import Synchronization

/// Reads configuration and routes on a thread of its own, for everybody who wants them read.
///
/// A file system may take as long as it likes, and objects take seconds where there are thousands: nobody else waits for that
/// thread. Reloads that are asked for while another is under way become one.
final class ConfigurationLoader: Sendable {
    private let configuration: ConfigurationKeeper
    private let routes: RouteKeeper
    private let thread = WorkThread("loader")
    private let watch: Mutex<RouteFileWatch>
    /// Who waits for the reload that has not begun yet.
    private let waiting = Mutex<[AsyncStream<ReloadOutcome>.Continuation]>([])

    /// Makes a loader that has read nothing yet.
    init(configuration: ConfigurationKeeper, routes: RouteKeeper) {
        self.configuration = configuration
        self.routes = routes
        watch = Mutex(RouteFileWatch(configuration: configuration, routes: routes))
    }

    /// Reads the routes for the first time.
    ///
    /// - Returns: Whether they are in force; not when the task was cancelled before.
    /// - Throws: `CommandFailure` when they cannot be read or understood.
    func loadFirstRoutes() async throws(CommandFailure) -> Bool {
        let outcome = await thread.run { [configuration] in
            Result<Void, CommandFailure> { () throws(CommandFailure) in try configuration.loadFirstRoutes() }
        }
        try outcome?.get()
        return outcome != nil
    }

    /// Reads configuration and routes again, and waits for what comes of it.
    func reload() async -> ReloadOutcome {
        for await outcome in requestReload() { return outcome }
        return .rejected(["the agent is ending"])
    }

    /// Asks for a reload: the next, if one is under way.
    ///
    /// - Returns: What comes of it, for those who want to know.
    @discardableResult
    func requestReload() -> AsyncStream<ReloadOutcome> {
        let (outcomes, continuation) = AsyncStream.makeStream(of: ReloadOutcome.self)
        let isFirst = waiting.withLock { waiting in
            waiting.append(continuation)
            return waiting.count == 1
        }
        if isFirst { thread.submit { [self] in reloadNow() } }
        return outcomes
    }

    private func reloadNow() {
        let asking = waiting.withLock { waiting in
            let asking = waiting
            waiting = []
            return asking
        }
        let outcome = configuration.reload()
        for continuation in asking {
            continuation.yield(outcome)
            continuation.finish()
        }
        ProcessMemory.giveBack()
    }

    /// Looks whether the files of the routes have changed, and reads them again if so.
    func lookAtRouteFiles() async {
        await thread.run { [self] in
            let outcome = watch.withLock { $0.look() }
            if outcome != nil { ProcessMemory.giveBack() }
        }
    }

    /// Looks again at which routes have series of their own, where the limit does not allow all.
    func reconsiderAdmission() async {
        await thread.run { [routes] in routes.reconsiderAdmission() }
    }
}
