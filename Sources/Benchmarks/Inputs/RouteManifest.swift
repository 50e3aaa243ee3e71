// Wingmirror · Apache-2.0

import JSONSyntax
import RouteAttribution

/// Objects as manifests have them.
enum RouteManifest {
    /// The Gateway that the objects here are bound to, which selects Istio's own and opens port 80 to every host.
    static func gateway() throws -> JSONValue {
        let port = try object(["number": .integer(80), "name": .string("http"), "protocol": .string("HTTP")])
        let server = try object(["port": port, "hosts": .array([.string("*")])])
        return try object([
            "apiVersion": .string("networking.istio.io/v1"),
            "kind": .string("Gateway"),
            "metadata": try metadata("ingress", namespace: "istio-system"),
            "spec": try object([
                "selector": try object(["istio": .string("ingressgateway")]), "servers": .array([server]),
            ]),
        ])
    }

    /// A VirtualService of that Gateway.
    static func virtualService(_ name: String, host: String, rules: [JSONValue]) throws -> JSONValue {
        try object([
            "apiVersion": .string("networking.istio.io/v1"),
            "kind": .string("VirtualService"),
            "metadata": try metadata(name, namespace: "shop"),
            "spec": try object([
                "hosts": .array([.string(host)]),
                "gateways": .array([.string("istio-system/ingress")]),
                "http": .array(rules),
            ]),
        ])
    }

    /// A rule that sends requests to a service, those whose path matches if `comparison` says how: `prefix`, `regex`.
    static func rule(to service: String, _ comparison: String? = nil, _ path: String = "") throws -> JSONValue {
        let destination = try object(["host": .string("\(service).shop.svc.cluster.local")])
        let route = JSONValue.array([try object(["destination": destination])])
        guard let comparison else { return try object(["route": route]) }
        let match = try object(["uri": try object([comparison: .string(path)])])
        return try object(["match": .array([match]), "route": route])
    }

    /// A VirtualService with two rules, as most have: its API and all the rest.
    static func ordinary(_ number: Int) throws -> JSONValue {
        try virtualService(
            "service-\(number)",
            host: host(number),
            rules: [
                try rule(to: "service-\(number)-api", "prefix", "/api/"), try rule(to: "service-\(number)"),
            ]
        )
    }

    /// The host of the VirtualService of that number.
    static func host(_ number: Int) -> String { "service-\(number).example.com" }

    /// The gateway workload that all of this is made for, listening on 8080 for port 80.
    static var environment: RouteEnvironment {
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 8080, server: 80)]
        return environment
    }

    /// Compiles objects and the Gateway; there may be nothing to complain about.
    static func table(_ objects: [JSONValue]) throws -> RouteTable {
        let resources = RouteResources(decoding: try [gateway()] + objects)
        let (table, findings) = RouteTable.compile(resources, environment: environment)
        if let finding = findings.first { throw BenchmarkFailure("\(finding.object): \(finding.message)") }
        return table
    }

    private static func metadata(_ name: String, namespace: String) throws -> JSONValue {
        try object(["name": .string(name), "namespace": .string(namespace)])
    }

    private static func object(_ members: KeyValuePairs<String, JSONValue>) throws -> JSONValue {
        .object(try JSONObject(members.map { JSONObject.Member(key: $0.key, value: $0.value) }))
    }
}
