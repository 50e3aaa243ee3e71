// Wingmirror · Apache-2.0

import AdminServer
import Foundation
import JSONSyntax
import KubernetesObjects
import Logging
import PacketDecoding
import ResourceFiles
import RouteAttribution
import ShadowTesting
import Synchronization
import TestServers
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration
@testable import PacketCapture

/// The agent's slow half against an API server of the tests' own.
@Suite(.timeLimit(.minutes(20)))
struct ClusterServiceTests {
    private let folder: TemporaryFolder
    private let cluster = TestCluster()

    init() throws { folder = try TemporaryFolder() }

    private static let pod: JSONValue = [
        "apiVersion": "v1", "kind": "Pod",
        "metadata": [
            "name": "gateway-1", "namespace": "istio-system",
            "labels": ["istio": "ingressgateway", "app": "istio-ingressgateway"],
        ],
        "spec": ["nodeName": "node-1", "containers": [["name": "istio-proxy", "args": ["proxy", "router"]]]],
        "status": ["phase": "Running", "podIP": "10.1.0.7"],
    ]

    private static func samples() throws -> [JSONValue] {
        // Deployments are no part of what is asked for.
        try ResourceFileLoader().survey(["\(Repository.path)/samples/istio"]).objects.map(\.value).filter {
            $0["apiVersion"] != "apps/v1"
        }
    }

    private func applySamples() throws {
        for object in try Self.samples() { cluster.apply(object) }
    }

    /// The parts of an agent that follow the API server.
    private struct Rig {
        let source: ClusterSource
        let mirroring: Mirroring
        let keeper: ConfigurationKeeper
        let routes: RouteKeeper
        let control: CaptureControl
        let service: ClusterService
        /// How far the clock is ahead.
        let shift = HandClock(0)

        static func write(
            _ url: String,
            _ folder: TemporaryFolder,
            isMirroring: Bool = false,
            namespaces: String = "[]"
        ) throws -> String {
            try folder.write(
                """
                routes:
                  kubernetes:
                    enabled: true
                    server: "\(url)"
                    node: node-1
                    snapshot: "\(folder.path)/objects"
                    namespaces: \(namespaces)
                capture: {interfaces: auto}
                log: {level: critical}
                mirror:
                  enabled: \(isMirroring)
                  targets: {next: {url: "http://next.test:8080"}}
                  policies: [{name: all, target: next, percent: 1}]
                """,
                to: "w.yaml"
            )
        }

        init(
            _ url: String,
            _ folder: TemporaryFolder,
            isMirroring: Bool = false,
            namespaces: String = "[]",
            onCompile: @escaping @Sendable () -> Void = {}
        ) throws {
            let file = try Self.write(url, folder, isMirroring: isMirroring, namespaces: namespaces)
            let configuration = try Configuration.load(path: file)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            // Without jitter, and with pauses that end soon.
            let clock = WatchClock(
                now: { [shift] in WallClock.now() + shift.now },
                pause: { _ in try await Task.sleep(for: .milliseconds(20)) },
                random: { 0 }
            )
            source = try #require(try ClusterSource(configuration, logger: logger, clock: clock))
            mirroring = Mirroring(Configuration())
            mirroring.clusterChanged(nil)
            try mirroring.plans.configure(configuration.mirror)
            routes = RouteKeeper(configuration.environment, registry: MetricsRegistry(), mirroring: mirroring)
            let plan = RunPlan(configuration: configuration, endsAfterSavefiles: false) {
                () throws(ConfigurationProblems) in try Configuration.load(path: file)
            }
            keeper = ConfigurationKeeper(
                plan,
                credentials: .none,
                routes: routes,
                mirroring: mirroring,
                cluster: source,
                logs: LogSettings(LogConfiguration(level: .critical, format: .json)),
                compile: { configuration, cluster, patterns throws(CommandFailure) in
                    onCompile()
                    return try RouteObjects(
                        configuration,
                        namesServerPorts: false,
                        cluster: cluster,
                        patterns: patterns
                    )
                }
            )
            _ = keeper.reloadRoutes()
            control = CaptureControl(counters: CaptureCounters(interfaces: ["lo"]))
            service = ClusterService(
                cluster: source,
                configuration: keeper,
                routes: routes,
                control: control,
                hosts: { [mirroring] in mirroring.clusterChanged($0) },
                logger: logger
            )
        }

