// Wingmirror · Apache-2.0

import AdminServer
import JSONSyntax
import KubernetesObjects
import Logging
import PacketCapture
import ResourceFiles
import RouteAttribution
import TestServers
import TestSupport
import Testing
import TrafficMetrics

@testable import Agent
@testable import AgentConfiguration

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
        try ResourceFileLoader().load(["\(Repository.path)/samples/istio"]).filter { $0["apiVersion"] != "apps/v1" }
    }

    private func applySamples() throws {
        for object in try Self.samples() { cluster.apply(object) }
    }

    /// The parts of an agent that follow the API server.
    private struct Rig {
        let source: ClusterSource
        let routes: RouteKeeper
        let control: CaptureControl
        let service: ClusterService

        init(_ url: String, _ folder: TemporaryFolder) throws {
            let file = try folder.write(
                """
                routes: {kubernetes: {enabled: true, server: "\(url)", node: node-1, snapshot: "\(folder.path)/objects"}}
                log: {level: critical}
                """,
                to: "w.yaml"
            )
            let configuration = try Configuration.load(path: file)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            // Without jitter, and with pauses that end soon.
            let clock = WatchClock(
                now: { WallClock.now() },
                pause: { _ in try await Task.sleep(for: .milliseconds(20)) },
                random: { 0 }
            )
            source = try #require(try ClusterSource(configuration, logger: logger, clock: clock))
            let mirroring = Mirroring(Configuration())
            routes = RouteKeeper(configuration.environment, registry: MetricsRegistry(), mirroring: mirroring)
            let plan = RunPlan(configuration: configuration, endsAfterSavefiles: false) {
                () throws(ConfigurationProblems) in try Configuration.load(path: file)
            }
            let keeper = ConfigurationKeeper(
                plan,
                credentials: .none,
                routes: routes,
                mirroring: mirroring,
                cluster: source,
                logs: LogSettings(LogConfiguration(level: .critical, format: .json))
            )
            _ = keeper.reloadRoutes()
            control = CaptureControl(counters: CaptureCounters(interfaces: ["lo"]))
            service = ClusterService(
                cluster: source,
                configuration: keeper,
                routes: routes,
                control: control,
                hosts: { mirroring.production.clusterChanged($0) },
                logger: logger
            )
        }

        func run(_ body: (Rig) async throws -> Void) async throws {
            let running = Task { [service] in try? await service.run() }
            try await body(self)
            running.cancel()
            await running.value
        }

        func until(_ isMet: () -> Bool) async {
            while !isMet(), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
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

    @Test(arguments: [TestCluster.Mood.down, .refusing(401), .refusing(403), .refusing(410), .refusing(500)])
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
            let now = WallClock.now()
            #expect(rig.source.staleness(isSaved: true, at: now)?.contains("an earlier run has left") == true)
            cluster.mood = .well
            await rig.until { !rig.routes.isSaved }
            #expect(rig.names.count == 2)
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

    // MARK: - Rights

    @Test func `the shipped rights are exactly what the agent asks for`() throws {
        let file = "\(Repository.path)/samples/kubernetes/kustomize/base/rbac.yaml"
        let objects = try ResourceFileLoader().load([file])
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
            try ResourceFileLoader().load(["\(Repository.path)/samples/kubernetes/\(path)"])
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
