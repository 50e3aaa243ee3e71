// Wingmirror · Apache-2.0

package import AgentConfiguration
package import RouteAttribution

/// What an agent would refuse to start with, found out without starting one.
///
/// Only what the configuration says is looked at: whether this machine may capture, has the interface, or is a pod of the
/// cluster does not matter, since a configuration is often checked elsewhere.
package struct StartRefusals: Sendable {
    /// Sentences as `run` would end with.
    package private(set) var refusals: [String] = []
    /// Sentences on what is not in force yet, and would be refused once it is.
    package private(set) var warnings: [String] = []

    /// Finds out what would be refused; looks the names of targets up.
    ///
    /// - Parameters:
    ///   - configuration: The configuration, which is valid by itself.
    ///   - table: What its route objects come to.
    package init(_ configuration: Configuration, table: RouteTable) async {
        if configuration.capture.savefiles.isEmpty {
            do throws(CommandFailure) {
                try configuration.tls.refuseExposedKeyLog()
            } catch {
                refusals += error.lines
            }
        }
        let mirroring = Mirroring(configuration)
        mirroring.production.tablesReplaced(RouteTables(table))
        let targets = await mirroring.targetRefusals(of: configuration.mirror)
        if configuration.mirror.isActive { refusals += targets } else { warnings += targets }
    }
}