        func run(_ body: (Rig) async throws -> Void) async throws {
            let running = Task { [service] in try? await service.run() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(self))
            } catch {
                outcome = .failure(error)
            }
            running.cancel()
            await running.value
            try outcome.get()
        }

        func until(_ isMet: () -> Bool) async {
            while !isMet(), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
        }

        /// Whether it is known that a kind or an API group cannot be read.
        var isMissingAKind: Bool {
            !source.store.unreadGroups.isEmpty
                || source.store.collections.values.contains { !$0.isSynchronized && $0.trouble != nil }
        }

        /// Turns the clock forward.
        func pass(minutes: Int64) { shift.advance(nanoseconds: minutes * 60_000_000_000) }

        /// Why the routes in force may be out of date.
        var staleness: String? {
            source.staleness(isSaved: routes.isSaved, at: WallClock.now() + shift.now)
        }

        /// Why the routes of this node's gateway are not known.
        var ignoranceOfRoutes: String? { source.ignoranceOfRoutes(isAwaited: routes.isAwaited, orLabels: nil) }

        /// Why the target may not be sent to if its name means this address.
        func refusal(_ address: String, hosts: [String] = []) -> String? {
            let target = MirrorTarget(name: "next", host: "next.test", port: 8080, hosts: hosts)
            return mirroring.production.refusal(of: target, resolvedTo: [address])
        }

