// Wingmirror · Apache-2.0

import Testing

@testable import RouteAttribution

/// Objects that can change what a gateway does and are not modelled: which of them a table names.
struct ProxyExtensionTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: String
        let namespace: String
        let spec: String
        let isNamed: Bool

        init(_ label: String, _ kind: String = "EnvoyFilter", in namespace: String, _ spec: String, _ isNamed: Bool) {
            testDescription = label
            self.kind = kind
            self.namespace = namespace
            self.spec = spec
            self.isNamed = isNamed
        }
    }

    private static let versions = [
        "EnvoyFilter": "networking.istio.io/v1alpha3", "WasmPlugin": "extensions.istio.io/v1alpha1",
        "XListenerSet": "gateway.networking.x-k8s.io/v1alpha1",
    ]

    // The gateway's pods are in `edge`, with the label `istio: edge`; the mesh's root namespace is istio-system.
    @Test(arguments: [
        Row("all pods of the gateway's namespace", in: "edge", "{configPatches: [{applyTo: HTTP_ROUTE}]}", true),
        Row("all pods of the mesh", in: "istio-system", "{}", true),
        Row("pods of a namespace that no gateway is in", in: "shop", "{}", false),
        Row("the gateway's pods", in: "edge", "{workloadSelector: {labels: {istio: edge}}}", true),
        Row("other pods", in: "edge", "{workloadSelector: {labels: {istio: inner}}}", false),
        Row("pods with a label that is not known", in: "edge", "{workloadSelector: {labels: {tier: front}}}", true),
        Row("sidecars", in: "istio-system", "{configPatches: [{match: {context: SIDECAR_INBOUND}}]}", false),
        Row(
            "sidecars and gateways",
            in: "istio-system",
            "{configPatches: [{match: {context: SIDECAR_OUTBOUND}}, {match: {context: GATEWAY}}]}",
            true
        ),
        Row("a plugin for other pods", "WasmPlugin", in: "edge", "{selector: {matchLabels: {istio: inner}}}", false),
        Row("a plugin for the gateway", "WasmPlugin", in: "edge", "{selector: {matchLabels: {istio: edge}}}", true),
        Row("listeners of any namespace", "XListenerSet", in: "shop", "{parentRef: {name: gw}}", true),
    ])
    func `a table names those that may reach its gateway, and no others`(row: Row) throws {
        var environment = RouteEnvironment()
        environment.namespace = "edge"
        environment.labels = ["istio": "edge"]
        let object = """
            apiVersion: \(Self.versions[row.kind] ?? "")
            kind: \(row.kind)
            metadata: {name: it, namespace: \(row.namespace)}
            spec: \(row.spec)
            """
        let (_, findings) = try compile(everyHostGateway, object, environment: environment)
        let named = findings.filter { $0.code == .notModelled }.map(\.object)
        #expect(named == (row.isNamed ? [ObjectIdentity(kind: row.kind, namespace: row.namespace, name: "it")] : []))
    }

    @Test(arguments: [(true, false), (false, true)])
    func `the pods' own labels are enough where files leave their namespace open`(isWhole: Bool, isNamed: Bool) throws {
        var environment = RouteEnvironment()
        environment.holdsWholeCluster = isWhole
        let filter = """
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: it, namespace: edge}
            spec: {workloadSelector: {labels: {istio: ingressgateway}}}
            """
        let (_, findings) = try compile(everyHostGateway, filter, environment: environment)
        #expect(findings.contains { $0.code == .notModelled } == isNamed)
    }

    @Test func `one in the namespace of a Gateway API gateway is named, wherever the other gateway's pods are`() throws
    {
        let gateway = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: infra}
            spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
            """
        let filter = """
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: it, namespace: infra}
            spec: {workloadSelector: {labels: {gateway.networking.k8s.io/gateway-name: gw}}}
            """
        let (_, findings) = try compile(gateway, filter)
        #expect(findings.contains { $0.code == .notModelled && $0.object.name == "it" })
    }
}
