// Wingmirror · Apache-2.0

package import AgentConfiguration

/// What `run` is to do, when options and configuration have been found to make sense.
package struct RunPlan: Sendable {
    /// The configuration, with the options laid over it.
    package var configuration: Configuration
    /// Whether the agent ends when its savefiles have been read.
    var endsAfterSavefiles: Bool
    /// Reads the configuration again, with the same options laid over it.
    var reread: @Sendable () throws(ConfigurationProblems) -> Configuration

    /// Makes a plan of its parts.
    package init(
        configuration: Configuration,
        endsAfterSavefiles: Bool,
        reread: @escaping @Sendable () throws(ConfigurationProblems) -> Configuration
    ) {
        self.configuration = configuration
        self.endsAfterSavefiles = endsAfterSavefiles
        self.reread = reread
    }
}
