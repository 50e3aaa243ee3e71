// Wingmirror · Apache-2.0

import ResourceFiles
import RouteAttribution

/// A gateway on port 80 for every host, in the words of its manifest.
let everyHostGateway = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: gw, namespace: default}
    spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
    """

/// A VirtualService on that gateway, its `http` rules as YAML or JSON in one line.
func virtualService(
    _ name: String = "vs",
    hosts: String = "['*']",
    http: String,
    spec: String = "gateways: [gw]",
    created: String = "2026-01-01T00:00:00Z"
) -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: \(name), namespace: default, creationTimestamp: '\(created)'}
    spec:
      hosts: \(hosts)
      http: \(http)
      \(spec)
    """
}

/// Objects from manifests.
func resources(_ manifests: String...) throws -> RouteResources {
    RouteResources(decoding: try YAMLDocuments.parse(manifests.joined(separator: "\n---\n")).map(\.value))
}

/// A table of manifests, with what was found wrong.
func compile(
    _ manifests: String...,
    environment: RouteEnvironment = RouteEnvironment()
) throws -> (table: RouteTable, findings: [RouteFinding]) {
    let objects = try YAMLDocuments.parse(manifests.joined(separator: "\n---\n")).map(\.value)
    return RouteTable.compile(RouteResources(decoding: objects), environment: environment)
}

extension RouteTable {
    /// The explanation of a GET request.
    func explain(
        _ target: String,
        method: String = "GET",
        authority: String? = "shop.example.com",
        headers: [(name: String, value: String)] = [],
        isTLS: Bool = false,
        port: Int = 80
    ) -> RouteExplanation {
        var scratch = RouteScratch()
        let request = DescribedRequest(
            method: method,
            target: target,
            authority: authority,
            headers: headers,
            port: port,
            isTLS: isTLS
        )
        return explain(request, scratch: &scratch)
    }

    /// The name of the route that takes a GET request; `nil` when none does.
    func routeName(_ target: String, headers: [(name: String, value: String)] = []) -> String? {
        let number = explain(target, headers: headers).decision.route
        return number < 0 ? nil : routes[Int(number)].routeName
    }
}
