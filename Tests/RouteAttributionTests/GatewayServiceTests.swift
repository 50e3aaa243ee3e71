// Wingmirror · Apache-2.0

import JSONSyntax
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

    private static let rule = RouteBackendTests.route(rules: "[{backendRefs: [{name: a, port: 80}]}]")

    private static func gateway(addresses: String) -> String {
        RouteBackendTests.gateway().replacing("spec: {", with: "spec: {addresses: \(addresses), ")
    }

    /// Addresses of a Gateway in istio-system, and whether the pods of Service istio-system/gw serve it: conversion.go IsManaged
    /// and extractGatewayServices.
    @Test(arguments: [
        ("[{type: Hostname, value: gw}]", true), ("[{type: Hostname, value: gw.istio-system.svc.cluster.local}]", true),
        ("[{value: 10.0.0.1}, {type: Hostname, value: gw}]", true), ("[{value: 10.0.0.1}, {value: 10.0.0.2}]", false),
        ("[{type: NamedAddress, value: gw}]", false), ("[{type: Hostname, value: gw.istio-system}]", false),
        ("[{type: Hostname, value: example.com}]", false), ("[{type: Hostname}]", false),
    ])
    func `addresses say by whole host names which Service's pods serve a Gateway`(
        addresses: String,
        isServed: Bool
    ) throws {
        let service = Self.service("gw", port: 80, target: "8080", created: "2026-01-01T00:00:00Z")
        let (table, findings) = try compile(Self.gateway(addresses: addresses), service, Self.rule)
        #expect(table.explain("/").decision.outcome == (isServed ? .route : .noListener))
        #expect(findings.contains { $0.code == .refusedListener && $0.path == "spec.addresses" } != isServed)
    }

    @Test func `the Service that addresses name is of the Gateway's namespace`() throws {
        let service = Self.service("gw", port: 80, target: "8080", created: "2026-01-01T00:00:00Z")
        let gateway = Self.gateway(addresses: "[{type: Hostname, value: gw.istio-system.svc.cluster.local}]")
        #expect(try compile(gateway, service, Self.rule).table.explain("/").decision.outcome == .route)
        let here = "namespace: istio-system"
        let (table, findings) = try compile(
            gateway.replacing(here, with: "namespace: shop"),
            service,
            Self.rule.replacing(here, with: "namespace: shop")
        )
        #expect(table.explain("/").decision.outcome == .noListener)
        #expect(findings.contains { $0.path == "spec.addresses" && $0.severity == .error })
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

    /// A port, and whether a request to it has a route where it may be a server's, and where it is the pod's.
    @Test(arguments: [(80, true, false), (8080, true, true), (9090, false, false)])
    func `a described request comes to the port of a server, or of the pod where that is meant`(
        port: Int,
        isOfServer: Bool,
        isOfPod: Bool
    ) throws {
        let service = Self.service("gw", port: 80, target: "8080", created: "2026-01-01T00:00:00Z")
        let rule = virtualService(http: "[{route: [{destination: {host: a}}]}]")
        let table = try compile(everyHostGateway, service, rule).table
        let request: JSONValue = ["path": "/", "authority": "shop.example.com", "port": .integer(port)]
        var scratch = RouteScratch()
        for (isPodPort, isRouted) in [(false, isOfServer), (true, isOfPod)] {
            let described = try DescribedRequest(request, isPodPort: isPodPort)
            let outcome = table.explain(described, scratch: &scratch).decision.outcome
            #expect(outcome == (isRouted ? .route : .noListener))
        }
    }
}
