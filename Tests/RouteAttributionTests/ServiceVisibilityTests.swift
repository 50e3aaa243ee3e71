// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// Which of the Services and ServiceEntries that stand for a host say which port a destination without one has:
/// networking/core/gateway.go buildNameToServiceMapForHttpRoutes, push_context.go initServiceRegistry.
@Suite struct ServiceVisibilityTests {
    private static func entry(_ namespace: String, port: Int, created: Int = 1, exportTo: String = "[]") -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: api, namespace: \(namespace), creationTimestamp: '2026-01-0\(created)T00:00:00Z'}
        spec:
          hosts: [api.example.com]
          exportTo: \(exportTo)
          ports: [{number: \(port), name: https, protocol: HTTPS}]
        """
    }

    private static func service(_ exportTo: String) -> String {
        """
        apiVersion: v1
        kind: Service
        metadata:
          name: cart
          namespace: shop
          annotations: {networking.istio.io/exportTo: '\(exportTo)'}
        spec: {ports: [{port: 9090}]}
        """
    }

    /// The port of the only destination of a VirtualService in `default`, for a server on port 80 of pods in `istio-system`.
    private static func port(_ host: String, _ objects: [String]) throws -> Int? {
        let rule = virtualService(http: "[{route: [{destination: {host: \(host)}}]}]")
        let manifests = ([everyHostGateway, rule] + objects).joined(separator: "\n---\n")
        return try compile(manifests).table.routes.first?.destinations.first?.port
    }

    @Test func `of ServiceEntries for one host the VirtualService's namespace decides, else the oldest`() throws {
        let young = Self.entry("web", port: 8443, created: 2)
        let old = Self.entry("shop", port: 9443)
        let own = Self.entry("default", port: 7443, created: 3)
        for objects in [[young, old], [old, young]] {
            #expect(try Self.port("api.example.com", objects) == 9443)
            #expect(try Self.port("api.example.com", objects + [own]) == 7443)
        }
    }

    @Test func `what is exported to the gateway's namespace comes before what is for all`() throws {
        let forAll = Self.entry("shop", port: 9443)
        let named = Self.entry("web", port: 8443, created: 2, exportTo: "[istio-system]")
        let private1 = Self.entry("istio-system", port: 7443, created: 3, exportTo: "[.]")
        #expect(try Self.port("api.example.com", [forAll, named]) == 8443)
        #expect(try Self.port("api.example.com", [forAll, named, private1]) == 7443)
    }

    @Test(arguments: [("[.]", 80), ("[web]", 80), ("['~']", 80), ("[istio-system, web]", 9443), ("['*']", 9443)])
    func `a ServiceEntry that the gateway does not see says nothing`(exportTo: String, port: Int) throws {
        #expect(try Self.port("api.example.com", [Self.entry("shop", port: 9443, exportTo: exportTo)]) == port)
    }

    @Test(arguments: [
        (".", 80), ("~", 80), ("~,istio-system", 80), ("web, istio-system", 9090), ("*", 9090), ("", 9090),
    ])
    func `the annotation of a Service hides it too, and a lint says so`(exportTo: String, port: Int) throws {
        let objects = [Self.service(exportTo)]
        let host = "cart.shop.svc.cluster.local"
        #expect(try Self.port(host, objects) == port)
        let rule = virtualService(http: "[{route: [{destination: {host: \(host)}}]}]")
        let all = try resources(everyHostGateway, rule, objects[0])
        let table = RouteTable.compile(all, environment: RouteEnvironment()).table
        let isNamed = RouteLint(all, table: table).findings.contains { finding in
            finding.code == .unknownService && finding.message.contains("is not exported to istio-system")
        }
        #expect(isNamed == (port == 80))
    }

    @Test func `a backend of an HTTPRoute that the gateway does not see is named too`() throws {
        let grant = """
            apiVersion: gateway.networking.k8s.io/v1beta1
            kind: ReferenceGrant
            metadata: {name: g, namespace: shop}
            spec:
              from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]
              to: [{group: '', kind: Service}]
            """
        let route = RouteBackendTests.route(rules: "[{backendRefs: [{name: cart, namespace: shop, port: 9090}]}]")
        let all = try resources(RouteBackendTests.gateway(), route, grant, Self.service("."))
        let table = RouteTable.compile(all, environment: RouteEnvironment()).table
        #expect(RouteLint(all, table: table).findings.contains { $0.code == .unknownService })
    }

    /// A default, and whether the gateway sees an entry of another namespace, and one of its own.
    @Test(arguments: [
        (["*"], true, true), ([], true, true), (["."], false, true), (["*", "."], false, true), (["~"], false, false),
        (["istio-system"], false, false),
    ])
    func `of the mesh's default only the point and the star count`(
        exportTo: [String],
        isSeenFromAfar: Bool,
        isSeenAtHome: Bool
    ) throws {
        var environment = RouteEnvironment()
        environment.defaultServiceExportTo = exportTo
        let rule = virtualService(http: "[{route: [{destination: {host: api.example.com}}]}]")
        for (namespace, isSeen) in [("shop", isSeenFromAfar), ("istio-system", isSeenAtHome)] {
            let entry = Self.entry(namespace, port: 9443)
            let table = try compile(everyHostGateway, rule, entry, environment: environment).table
            #expect(table.routes.first?.destinations.first?.port == (isSeen ? 9443 : 80))
        }
    }

    @Test(arguments: [(7443, true), (8443, true), (9443, false)])
    func `the ports of every object for a host that the gateway sees are known`(port: Int, isKnown: Bool) throws {
        let rule = virtualService(http: "[{route: [{destination: {host: api.example.com, port: {number: \(port)}}}]}]")
        let entries = [
            Self.entry("web", port: 8443), Self.entry("default", port: 7443, created: 2),
            Self.entry("shop", port: 9443, exportTo: "[.]"),
        ]
        let all = try resources(([everyHostGateway, rule] + entries).joined(separator: "\n---\n"))
        let table = RouteTable.compile(all, environment: RouteEnvironment()).table
        let found = RouteLint(all, table: table).findings.filter { $0.code == .unknownPort }
        #expect(found.isEmpty == isKnown)
        #expect(found.allSatisfy { $0.message.contains("(it has 7443, 8443)") })
    }

    @Test func `a Service comes before a ServiceEntry of its host`() throws {
        let squatter = Self.entry("web", port: 8443).replacing("api.example.com", with: "cart.shop.svc.cluster.local")
        #expect(try Self.port("cart.shop.svc.cluster.local", [squatter, Self.service("*")]) == 9090)
    }
}
