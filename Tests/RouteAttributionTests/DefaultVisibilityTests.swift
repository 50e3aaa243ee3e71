// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// What the mesh's default says of VirtualServices without `exportTo`: push_context.go initVirtualServices.
@Suite struct DefaultVisibilityTests {
    private static func isSeen(_ meshDefault: [String], namespace: String, exportTo: String = "[]") throws -> Bool {
        var environment = RouteEnvironment()
        environment.defaultVirtualServiceExportTo = meshDefault
        let manifest = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: vs, namespace: \(namespace)}
            spec: {hosts: ['*'], gateways: [default/gw], exportTo: \(exportTo), http: [{route: [{destination: {host: a}}]}]}
            """
        let table = try compile(everyHostGateway, manifest, environment: environment).table
        let isSeen = table.explain("/").decision.outcome == .route
        let lint = RouteLint(try resources(everyHostGateway, manifest), table: table)
        #expect(lint.findings.contains { $0.code == .hiddenFromGateway } == !isSeen)
        return isSeen
    }

    @Test(arguments: [
        (["*"], true, true), ([], true, true), (["."], false, true), (["istio-system"], false, false),
        (["app"], false, false), ([".", "istio-system"], false, true), (["*", "."], false, true), (["~"], false, false),
        (["istio-system", "*"], true, true),
    ])
    func `of the default only the point and the star count`(
        meshDefault: [String],
        isSeenFromAfar: Bool,
        isSeenAtHome: Bool
    ) throws {
        #expect(try Self.isSeen(meshDefault, namespace: "app") == isSeenFromAfar)
        #expect(try Self.isSeen(meshDefault, namespace: "istio-system") == isSeenAtHome)
    }

    @Test func `an object's own list may name namespaces`() throws {
        #expect(try Self.isSeen(["."], namespace: "app", exportTo: "[istio-system]"))
        #expect(try !Self.isSeen(["*"], namespace: "app", exportTo: "[other]"))
    }

    // MARK: - What istiod makes of other kinds

    private static let ingress = """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: r, namespace: default, annotations: {kubernetes.io/ingress.class: istio}}
        spec:
          rules:
          - host: shop.example.com
            http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}
        """

    @Test(
        arguments: [(["*"], true, true), ([], true, true), (["."], false, true)],
        ["HTTPRoute", "GRPCRoute", "Ingress"]
    )
    func `the default decides for VirtualServices that istiod makes of routes of other kinds`(
        visibility: (meshDefault: [String], isSeenFromAfar: Bool, isSeenAtHome: Bool),
        kind: String
    ) throws {
        var environment = RouteEnvironment()
        environment.defaultVirtualServiceExportTo = visibility.meshDefault
        let route =
            kind == "Ingress"
            ? Self.ingress : RouteBackendTests.route(kind, rules: "[{backendRefs: [{name: a, port: 80}]}]")
        for (namespace, isSeen) in [("default", visibility.isSeenFromAfar), ("istio-system", visibility.isSeenAtHome)] {
            let manifests = [
                RouteBackendTests.gateway(),
                route.replacing("name: r, namespace: default", with: "name: r, namespace: \(namespace)"),
            ].joined(separator: "\n---\n")
            let table = try compile(manifests, environment: environment).table
            let explanation = table.explain("/")
            #expect(explanation.decision.outcome == (isSeen ? .route : .noRoute))
            let sentence = "mesh.defaultVirtualServiceExportTo (\(visibility.meshDefault.joined(separator: ", ")))"
            #expect(explanation.causes.contains { $0.contains(sentence) } == !isSeen)
            let hidden = RouteLint(try resources(manifests), table: table).findings.filter {
                $0.code == .hiddenFromGateway
            }
            #expect(hidden.map(\.object.name) == (isSeen ? [] : ["r"]))
        }
    }
}
