// Wingmirror · Apache-2.0

import ResourceFiles
import RouteAttribution

/// The route objects that a configuration names, and the table they make.
struct RouteObjects {
    /// The objects.
    let resources: RouteResources
    /// What the table depends on besides them.
    let environment: RouteEnvironment
    /// The compiled table.
    let table: RouteTable
    /// What is wrong with objects.
    let findings: [RouteFinding]

    /// Reads the objects and compiles them.
    ///
    /// - Parameters:
    ///   - configuration: names the files, the gateway workload and the mesh settings.
    ///   - namesServerPorts: whether ports will be those of Gateway servers, so that `gateway.ports` plays no part.
    /// - Throws: every file that cannot be read or understood.
    init(_ configuration: Configuration, namesServerPorts: Bool) throws(CommandFailure) {
        let objects: [ResourceValue]
        do throws(ResourceFileError) {
            objects = try ResourceFileLoader().load(configuration.routes.files)
        } catch {
            throw CommandFailure(.usage, error.problems)
        }
        var environment = configuration.environment
        if namesServerPorts { environment.ports = [] }
        resources = RouteResources(decoding: objects)
        self.environment = environment
        (table, findings) = RouteTable.compile(resources, environment: environment)
    }
}
