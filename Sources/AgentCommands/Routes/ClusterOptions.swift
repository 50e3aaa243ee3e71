// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import KubernetesObjects

/// The options that take route objects from a cluster instead of files.
struct ClusterOptions: ParsableArguments {
    @Flag(help: "Take route objects from the cluster of your kubeconfig.")
    var kubernetes = false

    @OptionGroup var chosen: ClusterContextOption

    /// The cluster that was chosen; `nil` where files are meant.
    ///
    /// - Throws: Options that do not fit.
    func choice() throws(ConfigurationProblems) -> ClusterChoice? {
        guard !kubernetes else { return ClusterChoice(context: chosen.context) }
        guard chosen.context == nil else {
            throw ConfigurationProblems([.option("--context", "is of use with --kubernetes only")])
        }
        return nil
    }

    /// Reads the cluster's objects; `nil` where files are meant.
    ///
    /// - Throws: `CommandFailure` when there is no way to the cluster; `ConfigurationProblems` for options that do not fit.
    func objects(_ configuration: Configuration) async throws -> ClusterObjects? {
        try await choice()?.objects(configuration)
    }
}

/// The option that names a cluster, beside the flag that asks for one.
struct ClusterContextOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kubeconfig's context, with --kubernetes; without it the current one.",
            valueName: "name"
        )
    )
    var context: String?
}

/// A cluster of the kubeconfig.
struct ClusterChoice: Sendable, Equatable {
    /// The context; `nil` for the current one.
    let context: String?

    /// Reads the cluster's objects.
    ///
    /// - Throws: `CommandFailure` when there is no way to the cluster.
    func objects(_ configuration: Configuration) async throws -> ClusterObjects {
        try await ClusterObjects.read(try access(), configuration)
    }

    /// Where the API server is, and who asks.
    ///
    /// - Throws: `CommandFailure` when the kubeconfig does not say.
    func access() throws -> ClusterAccess {
        try KubeConfig { Terminal.environment($0) }.access(context: context)
    }
}
