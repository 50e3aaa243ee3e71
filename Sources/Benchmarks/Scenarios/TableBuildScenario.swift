// Wingmirror · Apache-2.0

import JSONSyntax
import RouteAttribution

extension Scenario {
    /// Tables from objects.
    static let tableBuild = Scenario(
        name: "table-build",
        summary: "manifest trees of VirtualServices with two rules and a host each, to a route table",
        item: "object"
    ) { _ in
        let objects = try [RouteManifest.gateway()] + (0..<10_000).map { try RouteManifest.ordinary($0) }
        return [
            Row(TableBuildWorkload("10,000 objects: decode, validate and compile", objects)),
            Row(TableBuildWorkload("10,000 objects: validate and compile", decoded: objects)),
            Row(TableBuildWorkload("1,000 objects: decode, validate and compile", Array(objects.prefix(1001)))),
        ]
    }
}

/// Builds a table anew each time.
private struct TableBuildWorkload: Workload {
    let label: String
    /// The VirtualServices; one object is the Gateway.
    var items: Int { objects.count - 1 }
    let octets = 0
    private let objects: [JSONValue]
    private let resources: RouteResources?

    init(_ label: String, _ objects: [JSONValue]) {
        self.label = label
        self.objects = objects
        resources = nil
    }

    init(_ label: String, decoded objects: [JSONValue]) {
        self.label = label
        self.objects = objects
        resources = RouteResources(decoding: objects)
    }

    func run() -> Int {
        let resources = resources ?? RouteResources(decoding: objects)
        let (table, findings) = RouteTable.compile(resources, environment: RouteManifest.environment)
        // Each object has two rules.
        return findings.isEmpty ? table.routes.count / 2 : 0
    }
}
