// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// Which listeners of the Gateway API istiod programs: pilot/pkg/config/kube/gateway/conversion.go buildListener, buildTLS.
@Suite struct APIListenerTests {
    private static func gateway(_ listener: String) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: door, namespace: istio-system}
        spec:
          gatewayClassName: istio
          listeners:
          - {name: l, allowedRoutes: {namespaces: {from: All}}, \(listener)}
          - {name: plain, port: 8081, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
        """
    }

    private static let route = RouteBackendTests.route(rules: "[{backendRefs: [{name: a, port: 80}]}]")
    private static let grant = """
        apiVersion: gateway.networking.k8s.io/v1beta1
        kind: ReferenceGrant
        metadata: {name: g, namespace: certs}
        spec:
          from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: istio-system}]
          to: [{group: '', kind: Secret, name: c}]
        """

    private static func outcome(_ listener: String, _ others: String..., isTLS: Bool = true) throws -> RouteOutcome {
        let manifests = ([gateway(listener), route] + others).joined(separator: "\n---\n")
        let (table, findings) = try compile(manifests)
        // The other listener takes the route whatever becomes of this one.
        #expect(table.explain("/", port: 8081).decision.outcome == .route)
        let outcome = table.explain("/", isTLS: isTLS, port: isTLS ? 443 : 80).decision.outcome
        #expect(findings.contains { $0.code == .refusedListener } == (outcome == .noListener))
        return outcome
    }

    @Test(arguments: [
        ("[{name: c}]", RouteOutcome.route), ("[{name: c, namespace: istio-system}]", .route),
        ("[{name: c, namespace: certs}]", .noListener), ("[{group: x.io, kind: Cert, name: c}]", .noListener),
        ("[{kind: ConfigMap, name: c}]", .noListener), ("[{name: c, kind: Secret, group: ''}]", .route),
        // One that may be used is enough.
        ("[{name: c, namespace: certs}, {name: d}]", .route), ("[{name: c}, {name: d}, {name: e}]", .noListener),
    ])
    func `a TLS listener needs a certificate that it may use`(references: String, outcome: RouteOutcome) throws {
        let listener = "port: 443, protocol: HTTPS, tls: {certificateRefs: \(references)}"
        #expect(try Self.outcome(listener) == outcome)
    }

    @Test func `a grant allows a certificate of another namespace`() throws {
        let listener = "port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c, namespace: certs}]}"
        #expect(try Self.outcome(listener, Self.grant) == .route)
        let other = Self.grant.replacing("name: c}", with: "name: d}")
        #expect(try Self.outcome(listener, other) == .noListener)
    }

    @Test func `Istio's own certificates need no reference`() throws {
        let tls = "tls: {options: {gateway.istio.io/tls-terminate-mode: ISTIO_MUTUAL}, "
        let listener = "port: 443, protocol: HTTPS, " + tls + "certificateRefs: [{name: c, namespace: certs}]}"
        #expect(try Self.outcome(listener) == .route)
    }

    @Test func `a TLS listener without settings for TLS takes its port and serves nothing`() throws {
        #expect(try Self.outcome("port: 443, protocol: HTTPS") == .noListener)
        #expect(try Self.outcome("port: 443, protocol: HTTPS, tls: {certificateRefs: []}") == .route)
        // A second listener on the port cannot be for TLS then, as the first has no TLS.
        let second =
            "\n  - {name: m, port: 443, protocol: HTTPS, hostname: shop.example.com, tls: {certificateRefs: [{name: c}]}"
        let both = "port: 443, protocol: HTTPS}" + second + ", allowedRoutes: {namespaces: {from: All}}"
        #expect(try Self.outcome(both) == .noListener)
    }

    @Test func `protocols are written in capitals`() throws {
        #expect(try Self.outcome("port: 80, protocol: http", isTLS: false) == .noListener)
        #expect(try Self.outcome("port: 80, protocol: HTTP", isTLS: false) == .route)
    }

    @Test func `a kind of another group is another kind`() throws {
        let kinds = "allowedRoutes: {namespaces: {from: All}, kinds: "
        let gateway = RouteBackendTests.gateway()
        for (group, outcome) in [("x.io", RouteOutcome.noRoute), ("gateway.networking.k8s.io", .route)] {
            let narrowed = gateway.replacing(
                "allowedRoutes: {namespaces: {from: All}",
                with: kinds + "[{group: \(group), kind: HTTPRoute}]"
            )
            #expect(try compile(narrowed, Self.route).table.explain("/").decision.outcome == outcome)
        }
    }

    @Test(arguments: [("HTTP", 80), ("HTTPS", 443)])
    func `a listener of a set without a port has the usual one`(name: String, port: Int) throws {
        let set = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: ListenerSet
            metadata: {name: more, namespace: default}
            spec:
              parentRef: {name: door, namespace: istio-system}
              listeners: [{name: m, protocol: \(name), tls: {certificateRefs: [{name: c}]}}]
            """
        let gateway = Self.gateway("port: 8082, protocol: HTTP").replacing(
            "gatewayClassName: istio",
            with: "gatewayClassName: istio\n  allowedListeners: {namespaces: {from: All}}"
        )
        let parent = "parentRefs: [{name: more, kind: ListenerSet}]"
        let route = Self.route.replacing("parentRefs: [{name: door, namespace: istio-system}]", with: parent)
        let table = try compile(gateway, set, route).table
        #expect(table.explain("/", isTLS: name == "HTTPS", port: port).decision.outcome == .route)
    }

    @Test func `of routes of one age the longer name comes first where a dash follows the shorter`() throws {
        let first = Self.route.replacing("metadata: {name: r,", with: "metadata: {name: web,")
        let second = Self.route.replacing("metadata: {name: r,", with: "metadata: {name: web-canary,")
        for (one, other) in [(first, second), (second, first)] {
            let table = try compile(RouteBackendTests.gateway(), one, other).table
            let number = Int(table.explain("/").decision.route)
            try #require(number >= 0)
            #expect(table.routes[number].identity.object.name == "web-canary")
        }
    }

    @Test(arguments: [("stable", RouteOutcome.route), ("canary", .noRoute)])
    func `a route of another revision does not exist`(revision: String, outcome: RouteOutcome) throws {
        var environment = RouteEnvironment()
        environment.revision = "stable"
        for kind in ["HTTPRoute", "GRPCRoute"] {
            let route = RouteBackendTests.route(kind, rules: "[{backendRefs: [{name: a, port: 80}]}]").replacing(
                "namespace: default}",
                with: "namespace: default, labels: {istio.io/rev: \(revision)}}"
            )
            let table = try compile(RouteBackendTests.gateway(), route, environment: environment).table
            #expect(table.explain("/a/b", method: "POST").decision.outcome == outcome)
        }
    }

    @Test
    func `labels of namespaces that are not among the objects are taken to fit unless these are all that there are`()
        throws
    {
        let gateway = Self.gateway("port: 80, protocol: HTTP").replacing(
            "{from: All}",
            with: "{from: Selector, selector: {matchLabels: {team: x}}}"
        )
        var environment = RouteEnvironment()
        #expect(try compile(gateway, Self.route).table.explain("/").decision.outcome == .route)
        environment.holdsWholeCluster = true
        let table = try compile(gateway, Self.route, environment: environment).table
        #expect(table.explain("/").decision.outcome == .noRoute)
    }
}
