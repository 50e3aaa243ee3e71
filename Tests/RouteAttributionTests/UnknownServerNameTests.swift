// Wingmirror · Apache-2.0

import RouteAttribution
import Testing
import TrafficModel

/// Requests inside TLS of which it was not captured which name the client asked for: Envoy chooses the server by it.
@Suite struct UnknownServerNameTests {
    private static func gateway(_ servers: [(name: String, hosts: String)]) -> String {
        let list = servers.map { name, hosts in
            "{port: {number: 443, name: \(name), protocol: HTTPS}, hosts: \(hosts), "
                + "tls: {mode: SIMPLE, credentialName: \(name)}}"
        }
        return """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: default}
            spec: {servers: [\(list.joined(separator: ", "))]}
            """
    }

    private static let two = gateway([("a", "[a.example]"), ("b", "[b.example]")])
    private static let anyHost = "[{name: v1, match: [{uri: {prefix: /v1}}], route: [{destination: {host: a}}]}]"

    private static func decide(
        _ authority: String,
        _ target: String = "/v1",
        _ objects: String...
    ) throws -> (decision: RouteDecision, gateway: Int?) {
        let table = try compile(objects.joined(separator: "\n---\n")).table
        let octets = Array("GET\(target)\(authority)".utf8)
        let authorityStart = 3 + target.utf8.count
        let view = RequestView(
            octets: octets.span,
            method: 0..<3,
            target: 3..<authorityStart,
            authority: authorityStart..<octets.count,
            version: .http11,
            fields: [FieldLine]().span,
            traits: []
        )
        var scratch = RouteScratch()
        let place = table.hostTableOfAnyServer(podPort: 443)
        return (table.route(view, in: place, scratch: &scratch), table.gateway(of: place))
    }

    @Test func `the only server of a port is the one`() throws {
        let only = Self.gateway([("a", "['*']")])
        let (decision, gateway) = try Self.decide("a.example", "/v1", only, virtualService(http: Self.anyHost))
        #expect(decision.outcome == .route && decision.reason == .matched && decision.route == 0)
        #expect(gateway == 0)
    }

    @Test func `a port without a server for TLS has no listener`() throws {
        let place = try compile(everyHostGateway, virtualService(http: Self.anyHost)).table
            .hostTableOfAnyServer(podPort: 80)
        #expect(!place.carriesHTTP)
    }

    @Test func `servers with the same rule for the host need not be told apart`() throws {
        let both = Self.gateway([("a", "['*.example']"), ("b", "[a.example, b.example]")])
        let (decision, gateway) = try Self.decide("a.example", "/v1", both, virtualService(http: Self.anyHost))
        #expect(decision.outcome == .route && decision.reason == .matched && decision.route >= 0)
        #expect(gateway == 0)
    }

    @Test func `no server has a rule: there is no route`() throws {
        let (decision, _) = try Self.decide("a.example", "/v2", Self.two, virtualService(http: Self.anyHost))
        #expect(decision.outcome == .noRoute)
        #expect(decision.reason == .noMatch || decision.reason == .noHost)
    }

    @Test func `where one server has a rule and another has none, the rule is the likeliest and not certain`() throws {
        let (decision, _) = try Self.decide("a.example", "/v1", Self.two, virtualService(http: Self.anyHost))
        #expect(decision.outcome == .unknown && decision.reason == .unknownServerName)
        #expect(decision.route >= 0 && decision.gateway == 0)
    }

    @Test func `servers with different rules leave it open`() throws {
        let gateways = """
            \(Self.gateway([("a", "['*.example']")]))
            ---
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw2, namespace: default}
            spec: {servers: [{port: {number: 443, name: c, protocol: HTTPS}, hosts: [a.example], \
            tls: {mode: SIMPLE, credentialName: c}}]}
            """
        let other = "[{name: other, route: [{destination: {host: a}}]}]"
        let (decision, gateway) = try Self.decide(
            "a.example",
            "/v1",
            gateways,
            virtualService(http: Self.anyHost),
            virtualService("second", http: other, spec: "gateways: [gw2]")
        )
        #expect(decision.outcome == .unknown && decision.reason == .unknownServerName && decision.route == -1)
        #expect(gateway == nil)
    }

    @Test func `what no server has a rule for is counted under no Gateway, if they are of several`() throws {
        let gateways = """
            \(Self.gateway([("a", "[a.example]")]))
            ---
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw2, namespace: default}
            spec: {servers: [{port: {number: 443, name: b, protocol: HTTPS}, hosts: [b.example], \
            tls: {mode: SIMPLE, credentialName: b}}]}
            """
        let (decision, gateway) = try Self.decide(
            "a.example",
            "/v2",
            gateways,
            virtualService(http: Self.anyHost, spec: "gateways: [gw, gw2]")
        )
        #expect(decision.outcome == .noRoute && decision.gateway == -1)
        #expect(gateway == nil)
    }

    @Test func `a service's answer names no rule that redirects`() throws {
        let redirect = "[{name: moved, redirect: {uri: /new}}]"
        let (decision, _) = try Self.decide(
            "a.example",
            "/v1",
            Self.two,
            virtualService(hosts: "[a.example]", http: redirect)
        )
        #expect(decision.outcome == .unknown && decision.route == -1)
    }

    @Test func `a server that passes TLS through may have been asked too`() throws {
        let passing = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: default}
            spec: {servers: [\
            {port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: a}}, \
            {port: {number: 443, name: p, protocol: TLS}, hosts: [p.example], tls: {mode: PASSTHROUGH}}]}
            """
        let passed = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: passed, namespace: default}
            spec:
              hosts: [p.example]
              gateways: [gw]
              tls: [{match: [{sniHosts: [p.example]}], route: [{destination: {host: p}}]}]
            """
        let (decision, _) = try Self.decide(
            "a.example",
            "/v1",
            passing,
            virtualService(hosts: "[a.example]", http: Self.anyHost),
            passed
        )
        #expect(decision.outcome == .unknown && decision.route == -1)
    }
}
