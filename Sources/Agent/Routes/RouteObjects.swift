// Wingmirror · Apache-2.0

package import AgentConfiguration
import JSONSyntax
package import ResourceFiles
package import RouteAttribution

/// The route objects that a configuration names, and the table they make.
package struct RouteObjects {
    /// What the files looked like before they were read.
    package let files: ResourceFileStamps
    /// The objects.
    let resources: RouteResources
    /// What the table depends on besides them.
    package let environment: RouteEnvironment
    /// The compiled table.
    package let table: RouteTable
    /// What is wrong with objects.
    package let findings: [RouteFinding]
    /// Why the table has no routes although files were named for them; `nil` when it has some, or none were named.
    let emptiness: String?

    /// Reads the objects and compiles them.
    ///
    /// - Parameters:
    ///   - configuration: names the files, the gateway workload and the mesh settings.
    ///   - namesServerPorts: whether ports will be those of Gateway servers, so that `gateway.ports` plays no part.
    /// - Throws: every file that cannot be read or understood.
    package init(_ configuration: Configuration, namesServerPorts: Bool) throws(CommandFailure) {
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
    package var allFindings: [RouteFinding] { findings + RouteLint(resources, table: table).findings }

    private static func emptiness(of files: String, objectCount: Int) -> String {
        guard objectCount > 0 else { return "\(files): no route objects, so no request has a route" }
        let objects = objectCount == 1 ? "the object there makes" : "the \(objectCount) objects there make"
        return "\(files): \(objects) no route, so no request has one; `wingmirror routes check` says why"
    }
}

extension RouteObjects {
    /// Says on standard error which objects, or parts of them, do not count; the rest of the table is used.
    package func warnOfErrors() {
        for finding in findings where finding.severity == .error {
            StandardError.write("wingmirror: warning: \(finding.line)\n")
        }
        if let emptiness { StandardError.write("wingmirror: warning: \(emptiness)\n") }
    }
}

extension RouteFinding {
    /// The finding as one line: object, field, sentence; the field once, where the sentence begins with it.
    package var line: String {
        "\(object)\(path.isEmpty || message.hasPrefix(path) ? "" : " \(path)"): \(message)"
    }
}
