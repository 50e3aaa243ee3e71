// Wingmirror · Apache-2.0

import ResourceFiles
import RouteAttribution

/// Tables of a gateway whose pods listen on port 8080 for port 80 of the Gateway's servers.
extension RouteTable {
    static func onPort8080(yaml: String) throws -> RouteTable {
        onPort8080(RouteResources(decoding: try YAMLDocuments.parse(yaml).map(\.value)))
    }

    static func onPort8080(files path: String) throws -> RouteTable {
        onPort8080(RouteResources(decoding: try ResourceFileLoader().survey([path]).objects.map(\.value)))
    }

    private static func onPort8080(_ resources: RouteResources) -> RouteTable {
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 8080, server: 80)]
        return compile(resources, environment: environment).table
    }
}
