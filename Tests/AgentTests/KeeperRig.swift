// Wingmirror · Apache-2.0

import AdminServer
import Logging
import TrafficMetrics

@testable import Agent
@testable import AgentConfiguration

/// What keeps a configuration and its routes in force, with nothing that captures.
struct KeeperRig {
    let mirroring = Mirroring(Configuration())
    let logs = LogSettings(LogConfiguration(level: .critical, format: .json))
    let routes: RouteKeeper
    let configuration: ConfigurationKeeper

    init(_ plan: RunPlan) {
        routes = RouteKeeper(plan.configuration.environment, registry: MetricsRegistry(), mirroring: mirroring)
        configuration = ConfigurationKeeper(
            plan,
            credentials: .none,
            routes: routes,
            mirroring: mirroring,
            logs: logs
        )
    }

    /// Reads the configuration from a file, at once and with each reload.
    init(file: String) throws {
        let plan = RunPlan(configuration: try Configuration.load(path: file), endsAfterSavefiles: false) {
            () throws(ConfigurationProblems) in try Configuration.load(path: file)
        }
        self.init(plan)
    }
}
