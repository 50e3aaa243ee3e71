// Wingmirror · Apache-2.0

import Logging
import ServiceLifecycle
import UnixSignals

/// Reloads the configuration at each SIGHUP and the routes when their files change, and looks at the limit of series from
/// time to time.
struct ReloadService: Service {
    /// How often routes without series of their own may get them.
    private static let admissionInterval: Duration = .seconds(600)

    /// What reloads.
    let loader: ConfigurationLoader
    /// Has the file of the records opened anew.
    let reopenRecords: @Sendable () -> Void

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
                    reopenRecords()
                    loader.requestReload()
                }
            }
            tasks.addTask {
                try? await cancelWhenGracefulShutdown {
                    while true {
                        try await Task.sleep(for: Self.admissionInterval)
                        await loader.reconsiderAdmission()
                    }
                }
            }
            tasks.addTask {
                try? await cancelWhenGracefulShutdown {
                    while true {
                        try await Task.sleep(for: RouteFileWatch.interval)
                        await loader.lookAtRouteFiles()
                    }
                }
            }
            await tasks.waitForAll()
        }
    }
}
