// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// Where the ports of a Gateway of the Gateway API lead: push_context.go mergeGateways, model/gateway.go resolvePorts.
@Suite struct GatewayServiceTests {
    private static func service(_ name: String, port: Int, target: String, created: String) -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: istio-system, creationTimestamp: '\(created)'}
        spec:
          selector: {istio: ingressgateway}
          ports: [{name: http, port: \(port), targetPort: \(target)}]
        """
    }

    @Test func `a Gateway's own Service alone says which pod port it listens on`() throws {
        let rule = RouteBackendTests.route(rules: "[{backendRefs: [{name: a, port: 80}]}]")
        let other = Self.service("other", port: 80, target: "9090", created: "2020-01-01T00:00:00Z")
        let own = Self.service("door-istio", port: 80, target: "8080", created: "2026-01-01T00:00:00Z")
        let (table, findings) = try compile(RouteBackendTests.gateway(ports: [80, 8443]), other, own, rule)
        #expect(table.podPorts == [8080])
        #expect(findings.contains { $0.code == .unknownPort && $0.path == "spec.listeners[1].port" })
        // Where that Service is not among the objects, others of the pods and the number itself stand for it.
        #expect(try compile(RouteBackendTests.gateway(ports: [80, 8443]), other, rule).table.podPorts == [8443, 9090])
    }

    @Test func `of Services of one age the host name decides, where a dash comes before the dot`() throws {
        let (wide, inner) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        let services = [
            Self.service("gw", port: 80, target: "8080", created: wide),
            Self.service("gw-internal", port: 80, target: "9090", created: inner),
        ]
        let gateway = everyHostGateway
        for order in [services, services.reversed()] {
            #expect(try compile(gateway, order[0], order[1]).table.podPorts == [9090])
        }
        let older = Self.service("gw", port: 80, target: "8080", created: "2025-12-31T23:59:59Z")
        #expect(try compile(gateway, older, services[1]).table.podPorts == [8080])
    }

    @Test func `a pod port with a name needs the settings`() throws {
        let own = Self.service("door-istio", port: 80, target: "http", created: "2026-01-01T00:00:00Z")
        #expect(try compile(RouteBackendTests.gateway(), own).table.podPorts == [80])
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 8080, server: 80)]
        #expect(try compile(RouteBackendTests.gateway(), own, environment: environment).table.podPorts == [8080])
    }
}
