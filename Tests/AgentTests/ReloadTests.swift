// Wingmirror · Apache-2.0

import AdminServer
import JSONSyntax
import Logging
import PacketCapture
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel

@testable import Agent
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct ReloadTests {
    private static let route = OneGateway.manifest(with: "one")

    private let folder: TemporaryFolder
    private let routes: RouteKeeper
    private let keeper: ConfigurationKeeper
    private let logs: LogSettings
    private let mirroring: Mirroring

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.route, to: "routes.yaml")
        let rig = try KeeperRig(file: try folder.write(Self.configuration(folder), to: "w.yaml"))
        (mirroring, routes, logs, keeper) = (rig.mirroring, rig.routes, rig.logs, rig.configuration)
        try keeper.loadFirstRoutes()
    }

    private static func configuration(
        _ folder: TemporaryFolder,
        level: String = "critical",
        capture: String = "{savefiles: [a.pcap]}",
        more: String = ""
    ) -> String {
        """
        capture: \(capture)
        routes: {files: ["\(folder.path)/routes.yaml"]}
        log: {level: \(level)}
        \(more)
        """
    }

    @Test func `a table that loses its routes is a finding until it has some again`() throws {
        #expect(routes.absence == nil && !routes.findings.contains { $0.code == .noRoutes })
        try folder.write("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", to: "routes.yaml")
        #expect(keeper.reload() == .reloaded([]))
        #expect(routes.absence?.contains("makes no route") == true)
        #expect(routes.findings.first?.code == .noRoutes && routes.findings.first?.severity == .error)
        try folder.write(Self.route, to: "routes.yaml")
        #expect(keeper.reload() == .reloaded([]))
        #expect(routes.absence == nil && !routes.findings.contains { $0.code == .noRoutes })
    }

    @Test func `a reload that is refused is the first finding until what is read is good again`() throws {
        try folder.write("kind: [", to: "routes.yaml")
        guard case .rejected(let lines) = keeper.reloadRoutes() else {
            Issue.record("a bad file was accepted")
            return
        }
        let finding = try #require(routes.findings.first)
        #expect(finding.code == .reloadRefused && finding.severity == .error)
        let reason = try #require(lines.first)
        #expect(finding.message.contains(reason) && reason.contains("routes.yaml"))
        try folder.write(Self.route, to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(!routes.findings.contains { $0.code == .reloadRefused })
        try folder.write(Self.configuration(folder, more: "colour: red"), to: "w.yaml")
        guard case .rejected = keeper.reload() else {
            Issue.record("a bad configuration was accepted")
            return
        }
        #expect(routes.findings.first?.object.name == "configuration")
        // Good routes say nothing of the configuration.
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(routes.findings.first?.code == .reloadRefused)
    }

    @Test
    func `a policy that matches nothing is said by the reload that makes it so, and no longer when it matches again`()
        throws
    {
        func mirror(_ object: String) -> String {
            "mirror: {enabled: true, targets: {t: {url: \"http://127.0.0.1:9\"}}, "
                + "policies: [{name: p, target: t, percent: 5, match: {virtualService: \(object)}}]}"
        }
        let sentence = "mirror policy p matches nothing: there is no VirtualService default"
        try folder.write(Self.configuration(folder, more: mirror("default/nope")), to: "w.yaml")
        #expect(keeper.reload() == .reloaded(["\(sentence)/nope"]))
        #expect(keeper.reload() == .reloaded([]) && mirroring.warnings == ["\(sentence)/nope"])
        try folder.write(Self.configuration(folder, more: mirror("default/one")), to: "w.yaml")
        #expect(keeper.reload() == .reloaded([]) && mirroring.warnings.isEmpty)
        // The object is renamed, and nobody has touched the configuration.
        try folder.write(Self.route.replacing("name: one", with: "name: two"), to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(mirroring.warnings == ["\(sentence)/one"])
        #expect(mirroring.document?["warnings"] == JSONValue(["\(sentence)/one"]))
    }

    @Test func `a port of the gateway that new objects have no server for is known after the reload`() throws {
        let more = "gateway: {ports: [{pod: 9090, server: 80}]}"
        let file = try folder.write(Self.configuration(folder, more: more), to: "w.yaml")
        let plan = RunPlan(configuration: try Configuration.load(path: file), endsAfterSavefiles: false) {
            () throws(ConfigurationProblems) in try Configuration.load(path: file)
        }
        let keeper = ConfigurationKeeper(plan, credentials: .none, routes: routes, mirroring: mirroring, logs: logs)
        try keeper.loadFirstRoutes()
        #expect(keeper.current.portMistakes.isEmpty)
        try folder.write(Self.route.replacing("number: 80", with: "number: 81"), to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(keeper.current.portMistakes.count == 1)
        #expect(keeper.current.portMistakes.first?.hasPrefix("no Gateway server has port 80 (there is 81)") == true)
        try folder.write(Self.route, to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]) && keeper.current.portMistakes.isEmpty)
    }

    @Test func `new routes and a new log level are in force after a reload`() throws {
        let second = Self.route.replacing("name: one", with: "name: two")
        try folder.write(Self.route + "---\n" + second.dropGateway, to: "routes.yaml")
        try folder.write(Self.configuration(folder, level: "error"), to: "w.yaml")
        #expect(routes.tables.routes.count == 1)
        #expect(keeper.reload() == .reloaded([]))
        #expect(Set(routes.tables.routes.map(\.identity.object.name)) == ["one", "two"])
        #expect(logs.level == .error)
        #expect(keeper.current.reloads.accepted == 1)
    }

    @Test func `a bad configuration changes nothing and says why`() throws {
        let before = keeper.current.digest
        try folder.write(Self.configuration(folder, level: "loud", more: "colour: red"), to: "w.yaml")
        guard case .rejected(let lines) = keeper.reload() else {
            Issue.record("a bad file was accepted")
            return
        }
        #expect(lines.count == 2)
        #expect(keeper.current.digest == before)
        #expect(keeper.current.reloads.rejected == 1)
        #expect(!keeper.current.reloads.isLatestGood)
    }

    @Test func `bad routes leave the old routes and the old configuration`() throws {
        try folder.write("kind: [", to: "routes.yaml")
        try folder.write(Self.configuration(folder, level: "error"), to: "w.yaml")
        guard case .rejected = keeper.reload() else {
            Issue.record("a bad file was accepted")
            return
        }
        #expect(routes.tables.routes.count == 1)
        #expect(keeper.current.configuration.log.level == .critical)
    }

    @Test func `a missing file is a reason to reject, and a later good one repairs it`() throws {
        let file = try folder.text(of: "w.yaml")
        try folder.write("", to: "routes.yaml")
        try folder.write("- nonsense", to: "w.yaml")
        guard case .rejected = keeper.reload() else {
            Issue.record("a bad file was accepted")
            return
        }
        try folder.write(file, to: "w.yaml")
        #expect(keeper.reload() == .reloaded([]))
        #expect(keeper.current.reloads.isLatestGood)
        #expect(routes.tables.routes.isEmpty)
    }

    @Test func `routes that are reloaded leave a refused configuration refused`() throws {
        try folder.write(Self.configuration(folder, more: "colour: red"), to: "w.yaml")
        guard case .rejected = keeper.reload() else {
            Issue.record("a bad file was accepted")
            return
        }
        let readAt = keeper.current.readAt
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(!keeper.current.reloads.isLatestGood)
        #expect(keeper.current.reloads.accepted == 0)
        #expect(keeper.current.readAt == readAt)
        #expect(keeper.current.routeReloads == ConfigurationKeeper.Reloads(accepted: 1))
    }

    @Test func `refused routes leave a good configuration good, and a whole reload repairs them`() throws {
        try folder.write("kind: [", to: "routes.yaml")
        guard case .rejected = keeper.reloadRoutes() else {
            Issue.record("a bad file was accepted")
            return
        }
        #expect(keeper.current.reloads == ConfigurationKeeper.Reloads())
        #expect(keeper.current.routeReloads.rejected == 1 && !keeper.current.routeReloads.isLatestGood)
        try folder.write(Self.route, to: "routes.yaml")
        #expect(keeper.reload() == .reloaded([]))
        #expect(keeper.current.routeReloads.isLatestGood)
    }

    /// A keeper of a running capture on `lo`, and what is counted of it.
    private func keeperOfCapture(_ capture: String) throws -> (keeper: ConfigurationKeeper, counters: CaptureCounters) {
        try folder.write(Self.configuration(folder, capture: capture), to: "w.yaml")
        let file = "\(folder.path)/w.yaml"
        let plan = RunPlan(configuration: try Configuration.load(path: file), endsAfterSavefiles: false) {
            () throws(ConfigurationProblems) in try Configuration.load(path: file)
        }
        let counters = CaptureCounters(interfaces: ["lo"])
        let keeper = ConfigurationKeeper(
            plan,
            credentials: .none,
            routes: routes,
            mirroring: Mirroring(Configuration()),
            control: CaptureControl(counters: counters),
            logs: logs
        )
        return (keeper, counters)
    }

    @Test func `a running capture gets the interfaces and the filter of a new configuration`() throws {
        let (keeper, counters) = try keeperOfCapture("{interfaces: [lo]}")
        try folder.write(Self.configuration(folder, capture: "{interfaces: [lo, veth7], filter: tcp}"), to: "w.yaml")
        #expect(keeper.reload() == .reloaded([]))
        #expect(counters.interfaces.map(\.name) == ["lo", "veth7"])
        #expect(keeper.current.configuration.capture.interfaces == .named(["lo", "veth7"]))
        #expect(keeper.current.configuration.capture.filter == .expression("tcp"))
    }

    @Test func `what a ring was made with stays, beside interfaces that change`() throws {
        let (keeper, counters) = try keeperOfCapture("{interfaces: [lo]}")
        let wanted = "{interfaces: [veth7], ringBytes: 8MiB, snapshotLength: 2000}"
        try folder.write(Self.configuration(folder, capture: wanted), to: "w.yaml")
        #expect(keeper.reload() == .reloaded(["capture changes at the next restart only"]))
        #expect(counters.interfaces.map(\.name) == ["lo", "veth7"])
        #expect(keeper.current.configuration.capture.interfaces == .named(["veth7"]))
        #expect(keeper.current.configuration.capture.ringBytes == ByteSize(mebibytes: 64))
    }

    @Test func `a filter that cannot be compiled is refused, and nothing of its configuration is in force`() throws {
        let (keeper, counters) = try keeperOfCapture("{interfaces: [lo]}")
        let before = keeper.current.digest
        let wanted = "{interfaces: [lo, veth7], filter: 'tcp prot 80'}"
        try folder.write(Self.configuration(folder, level: "error", capture: wanted), to: "w.yaml")
        guard case .rejected(let lines) = keeper.reload() else {
            Issue.record("a bad filter was accepted")
            return
        }
        #expect(lines.contains { $0.contains("tcp prot 80") })
        #expect(counters.interfaces.map(\.name) == ["lo"])
        #expect(keeper.current.digest == before)
        #expect(logs.level == .critical)
    }

    @Test func `a running capture does not become one of pcap files`() throws {
        let (keeper, counters) = try keeperOfCapture("{interfaces: [lo]}")
        try folder.write(Self.configuration(folder), to: "w.yaml")
        #expect(keeper.reload() == .reloaded(["capture changes at the next restart only"]))
        #expect(counters.interfaces.map(\.name) == ["lo"])
        #expect(keeper.current.configuration.capture.savefiles.isEmpty)
    }

    @Test func `what cannot change without a restart is named and stays`() throws {
        let more = "metrics: {seriesLimit: 500}\nlimits: {connections: 5000}\n"
        try folder.write(Self.configuration(folder, more: more), to: "w.yaml")
        guard case .reloaded(let notes) = keeper.reload() else {
            Issue.record("a good file was rejected")
            return
        }
        #expect(notes.map { $0.split(separator: " ")[0] } == ["metrics", "limits"])
        #expect(notes.allSatisfy { $0.contains("restart") })
        #expect(keeper.current.configuration.metrics.seriesLimit == 20_000)
        #expect(keeper.current.configuration.limits.connections == 1_000_000)
    }
}

extension String {
    /// The documents behind the first.
    fileprivate var dropGateway: String {
        split(separator: "---\n").dropFirst().joined(separator: "---\n")
    }

    fileprivate func replacing(_ old: String, with new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
