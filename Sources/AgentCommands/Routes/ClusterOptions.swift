// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser

/// The options that take route objects from a cluster instead of files.
struct ClusterOptions: ParsableArguments {
    @Flag(help: "Take route objects from the cluster of your kubeconfig.")
    var kubernetes = false

    @Option(
        help: ArgumentHelp(
            "The kubeconfig's context, with --kubernetes; without it the current one.",
            valueName: "name"
        )
    )
    var context: String?

    /// Reads the cluster's objects; `nil` where files are meant.
    ///
    /// - Throws: `CommandFailure` when there is no way to the cluster; `ConfigurationProblems` for options that do not fit.
    func objects(_ configuration: Configuration) async throws -> ClusterObjects? {
        guard kubernetes else {
            guard context == nil else {
                throw ConfigurationProblems([.option("--context", "is of use with --kubernetes only")])
            }
            return nil
        }
        let config = try KubeConfig { Terminal.environment($0) }
        return try await ClusterObjects.read(try config.access(context: context), configuration)
    }
}
