// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import ResourceFiles

/// Reloads the routes when the files and folders they come from have changed.
///
/// Files are looked at from time to time rather than watched by the kernel, which would tell of links and network file
/// systems only in part. A change counts once two looks in a row have found the same: files that are still being written
/// wait. Files that cannot be used are tried once, and again when they change.
struct RouteFileWatch {
    /// How long to wait between two looks.
    static let interval: Duration = .seconds(2)

    private let configuration: ConfigurationKeeper
    private let routes: RouteKeeper
    /// What the latest look found, when it was not what is in force.
    private var waiting: ResourceFileStamps?
    /// What could not be used.
    private var refused: ResourceFileStamps?

    /// Watches the files that the configuration in force names.
    init(configuration: ConfigurationKeeper, routes: RouteKeeper) {
        self.configuration = configuration
        self.routes = routes
    }

    /// Looks once; returns what a reload came to, if there was one.
    @discardableResult
    mutating func look() -> ReloadOutcome? {
        let current = configuration.current
        // Then somebody else's reload has repaired it.
        if current.routeReloads.isLatestGood { refused = nil }
        let seen = ResourceFileLoader().stamps(of: current.configuration.routes.files)
        guard seen != refused ?? routes.files else {
            waiting = nil
            return nil
        }
        guard seen == waiting else {
            waiting = seen
            return nil
        }
        waiting = nil
        let outcome = configuration.reloadRoutes()
        if case .rejected = outcome { refused = seen }
        return outcome
    }
}