        var names: [String] { routes.tables.routes.map(\.identity.object.name).sorted() }
    }

    @Test func `objects of the API server give the table that the same objects in files give`() async throws {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names == ["order-vs", "product-vs"] }
            let files = try RouteObjects(
                Configuration.parse("routes: {files: [\"\(Repository.path)/samples/istio\"]}", file: "w"),
                namesServerPorts: false
            )
            #expect(rig.routes.tables.routes.map(\.identity) == files.table.routes.map(\.identity))
            #expect(rig.routes.tables.routes.map(\.destinations) == files.table.routes.map(\.destinations))
            #expect(rig.routes.gateways.first?.pods == ["gateway-1"])
            #expect(rig.routes.tables.tables[0].podPorts == [8080])
            #expect(rig.source.staleness(isSaved: rig.routes.isSaved, at: WallClock.now()) == nil)
        }
        await server.close()
    }

    @Test func `what can change the gateway and is not modelled is named, and nothing of its content is kept`()
        async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        cluster.install(group: "extensions.istio.io")
        cluster.apply([
            "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
            "metadata": ["name": "tokens", "namespace": "istio-system"],
            "spec": [
                "selector": ["matchLabels": ["istio": "ingressgateway"]], "url": "oci://registry.test/tokens",
                "pluginConfig": ["password": "kept-nowhere"],
            ],
        ])
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && (try? folder.text(of: "objects")) != nil }
            await rig.until { rig.routes.findings.contains { $0.code == .notModelled && $0.object.name == "tokens" } }
            let plugin = rig.source.store.objects.map(\.value).first { $0["kind"] == "WasmPlugin" }
            #expect(plugin?["spec"] == ["selector": ["matchLabels": ["istio": "ingressgateway"]]])
        }
        await server.close()
    }

    @Test func `changes are taken up, those of the gateway's pods too`() async throws {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 }
            let order = try #require(try Self.samples().first { $0["metadata"]?["name"] == "order-vs" })
            cluster.delete(order)
            await rig.until { rig.names == ["product-vs"] }
            cluster.apply(order)
            await rig.until { rig.names.count == 2 }
            cluster.delete(Self.pod)
            await rig.until { rig.routes.gateways.isEmpty }
        }
        await server.close()
    }

    @Test func `a node without a gateway watches its pods and asks for no routes`() async throws {
        try applySamples()
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { cluster.requests.filter { $0 == "/api/v1/pods" }.count >= 1 }
            try await Task.sleep(for: .milliseconds(500))
            #expect(Set(cluster.requests).isSubset(of: ["/api/v1/pods", "/version"]))
            cluster.apply(Self.pod)
            await rig.until { rig.names.count == 2 }
        }
        await server.close()
    }

    @Test(arguments: [
        TestCluster.Mood.down, .refusing(401), .refusing(403), .refusing(404), .refusing(410), .refusing(500),
    ])
    func `attribution goes on while the API server does not answer, and catches up`(mood: TestCluster.Mood) async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 }
            cluster.mood = mood
            await rig.until { rig.source.store.troubledSince != nil }
            let order = try #require(try Self.samples().first { $0["metadata"]?["name"] == "order-vs" })
            cluster.delete(order)
            #expect(rig.names.count == 2)
            let hour = WallClock.now() + 3_600_000_000_000
            #expect(rig.source.staleness(isSaved: false, at: hour)?.hasPrefix("table_stale") == true)
            cluster.mood = .well
            await rig.until { rig.names == ["product-vs"] }
            await rig.until { rig.source.store.troubledSince == nil }
        }
        await server.close()
    }

    @Test(arguments: ["/virtualservices", "/"])
    func `a node that runs a gateway pod is not ready until its routes have come, and says what keeps them`(
        refused: String
    ) async throws {
        try applySamples()
        let isRefusing = Mutex(true)
        let server = try await TestAPIServer { [cluster] request in
            let isOpen = ["/api/v1/pods", "/version"].contains(request.path) || !request.path.contains(refused)
            return isOpen || !isRefusing.withLock(\.self) ? cluster.answer(request) : .answer(429, "{}")
        }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.source.knowsPods }
            #expect(rig.routes.isAwaited && rig.ignoranceOfRoutes == nil)
            cluster.apply(Self.pod)
            await rig.until { rig.ignoranceOfRoutes?.contains("(too_many_requests)") == true }
            let words = "this node runs a gateway pod, and its routes have not come yet"
            #expect(rig.ignoranceOfRoutes?.hasPrefix(words) == true)
            isRefusing.withLock { $0 = false }
            await rig.until { rig.ignoranceOfRoutes == nil }
            #expect(rig.names == ["order-vs", "product-vs"] && rig.routes.gateways.count == 1)
        }
        await server.close()
    }

    @Test func `an object that cannot be read is a finding, and keeps no route of the others from coming`() async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        let status = (0..<70).reduce(JSONValue.null) { value, _ in ["a": value] }
        cluster.apply([
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": ["name": "deep", "namespace": "tenant"], "spec": ["hosts": ["*"]], "status": status,
        ])
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names == ["order-vs", "product-vs"] }
            let finding = try #require(rig.routes.findings.first { $0.object.name == "deep" })
            #expect(finding.code == .refusedObject && finding.message.contains("nested more than 64 deep"))
            #expect(rig.staleness == nil)
        }
        await server.close()
    }

    @Test func `an agent that starts without the API server uses what the last one has left, and says so`() async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && (try? folder.text(of: "objects")) != nil }
        }
        cluster.mood = .down
        try await Rig(server.url, folder).run { rig in
            #expect(rig.names.count == 2 && rig.routes.isSaved)
            // Which pods are the gateway's is known too, so that something is captured.
            #expect(rig.routes.gateways.map(\.pods) == [["gateway-1"]] && rig.source.ignoranceOfPods == nil)
            await rig.until { rig.control.wantedFilter?.addresses.map(\.description) == ["10.1.0.7"] }
            let now = WallClock.now()
            #expect(rig.source.staleness(isSaved: true, at: now)?.contains("an earlier run has left") == true)
            cluster.mood = .well
            await rig.until { !rig.routes.isSaved }
            #expect(rig.names.count == 2)
        }
        await server.close()
    }

    @Test func `pods that an earlier run has left count on their own node alone, until the API server lists others`()
        async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && (try? folder.text(of: "objects")) != nil }
        }
        let saved = try folder.text(of: "objects")
        cluster.delete(Self.pod)
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.routes.gateways.isEmpty && rig.names.isEmpty && !rig.routes.isSaved }
            #expect(rig.staleness == nil)
        }
        cluster.mood = .down
        _ = try folder.write(saved.replacing("\"nodeName\":\"node-1\"", with: "\"nodeName\":\"node-2\""), to: "objects")
        try await Rig(server.url, folder).run { rig in
            #expect(rig.routes.gateways.isEmpty)
            #expect(rig.source.ignoranceOfPods?.hasPrefix("no gateway is known") == true)
        }
        await server.close()
    }

    @Test(arguments: ["destinationrules", "gateway.networking.k8s.io"])
    func `one kind or API group that cannot be read keeps no routes of the others from coming, and is named`(
        name: String
    ) async throws {
        try applySamples()
        cluster.apply(Self.pod)
        cluster.refuse(name, with: 500)
        let kind = name.contains(".") ? "httproutes.\(name)" : "\(name).networking.istio.io"
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.isMissingAKind }
            rig.pass(minutes: 1)
            await rig.until { rig.names == ["order-vs", "product-vs"] }
            await rig.until { rig.routes.findings.contains { $0.code == .unreadableKind && $0.object.name == kind } }
            #expect(rig.staleness?.contains("the API server refuses (server_error)") == true)
            #expect((try? folder.text(of: "objects")) == nil)
            cluster.refuse(name, with: nil)
            await rig.until { !rig.routes.findings.contains { $0.code == .unreadableKind } }
            #expect(rig.staleness == nil && rig.names.count == 2)
        }
        await server.close()
    }

    @Test(arguments: ["wasmplugins", "extensions.istio.io"])
    func `a kind or group without routes that cannot be read is named, and makes the table neither late nor stale`(
        refused: String
    ) async throws {
        try applySamples()
        cluster.apply(Self.pod)
        cluster.install(group: "extensions.istio.io")
        cluster.refuse(refused, with: 500)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.isMissingAKind }
            await rig.until { rig.names == ["order-vs", "product-vs"] }
            rig.pass(minutes: 1)
            let name = "wasmplugins.extensions.istio.io"
            await rig.until { rig.routes.findings.contains { $0.code == .unreadableKind && $0.object.name == name } }
            await rig.until { (try? folder.text(of: "objects")) != nil }
            #expect(rig.staleness == nil)
        }
        await server.close()
    }

    @Test(arguments: [("services", true), ("namespaces", true), ("destinationrules", false)])
    func `a cluster is not known whole where a kind may not be read that says what hosts and namespaces there are`(
        resource: String,
        isPartial: Bool
    ) async throws {
        try applySamples()
        cluster.apply(Self.pod)
        cluster.refuse(resource, with: 403)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.isMissingAKind }
            rig.pass(minutes: 1)
            await rig.until { rig.names == ["order-vs", "product-vs"] }
            #expect(rig.source.current.isPartial == isPartial)
            cluster.refuse(resource, with: nil)
            await rig.until { !rig.isMissingAKind && !rig.source.current.isPartial }
        }
        await server.close()
    }

    @Test func `a kind that cannot be read after a restart counts as the earlier run has left it`() async throws {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && (try? folder.text(of: "objects")) != nil }
        }
        cluster.refuse("virtualservices", with: 500)
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.isMissingAKind }
            rig.pass(minutes: 1)
            await rig.until { !rig.routes.isSaved }
            #expect(rig.names == ["order-vs", "product-vs"])
            #expect(rig.staleness?.contains("virtualservices") == true)
            let order = try #require(try Self.samples().first { $0["metadata"]?["name"] == "order-vs" })
            cluster.delete(order)
            cluster.refuse("virtualservices", with: nil)
            await rig.until { rig.names == ["product-vs"] && rig.staleness == nil }
        }
        await server.close()
    }

    @Test(arguments: [("virtualservices", "VirtualService"), ("configmaps", "ConfigMap")])
    func `a kind that may not be read after a restart is stale, and stays saved for the run after that`(
        resource: String,
        kind: String
    ) async throws {
        try applySamples()
        cluster.apply(Self.pod)
        cluster.apply([
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "istio", "namespace": "istio-system"],
            "data": ["mesh": "defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}"],
        ])
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && (try? folder.text(of: "objects")) != nil }
        }
        let saved = try folder.text(of: "objects")
        #expect(saved.contains("\"kind\":\"\(kind)\""))
        cluster.refuse(resource, with: 403)
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.isMissingAKind }
            rig.pass(minutes: 1)
            await rig.until { !rig.routes.isSaved && (try? folder.text(of: "objects")) != saved }
            #expect(rig.names == ["order-vs", "product-vs"] && rig.source.current.mesh != nil)
            let staleness = try #require(rig.staleness)
            #expect(staleness.hasPrefix("table_stale: the agent") && staleness.contains("an earlier run has left"))
            let again = try folder.text(of: "objects")
            #expect(again.split(separator: "\n").count == saved.split(separator: "\n").count)
            #expect(again.contains("\"kind\":\"\(kind)\""))
            cluster.refuse(resource, with: nil)
            await rig.until { rig.staleness == nil }
        }
        await server.close()
    }

    @Test func `what an earlier run has left is of no account once the API server has been read`() async throws {
        let young = TestCluster(serving: ["networking.istio.io", "networking.k8s.io"])
        let samples = try Self.samples()
        for object in samples + [Self.pod] { young.apply(object) }
        let server = try await TestAPIServer { young.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && (try? folder.text(of: "objects")) != nil }
        }
        try await Rig(server.url, folder).run { rig in
            await rig.until { !rig.routes.isSaved && rig.names.count == 2 }
            young.delete(try #require(samples.first { $0["metadata"]?["name"] == "order-vs" }))
            await rig.until { rig.names == ["product-vs"] }
            young.refuse("httproutes", with: 429)
            young.install(group: "gateway.networking.k8s.io")
            await rig.until { rig.source.store.collections.contains { $0.key.resource.resource == "httproutes" } }
            _ = rig.keeper.reload()
            #expect(rig.names == ["product-vs"] && !rig.routes.isSaved)
        }
        await server.close()
    }

    @Test func `a reload under way when an object changes does not bring back the routes of before`() async throws {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        let gate = Gate()
        try await Rig(server.url, folder, onCompile: { gate.pass() }).run { rig in
            await rig.until { rig.names.count == 2 }
            gate.close()
            let keeper = rig.keeper
            // On a thread of its own, as it is held: the few of tasks are needed for what must happen meanwhile.
            let reload = Task { await OwnThread.run { keeper.reload() } }
            await rig.until { gate.waiting >= 1 }
            cluster.delete(try #require(try Self.samples().first { $0["metadata"]?["name"] == "order-vs" }))
            await rig.until { rig.source.store.objects.allSatisfy { $0.value["metadata"]?["name"] != "order-vs" } }
            // Time for the other thread to make its table and put it in force, if it may.
            try await Task.sleep(for: .milliseconds(600))
            gate.open()
            #expect(await reload.value == .reloaded([]))
            await rig.until { rig.names == ["product-vs"] }
            try await Task.sleep(for: .milliseconds(300))
            #expect(rig.names == ["product-vs"])
        }
        await server.close()
    }

    @Test func `objects are given back, and no routes stay, a while after the last gateway has left the node`()
        async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 }
            cluster.delete(Self.pod)
            await rig.until { rig.routes.gateways.isEmpty }
            rig.pass(minutes: 11)
            await rig.until { rig.source.store.collections.count == 1 && rig.names.isEmpty }
            #expect(rig.staleness == nil && (try? folder.text(of: "objects")) == nil)
            cluster.apply(Self.pod)
            await rig.until { rig.names.count == 2 }
        }
        await server.close()
    }

    @Test func `pods without a gateway, and states of a gateway's pod that change nothing, make no tables`()
        async throws
    {
        try applySamples()
        cluster.apply(Self.pod)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 && rig.source.store.isComplete(at: WallClock.now()) }
            // The table with this in it is made of all kinds, however late the last of them came, and is the last that is due.
            cluster.delete(try #require(try Self.samples().first { $0["metadata"]?["name"] == "order-vs" }))
            await rig.until { rig.names == ["product-vs"] && rig.routes.gateways.count == 1 }
            let before = rig.routes.board.generation.number
            let other: JSONValue = [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "job-1", "namespace": "shop"],
                "spec": ["nodeName": "node-1", "containers": []], "status": ["phase": "Running", "podIP": "10.1.0.9"],
            ]
            cluster.apply(other)
            await rig.until { rig.source.store[rig.source.pods]?.objects.count == 2 }
            try await Task.sleep(for: .milliseconds(600))
            #expect(rig.routes.board.generation.number == before)
        }
        await server.close()
    }

    @Test func `kinds that the cluster does not serve yet are followed once they are there`() async throws {
        let young = TestCluster(serving: ["networking.k8s.io"])
        young.apply(Self.pod)
        let server = try await TestAPIServer { young.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.source.store.isComplete(at: WallClock.now()) }
            #expect(rig.names == [])
            young.install(group: "networking.istio.io")
            for object in try Self.samples() { young.apply(object) }
            await rig.until { rig.names == ["order-vs", "product-vs"] }
        }
        await server.close()
    }

    // MARK: - Hosts

    private static let service: JSONValue = [
        "apiVersion": "v1", "kind": "Service", "metadata": ["name": "orders", "namespace": "shop"],
        "spec": ["clusterIP": "10.96.0.20", "ports": [["port": 80]]],
    ]
    private static let slice: JSONValue = [
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": ["name": "orders-1", "namespace": "shop"], "endpoints": [["addresses": ["10.244.1.5"]]],
    ]
    private static let node: JSONValue = [
        "apiVersion": "v1", "kind": "Node", "metadata": ["name": "node-2"],
        "status": ["addresses": [["type": "InternalIP", "address": "192.0.2.7"]]],
    ]
    private static let unknown = "target next: the cluster's hosts are not known yet"

    private func applyHosts() throws {
        try applySamples()
        for object in [Self.pod, Self.service, Self.slice, Self.node] { cluster.apply(object) }
    }

    @Test func `every target is refused until the hosts of the cluster are known, and no agent ends for that`()
        async throws
    {
        try applyHosts()
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder, isMirroring: true).run { rig in
            #expect(rig.refusal("198.51.100.9") == Self.unknown)
            try await rig.mirroring.refuseForbiddenTargets()
            await rig.until { rig.refusal("198.51.100.9") == nil }
            for address in ["10.96.0.20", "10.244.1.5", "192.0.2.7"] {
                let refusal = rig.refusal(address)
                #expect(refusal != nil && refusal != Self.unknown, "\(address)")
            }
        }
        await server.close()
    }

    @Test(arguments: [("endpointslices", 403, "may not read endpointslices"), ("nodes", 500, "cannot read nodes")])
    func `targets stay refused where hosts of the cluster cannot be read, unless they are listed`(
        resource: String,
        status: Int,
        words: String
    ) async throws {
        try applyHosts()
        cluster.refuse(resource, with: status)
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder, isMirroring: true).run { rig in
            await rig.until {
                rig.source.hosts.collections.values.contains { $0.trouble != nil }
                    && rig.source.hosts.collections.values.contains(where: \.isSynchronized)
            }
            #expect(rig.refusal("10.244.1.5") == Self.unknown)
            rig.pass(minutes: 1)
            await rig.until { rig.refusal("10.244.1.5") != Self.unknown }
            let refusal = try #require(rig.refusal("10.244.1.5"))
            #expect(refusal.contains("the agent \(words)") && refusal.contains("mirror.targets.next.hosts"))
            #expect(rig.refusal("198.51.100.9") != nil && rig.refusal("198.51.100.9", hosts: ["next.test"]) == nil)
            cluster.refuse(resource, with: nil)
            await rig.until { rig.refusal("198.51.100.9") == nil }
            #expect(rig.refusal("10.244.1.5") != nil && rig.refusal("192.0.2.7") != nil)
        }
        await server.close()
    }

    @Test func `targets that are not listed are refused where the agent reads some namespaces only`() async throws {
        try applyHosts()
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder, isMirroring: true, namespaces: "[default]").run { rig in
            await rig.until { rig.refusal("10.244.1.5")?.contains("routes.kubernetes.namespaces") == true }
            #expect(rig.refusal("198.51.100.9", hosts: ["next.test"]) == nil)
        }
        await server.close()
    }

    @Test func `a load balancer of the cluster is refused as a target`() async throws {
        try applyHosts()
        let balanced: JSONValue = [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": "edge", "namespace": "istio-system"],
            "spec": ["clusterIP": "10.96.0.30", "ports": [["port": 80]]],
            "status": ["loadBalancer": ["ingress": [["ip": "203.0.113.7"], ["hostname": "Next.test"]]]],
        ]
        cluster.apply(balanced)
        cluster.apply([
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": ["name": "edge", "namespace": "shop"], "spec": ["gatewayClassName": "istio", "listeners": []],
            "status": ["addresses": [["type": "IPAddress", "value": "203.0.113.8"]]],
        ])
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder, isMirroring: true).run { rig in
            await rig.until { rig.refusal("203.0.113.7") != Self.unknown }
            #expect(rig.refusal("203.0.113.7")?.contains("this cluster") == true)
            #expect(rig.refusal("203.0.113.8")?.contains("this cluster") == true)
            #expect(rig.refusal("198.51.100.9")?.contains("is a Service of this cluster") == true)
        }
        await server.close()
    }

    @Test func `hosts of kinds that the cluster does not serve are not waited for`() async throws {
        let strict = TestCluster(serving: ["networking.istio.io"])
        strict.apply(Self.pod)
        strict.apply(Self.service)
        let server = try await TestAPIServer { strict.answer($0) }
        try await Rig(server.url, folder, isMirroring: true).run { rig in
            await rig.until { rig.refusal("198.51.100.9") == nil }
            #expect(rig.refusal("10.96.0.20") != nil)
        }
        await server.close()
    }

    @Test
    func `mirroring that a reload switches on is held against the hosts of the cluster, though nothing changes there`()
        async throws
    {
        try applyHosts()
        let server = try await TestAPIServer { [cluster] in cluster.answer($0) }
        try await Rig(server.url, folder).run { rig in
            await rig.until { rig.names.count == 2 }
            #expect(!cluster.requests.contains { $0.hasSuffix("/endpointslices") || $0.hasSuffix("/nodes") })
            _ = try Rig.write(server.url, folder, isMirroring: true)
            #expect(rig.keeper.reload() == .reloaded([]))
            #expect(rig.refusal("198.51.100.9") == Self.unknown)
            await rig.until { rig.refusal("198.51.100.9") == nil }
            for address in ["10.96.0.20", "10.244.1.5", "192.0.2.7"] {
                #expect(rig.refusal(address) != nil, "\(address)")
            }
            #expect(cluster.requests.contains { $0.hasSuffix("/endpointslices") })

            // Switched off and on again, what was known before says nothing.
            _ = try Rig.write(server.url, folder)
            #expect(rig.keeper.reload() == .reloaded([]))
            await rig.until { rig.refusal("198.51.100.9") == Self.unknown }
            #expect(rig.source.hosts.collections.isEmpty && rig.names.count == 2)
            _ = try Rig.write(server.url, folder, isMirroring: true)
            #expect(rig.keeper.reload() == .reloaded([]))
            await rig.until { rig.refusal("198.51.100.9") == nil }
        }
        await server.close()
    }

    // MARK: - Rights

    @Test func `the shipped rights are exactly what the agent asks for`() throws {
        let file = "\(Repository.path)/samples/kubernetes/kustomize/base/rbac.yaml"
        let objects = try ResourceFileLoader().survey([file]).objects.map(\.value)
        func rules(_ kind: String) -> [JSONValue] {
            objects.filter { $0["kind"]?.stringValue == kind }.flatMap { $0["rules"]?.arrayValue ?? [] }
        }
        func resources(_ rules: [JSONValue]) -> Set<String> {
            Set(
                rules.flatMap { rule in
                    let group = rule["apiGroups"]?.arrayValue?.first?.stringValue ?? "?"
                    return (rule["resources"]?.arrayValue ?? []).map { "\(group)/\($0.stringValue ?? "?")" }
                }
            )
        }
        #expect((rules("ClusterRole") + rules("Role")).allSatisfy { $0["verbs"] == ["list", "watch"] })
        let source = try Rig("http://127.0.0.1:1", folder).source
        #expect(source.pods.fieldSelector == "spec.nodeName=node-1")
        let asked = WatchedKind.routing.map { "\($0.group)/\($0.resource)" } + ["/\(source.pods.resource.resource)"]
        #expect(resources(rules("ClusterRole")) == Set(asked))
        #expect(resources(rules("Role")) == ["/\(source.mesh.resource.resource)"])
        #expect(
            rules("Role").first?["resourceNames"] == ["istio"] && source.mesh.fieldSelector == "metadata.name=istio"
        )
        let role = objects.first { $0["kind"] == "Role" }
        #expect(role?["metadata"]?["namespace"]?.stringValue == source.mesh.namespace)
    }

    @Test func `the chart adds the rights of admin.auth.kubernetes, and those alone`() throws {
        func rules(_ path: String) throws -> [JSONValue] {
            try ResourceFileLoader().survey(["\(Repository.path)/samples/kubernetes/\(path)"]).objects.map(\.value)
                .filter { $0["kind"] == "ClusterRole" }.flatMap { $0["rules"]?.arrayValue ?? [] }
        }
        let usual = try rules("kustomize/base/rbac.yaml")
        let more = try rules("golden/admin.yaml").filter { !usual.contains($0) }
        #expect(more.allSatisfy { $0["verbs"] == ["create"] })
        let paths = more.map { rule in
            "/apis/\(rule["apiGroups"]?.arrayValue?.first?.stringValue ?? "?")/v1/"
                + (rule["resources"]?.arrayValue?.compactMap(\.stringValue).joined(separator: ",") ?? "?")
        }
        #expect(Set(paths) == [AccessReviewer.tokenReviews, AccessReviewer.subjectAccessReviews])
    }
}

/// A gate that holds threads while it is closed.
private final class Gate: Sendable {
    private let state = Mutex((isOpen: true, waiting: 0))

    var waiting: Int { state.withLock(\.waiting) }

    func close() { state.withLock { $0.isOpen = false } }
    func open() { state.withLock { $0.isOpen = true } }

    func pass() {
        guard !state.withLock(\.isOpen) else { return }
        state.withLock { $0.waiting += 1 }
        while !state.withLock(\.isOpen) { usleep(1000) }
    }
}
