// Wingmirror · Apache-2.0

import JSONSyntax
import KubernetesObjects
import PacketCapture
import PacketDecoding
import ResourceFiles
import RouteAttribution
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

/// What the agent makes of the pods of its node.
struct NodePodTests {
    private static func objects(_ yaml: String) throws -> [JSONValue] {
        try YAMLDocuments.parse(yaml).map(\.value)
    }

    private static func pod(
        _ name: String = "gateway-1",
        namespace: String = "istio-system",
        labels: String = "{istio: ingressgateway, app: istio-ingressgateway, pod-template-hash: abc}",
        annotations: String = "{}",
        arguments: String = "[proxy, router, --domain, x]",
        address: String = "10.1.0.7",
        more: String = ""
    ) throws -> JSONValue {
        try objects(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: \(namespace), labels: \(labels), annotations: \(annotations)}
            spec:
              nodeName: node-1
              \(more)
              containers:
                - name: istio-proxy
                  args: \(arguments)
                  ports: [{name: http2, containerPort: 8080}, {name: https, containerPort: 8443}]
            status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}, {ip: "2001:db8::7"}]}
            """
        )[0]
    }

    /// Settings for the routes of the node's cluster, and what else is wanted.
    private static func configuration(_ more: String = "capture: {interfaces: auto}") throws -> Configuration {
        try Configuration.parse("\(more)\nroutes: {kubernetes: {enabled: true, node: node-1}}", file: "w")
    }

    /// A cluster with pods of the node, and a Gateway for them.
    private static func cluster(of pods: [JSONValue] = []) throws -> ClusterObjects {
        var cluster = ClusterObjects()
        cluster.pods = pods
        cluster.objects = try objects(gateway)
        return cluster
    }

    private static let gateway =
        OneGateway.manifest(with: "v") + """
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: istio-ingressgateway, namespace: istio-system}
            spec:
              selector: {istio: ingressgateway}
              ports: [{name: http2, port: 80, targetPort: http2}, {name: https, port: 443, targetPort: 8443}]
            """

    /// A Gateway of the Gateway API, and an HTTPRoute on it.
    private static let apiGateway = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: shop}
        spec:
          gatewayClassName: istio
          listeners: [{name: http, port: 80, protocol: HTTP}]
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: r, namespace: shop}
        spec:
          parentRefs: [{name: edge}]
          rules: [{backendRefs: [{name: cart, port: 80}]}]
        """

    private static func made(of pods: [JSONValue], _ yaml: String = gateway, _ configuration: String = "") throws
        -> RouteObjects
    {
        var cluster = ClusterObjects()
        cluster.pods = pods
        cluster.objects = try objects(yaml)
        let configuration = try Configuration.parse(
            "routes: {kubernetes: {enabled: true, node: node-1}}\n\(configuration)",
            file: "w.yaml"
        )
        return try RouteObjects(configuration, namesServerPorts: false, cluster: cluster)
    }

    @Test func `of two Services of one age that share a port, the one that istiod asks first says the pod's port`()
        throws
    {
        let other = """

            ---
            apiVersion: v1
            kind: Service
            metadata: {name: istio-ingressgateway-internal, namespace: istio-system}
            spec:
              selector: {istio: ingressgateway}
              ports: [{name: http2, port: 80, targetPort: 9080}]
            """
        let objects = try Self.made(of: [Self.pod()], Self.gateway + other)
        // A dash comes before the dot that follows a Service's name.
        #expect(objects.gateways.first?.ports.contains(GatewayPort(pod: 9080, server: 80)) == true)
        #expect(objects.table.podPorts == [9080])
    }

    /// Whether a backend of an HTTPRoute is answered 500 whose Service is not among the objects, nor any other of its namespace.
    @Test func `a Service that the cluster does not have is none, unless only a part of the cluster is known`() throws {
        let pod = try Self.pod(
            namespace: "shop",
            labels: "{gateway.networking.k8s.io/gateway-name: edge}",
            arguments: "[]"
        )
        func isAnswered500(_ configuration: String = "", _ change: (inout ClusterObjects) -> Void = { _ in }) throws
            -> Bool?
        {
            var cluster = ClusterObjects()
            cluster.pods = [pod]
            cluster.objects = try Self.objects(Self.apiGateway)
            change(&cluster)
            let configuration = try Configuration.parse(
                "routes: {kubernetes: {enabled: true, node: node-1\(configuration)}}",
                file: "w.yaml"
            )
            let objects = try RouteObjects(configuration, namesServerPorts: false, cluster: cluster)
            return objects.table.routes.first?.destinations.contains { $0.isInvalid }
        }
        #expect(try isAnswered500() == true)
        #expect(try isAnswered500(", namespaces: [shop]") == false)
        #expect(try isAnswered500 { $0.isSaved = true } == false)
        #expect(try isAnswered500 { $0.refusedKinds = ["Service"] } == false)
        #expect(try isAnswered500 { $0.isPartial = true } == false)
        #expect(try isAnswered500 { $0.refusedKinds = ["DestinationRule"] } == true)
    }

    @Test func `a gateway as istioctl installs it is found, with the named ports of its Service`() throws {
        let found = try #require(try Self.made(of: [Self.pod()]).gateways.first)
        #expect(found.namespace == "istio-system" && found.pods == ["gateway-1"])
        #expect(found.labels == ["istio": "ingressgateway", "app": "istio-ingressgateway"])
        #expect(found.addresses.map(\.description) == ["10.1.0.7", "2001:db8::7"])
        #expect(found.ports == [GatewayPort(pod: 8080, server: 80), GatewayPort(pod: 8443, server: 443)])
    }

    @Test func `a Service that takes no part in the translation of ports leaves the server's port to the pod`() throws {
        let label = "labels: {experimental.istio.io/disable-gateway-port-translation: \"true\"}"
        let yaml = Self.gateway.replacing(
            "metadata: {name: istio-ingressgateway, namespace: istio-system}",
            with: "metadata: {name: istio-ingressgateway, namespace: istio-system, \(label)}"
        )
        let objects = try Self.made(of: [Self.pod()], yaml)
        #expect(objects.gateways.first?.ports == [] && objects.table.podPorts == [80])
    }

    @Test func `the annotation of a gateway's pod wins over the mesh, and the agent's own setting over both`() throws {
        let config = #"{"gatewayTopology":{"numTrustedProxies":2},"proxyMetadata":{"ISTIO_META_HTTP10":"1"}}"#
        let pod = try Self.pod(annotations: "{proxy.istio.io/config: '\(config)'}")
        var cluster = try Self.cluster(of: [pod])
        cluster.mesh = MeshSettings(
            configMap: ["data": ["mesh": "defaultConfig: {gatewayTopology: {numTrustedProxies: 3}}"]]
        )
        func environment(_ more: String = "") throws -> RouteEnvironment {
            try RouteObjects(Self.configuration(more), namesServerPorts: false, cluster: cluster).environment
        }
        #expect(try environment().trustedProxies == 2 && environment().takesHTTP10)
        let own = try environment("gateway: {trustedProxies: 1, http10: false}")
        #expect(own.trustedProxies == 1 && !own.takesHTTP10)
        cluster.pods = [try Self.pod(annotations: "{proxy.istio.io/config: 'concurrency: 2'}")]
        #expect(try environment().trustedProxies == 3)
    }

    /// The connection settings of a pod's annotation and of the mesh, and whether they are named.
    @Test(arguments: [
        ("", "", false), ("{profile: EDGE}", "", true), ("{httpMergeSlashes: true}", "", true),
        ("", "{profile: EDGE}", true),
        ("{httpPathWithEscapedSlashesAction: UNESCAPE_AND_FORWARD}", "", true),
        ("{httpPathWithEscapedSlashesAction: KEEP_UNCHANGED}", "{profile: EDGE}", false),
    ])
    func `connection settings that change paths are named, as they are not modelled`(
        pod: String,
        mesh: String,
        isNamed: Bool
    ) throws {
        let annotations = pod.isEmpty ? "{}" : "{proxy.istio.io/config: 'connectionSettings: \(pod)'}"
        var cluster = try Self.cluster(of: [Self.pod(annotations: annotations)])
        if !mesh.isEmpty {
            let text = "defaultConfig: {connectionSettings: \(mesh)}"
            cluster.mesh = MeshSettings(configMap: ["data": ["mesh": .string(text)]])
        }
        let objects = try RouteObjects(Self.configuration(), namesServerPorts: false, cluster: cluster)
        let isFound = objects.findings.contains { $0.code == .notModelled && $0.object.name == "gateway-1" }
        #expect(isFound == isNamed)
    }

    @Test func `an upgrade of the chart makes no second workload, and Gateways may select by its labels`() throws {
        func pod(_ name: String, _ release: String, _ address: String) throws -> JSONValue {
            let ofRelease = ["app.kubernetes.io/version", "service.istio.io/canonical-revision"].map {
                "\($0): \(release)"
            }
            let labels = [
                "istio: ingressgateway", "helm.sh/chart: gateway-\(release)", "rollouts-pod-template-hash: a\(release)",
            ]
            return try Self.pod(name, labels: "{\((labels + ofRelease).joined(separator: ", "))}", address: address)
        }
        let both = try Self.made(of: [pod("a", "1.27.0", "10.1.0.7"), pod("b", "1.28.0", "10.1.0.8")])
        #expect(both.gateways.map(\.pods) == [["a", "b"]] && both.table.routes.count == 1)
        #expect(both.gateways.first?.labelText == "istio=ingressgateway")
        let selected = Self.gateway.replacing(
            "selector: {istio: ingressgateway}\n  servers",
            with: "selector: {istio: ingressgateway, app.kubernetes.io/version: 1.28.0}\n  servers"
        )
        let one = try Self.made(of: [pod("b", "1.28.0", "10.1.0.8")], selected)
        #expect(one.table.routes.count == 1 && one.gateways.first?.labelText == "istio=ingressgateway")
        #expect(one.environment.identityText == "istio=ingressgateway")
        // By this the tables before and after are held against each other.
        #expect(both.environment.workload == "istio=ingressgateway in istio-system")
        #expect(one.environment.workload == both.environment.workload)
    }

    @Test func `a gateway of Istio's gateway chart is found whatever its labels and namespace`() throws {
        let pod = try Self.pod(
            namespace: "istio-ingress",
            labels: "{istio: ingress, app: istio-ingress}",
            annotations: "{inject.istio.io/templates: gateway}",
            arguments: "[]"
        )
        let objects = try Self.made(
            of: [pod],
            Self.gateway.replacing("istio: ingressgateway", with: "istio: ingress").replacing(
                "namespace: istio-system",
                with: "namespace: istio-ingress"
            )
        )
        #expect(objects.gateways.first?.namespace == "istio-ingress")
        #expect(objects.environment.labels["istio"] == "ingress" && objects.table.podPorts == [8080])
        #expect(objects.table.routes.count == 1 && objects.emptiness == nil)
    }

    @Test func `a deployment of the Gateway API is found by the name of its Gateway`() throws {
        let pod = try Self.pod(
            namespace: "shop",
            labels: "{gateway.networking.k8s.io/gateway-name: edge}",
            arguments: "[]"
        )
        let objects = try Self.made(
            of: [pod],
            Self.apiGateway + """

                ---
                apiVersion: v1
                kind: Service
                metadata: {name: edge-istio, namespace: shop}
                spec:
                  selector: {gateway.networking.k8s.io/gateway-name: edge}
                  ports: [{name: http, port: 80, targetPort: 80}]
                """
        )
        #expect(objects.gateways.first?.pods == ["gateway-1"])
        #expect(objects.table.podPorts == [80] && objects.table.routes.count == 1)
    }

    @Test func `other pods are no gateways, nor is a router that no object selects`() throws {
        let application = try Self.pod(labels: "{istio: ingressgateway}", arguments: "[proxy, sidecar]")
        #expect(try Self.made(of: [application]).gateways.isEmpty)
        let egress = try Self.pod(labels: "{istio: egressgateway}")
        #expect(try Self.made(of: [egress]).gateways.isEmpty)
        let ended = try Self.objects(
            """
            metadata: {name: a, namespace: b}
            spec: {containers: [{args: [router]}]}
            status: {phase: Failed, podIP: 10.0.0.1}
            """
        )
        #expect(NodePod(ended[0], orLabels: nil) == nil)
    }

    @Test func `all pods of one workload count, and each workload of the node has a table of its own`() throws {
        let objects = try Self.made(
            of: [
                Self.pod("b", address: "10.1.0.8"), Self.pod("a"),
                Self.pod("x", namespace: "other", labels: "{istio: ingressgateway, team: x}"),
            ]
        )
        #expect(objects.gateways.first?.pods == ["a", "b"])
        #expect(objects.gateways.first?.addresses.contains { $0.description == "10.1.0.8" } == true)
        #expect(objects.gateways.dropFirst().map(\.pods) == [["x"]])
        #expect(objects.tables.tables.map(\.environment.namespace) == ["istio-system", "other"])
        #expect(objects.notices.contains { $0.contains("istio=ingressgateway,team=x in other: x at 10.1.0.7") })
    }

    @Test func `the tables of two workloads hold what their own Gateways carry, on their own ports`() throws {
        let objects = try Self.made(
            of: [
                Self.pod(),
                Self.pod("inner-1", namespace: "inner", labels: "{istio: inner}", address: "10.1.0.20"),
            ],
            Self.gateway + """

                ---
                apiVersion: networking.istio.io/v1
                kind: Gateway
                metadata: {name: inner, namespace: inner}
                spec:
                  selector: {istio: inner}
                  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: inner, namespace: inner}
                spec: {hosts: ["*"], gateways: [inner], http: [{route: [{destination: {host: inner}}]}]}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: inner, namespace: inner}
                spec: {selector: {istio: inner}, ports: [{name: http, port: 80, targetPort: 9090}]}
                """
        )
        #expect(objects.gateways.map(\.namespace) == ["inner", "istio-system"])
        #expect(objects.tables.tables.map(\.podPorts) == [[9090], [8080]])
        #expect(objects.tables.tables.map { $0.routes.map(\.identity.object.namespace) } == [["inner"], ["default"]])
        // What either of them carries is not said to be for other pods.
        #expect(objects.allFindings.allSatisfy { $0.code != .otherWorkload })
        let configuration = try Self.configuration()
        let target = CaptureTarget(objects.gateways, objects.tables.tables, configuration, routes: Self.routes)
        #expect(target.interfaces == ["cali12", "cni0"])
        #expect(target.filter.ports == [8080, 9090])
        #expect(Set(target.filter.addresses) == Set(objects.gateways.flatMap(\.addresses)))
    }

    @Test func `a workload that was chosen is taken, and addresses that were named end the search`() throws {
        let pods = [
            try Self.pod(), try Self.pod("x", namespace: "other", labels: "{istio: ingressgateway, team: x}"),
        ]
        let chosen = try Self.made(
            of: pods,
            Self.gateway,
            "gateway: {namespace: other, labels: {istio: ingressgateway, team: x}}"
        )
        #expect(chosen.gateways.first?.pods == ["x"])
        #expect(try Self.made(of: pods, Self.gateway, "gateway: {addresses: [10.9.9.9]}").gateways.isEmpty)
    }

    // MARK: - Capture

    private static let routes = NodeRoutes(
        ipv4: """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
            cni0\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
            cali12\t0700010A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
            dead0\t0000020A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0
            """,
        ipv6: """
            20010db8000000000000000000000007 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000400 00000001 00000000 00000001 cali12
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0
            """,
        isBridge: { $0 == "cni0" }
    )
    /// The routes of a network that hands packets to pods past the table (`cilium_host`, `ovn-k8s-mp0`).
    private static let overlay = NodeRoutes(
        ipv4: """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
            cilium_host\t0000010A\t0100010A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
            """,
        ipv6: "",
        isBridge: { _ in false }
    )

    @Test(arguments: [
        ("10.1.0.7", false), ("10.1.0.8", false), ("10.3.0.7", true), ("192.168.2.9", true), ("2001:db8::7", false),
        ("2001:db8::8", true), ("2001:db8:1::1", true),
    ]) func `an address is elsewhere when its packets are handed to another machine`(text: String, isElsewhere: Bool)
        throws
    {
        let address = try #require(IPAddress(text))
        #expect(NodeLocality(routes: Self.routes, own: []).isElsewhere(address) == isElsewhere)
        #expect(NodeLocality(routes: Self.routes, own: [address]).isElsewhere(address) == false)
    }

    @Test func `a next machine that is this one leads nowhere else`() throws {
        let own = try #require(IPAddress("192.168.2.1"))
        let pod = try #require(IPAddress("10.3.0.7"))
        #expect(NodeLocality(routes: Self.routes, own: [own]).isElsewhere(pod) == false)
    }

    @Test(arguments: [
        ("10.1.0.7", "cali12"), ("10.1.0.8", "cni0"), ("10.2.0.1", nil), ("192.0.2.1", nil), ("2001:db8::7", "cali12"),
        ("2001:db8::8", nil),
    ]) func `an address is reached by the longest prefix that is no default route`(text: String, interface: String?)
        throws
    {
        #expect(Self.routes.interface(to: try #require(IPAddress(text))) == interface)
    }

    @Test func `the filter holds the found addresses and the ports with listeners, on the way to the pods`() throws {
        let objects = try Self.made(of: [Self.pod()])
        let configuration = try Self.configuration()
        let target = CaptureTarget(objects.gateways, objects.tables.tables, configuration, routes: Self.routes)
        #expect(target.interfaces == ["cali12"])
        #expect(target.filter.ports == [8080] && target.filter.addresses == objects.gateways.first?.addresses)
        // A connection of the gateway to a backend on the same port is neither to nor from its own port.
        #expect(target.filter.expression == nil)
    }

    @Test func `a route to many pods by an interface that is no bridge is not how a pod is reached`() throws {
        #expect(Self.overlay.interface(to: try #require(IPAddress("10.1.0.7"))) == nil)
        let objects = try Self.made(of: [Self.pod()])
        let configuration = try Self.configuration()
        let target = CaptureTarget(objects.gateways, objects.tables.tables, configuration, routes: Self.overlay)
        #expect(target.interfaces == ["any"])
    }

    @Test func `without a gateway nothing is captured`() throws {
        let configuration = try Self.configuration()
        let target = CaptureTarget([], [], configuration, routes: Self.routes)
        #expect(target.filter == .nothing && target.interfaces == ["lo"])
        #expect(throws: Never.self) { try target.filter.validate() }
        let named = try Self.configuration("capture: {interfaces: [eth1]}")
        #expect(CaptureTarget([], [], named, routes: Self.routes).interfaces == ["eth1"])
    }

    @Test func `a pod with the node's network is captured wherever its packets pass`() throws {
        let objects = try Self.made(of: [Self.pod(more: "hostNetwork: true")])
        let configuration = try Self.configuration()
        let target = CaptureTarget(objects.gateways, objects.tables.tables, configuration, routes: Self.routes)
        #expect(target.interfaces == ["any"])
    }

    @Test func `a pod with the node's network is reached at every address of the node`() throws {
        func interface(_ name: String, _ texts: String..., isLoopback: Bool = false) -> NetworkInterface {
            NetworkInterface(name: name, addresses: texts.compactMap { IPAddress($0) }, isLoopback: isLoopback)
        }
        let interfaces = [
            interface("lo", "127.0.0.1", "192.0.2.1", isLoopback: true), interface("eth0", "192.0.2.7", "fe80::1"),
            interface("eth1", "198.51.100.7", "2001:db8::7", "169.254.1.1"), interface("cni0", "10.244.0.1"),
            interface("kube-ipvs0", "10.96.0.1"), interface("any"),
        ]
        let addresses = NodeAddresses.among(interfaces) { $0 == "cni0" }
        #expect(Set(addresses.map(\.description)) == ["192.0.2.7", "198.51.100.7", "2001:db8::7"])
        var cluster = try Self.cluster(of: [Self.pod(address: "192.0.2.7", more: "hostNetwork: true")])
        cluster.nodeAddresses = addresses
        let configuration = try Self.configuration("")
        func addressesFound() throws -> Set<String> {
            let objects = try RouteObjects(configuration, namesServerPorts: false, cluster: cluster)
            return Set(objects.gateways.flatMap(\.addresses).map(\.description))
        }
        #expect(try addressesFound() == ["192.0.2.7", "198.51.100.7", "2001:db8::7"])
        cluster.pods = [try Self.pod()]
        #expect(try addressesFound() == ["10.1.0.7", "2001:db8::7"])
    }

    @Test func `pods of one workload whose named ports differ, as in a roll-out, are followed on the ports of both`()
        throws
    {
        let next = try Self.objects(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: gateway-2, namespace: istio-system, labels: {istio: ingressgateway, app: istio-ingressgateway}}
            spec: {containers: [{name: istio-proxy, args: [proxy, router], ports: [{name: http2, containerPort: 9080}]}]}
            status: {phase: Running, podIP: 10.1.0.8}
            """
        )[0]
        let objects = try Self.made(of: [Self.pod(), next])
        #expect(Set(objects.gateways.first?.ports.map(\.pod) ?? []) == [8080, 8443, 9080])
        #expect(Set(objects.table.podPorts) == [8080, 9080])
    }

    @Test(arguments: [
        ("{gateway.networking.k8s.io/gateway-name: w, gateway.istio.io/managed: istio.io-mesh-controller}", "[]"),
        ("{gateway.networking.k8s.io/gateway-name: w}", "[proxy, waypoint, --domain, x]"),
    ]) func `a waypoint is no gateway`(labels: String, arguments: String) throws {
        #expect(NodePod(try Self.pod(labels: labels, arguments: arguments), orLabels: nil) == nil)
    }

    @Test func `kinds that cannot be read are named by a finding and a notice`() throws {
        let collection = ResourceCollection(
            GroupVersionResource(group: "networking.istio.io", version: "v1", resource: "destinationrules"),
            kind: "DestinationRule"
        )
        var cluster = try Self.cluster()
        cluster.missingKinds = [MissingKind(collection, .serverError, since: 0)]
        let configuration = try Self.configuration("")
        let objects = try RouteObjects(configuration, namesServerPorts: false, cluster: cluster)
        let finding = try #require(objects.findings.first { $0.code == .unreadableKind })
        #expect(finding.object.name == "destinationrules.networking.istio.io")
        #expect(objects.notices.contains { $0.contains("cannot be read") && $0.contains("DestinationRule") })
    }

    // MARK: - Mesh

    @Test func `the mesh's own settings count unless the configuration says otherwise`() throws {
        let map: JSONValue = [
            "kind": "ConfigMap",
            "data": [
                "mesh": """
                pathNormalization: {normalization: MERGE_SLASHES}
                defaultVirtualServiceExportTo: ["."]
                defaultServiceExportTo: [shop]
                rootNamespace: mesh
                ingressControllerMode: DEFAULT
                defaultConfig: {gatewayTopology: {numTrustedProxies: 2}, proxyMetadata: {ISTIO_META_HTTP10: "1"}}
                """
            ],
        ]
        let settings = try #require(MeshSettings(configMap: map))
        var environment = RouteEnvironment()
        settings.apply(to: &environment, under: Configuration())
        #expect(environment.pathNormalization == .mergeSlashes && environment.rootNamespace == "mesh")
        #expect(environment.defaultVirtualServiceExportTo == ["."] && environment.trustedProxies == 2)
        #expect(environment.ingress.mode == .byDefault && environment.takesHTTP10)
        #expect(environment.defaultServiceExportTo == ["shop"])
        let chosen = try Configuration.parse(
            "mesh: {pathNormalization: NONE}\ngateway: {trustedProxies: 0, http10: false}",
            file: "w"
        )
        environment = chosen.environment
        settings.apply(to: &environment, under: chosen)
        #expect(environment.pathNormalization == .none && environment.trustedProxies == 0 && !environment.takesHTTP10)
        #expect(MeshSettings(configMap: ["data": ["mesh": "a: ["]]) == nil)
    }

    @Test(arguments: [
        ("", true, nil), ("canary", true, "set mesh.revision to canary"),
        ("", false, "is not there or may not be read"),
        ("default", true, nil),
    ]) func `a gateway of a revision whose mesh configuration is not read is named`(
        revision: String,
        isThere: Bool,
        words: String?
    ) throws {
        let map: JSONValue = ["kind": "ConfigMap", "data": ["mesh": "rootNamespace: istio-system"]]
        let label = revision.isEmpty ? "" : ", istio.io/rev: \(revision)"
        var cluster = try Self.cluster(of: [Self.pod(labels: "{istio: ingressgateway\(label)}")])
        cluster.mesh = isThere ? MeshSettings(configMap: map) : nil
        let configuration = try Self.configuration("")
        func messages() throws -> [String] {
            try RouteObjects(configuration, namesServerPorts: false, cluster: cluster).findings.filter {
                $0.object.kind == "ConfigMap"
            }.map(\.message)
        }
        #expect(try messages().isEmpty)
        cluster.meshName = "istio"
        #expect(try messages().count == (words == nil ? 0 : 1))
        #expect(try messages().allSatisfy { $0.contains(words ?? "?") })
    }
}
