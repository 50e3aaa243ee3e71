// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution

/// The route objects that a configuration names, and the table they make.
struct RouteObjects {
    /// What the files looked like before they were read.
    let files: ResourceFileStamps
    /// The objects.
    let resources: RouteResources
    /// What the table depends on besides them.
    let environment: RouteEnvironment
    /// The compiled table.
    let table: RouteTable
    /// What is wrong with objects.
    let findings: [RouteFinding]
    /// Why the table has no routes although files were named for them; `nil` when it has some, or none were named.
    let emptiness: String?

    /// Reads the objects and compiles them.
    ///
    /// - Parameters:
    ///   - configuration: names the files, the gateway workload and the mesh settings.
    ///   - namesServerPorts: whether ports will be those of Gateway servers, so that `gateway.ports` plays no part.
    /// - Throws: every file that cannot be read or understood.
    init(_ configuration: Configuration, namesServerPorts: Bool) throws(CommandFailure) {
        self.files = ResourceFileLoader().stamps(of: configuration.routes.files)
        let objects: [JSONValue]
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
        let files = configuration.routes.files
        emptiness =
            files.isEmpty || !table.routes.isEmpty
            ? nil : Self.emptiness(of: files.joined(separator: ", "), objectCount: objects.count)
    }

    /// What `routes check` finds: what is wrong with objects, and what is valid and can hardly be meant.
    var allFindings: [RouteFinding] { findings + RouteLint(resources, table: table).findings }

    private static func emptiness(of files: String, objectCount: Int) -> String {
        guard objectCount > 0 else { return "\(files): no route objects, so no request has a route" }
        let objects = objectCount == 1 ? "the object there makes" : "the \(objectCount) objects there make"
        return "\(files): \(objects) no route, so no request has one; `wingmirror routes check` says why"
    }
}
