// Wingmirror · Apache-2.0

import AdminServer
import JSONSyntax
import Logging
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

@Suite(.timeLimit(.minutes(20)))
struct TimelineTests {
    private static func route(_ name: String, path: String) -> String {
        """
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: \(name), namespace: shop}
        spec:
          hosts: ["*"]
          gateways: [shop/g]
          http: [{name: \(name), match: [{uri: {prefix: \(path)}}], route: [{destination: {host: a}}]}]

        """
    }

    private static let gateway = OneGateway.manifest(in: "shop")

    private let folder: TemporaryFolder
    private let routes: RouteKeeper
    private let keeper: ConfigurationKeeper

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.gateway + Self.route("one", path: "/one"), to: "routes.yaml")
        let rig = try KeeperRig(file: try folder.write(Self.configuration(folder), to: "w.yaml"))
        (routes, keeper) = (rig.routes, rig.configuration)
        try keeper.loadFirstRoutes()
    }

    private static func configuration(_ folder: TemporaryFolder, level: String = "critical") -> String {
        """
        capture: {savefiles: [a.pcap]}
        routes: {files: ["\(folder.path)/routes.yaml"]}
        log: {level: \(level)}
        """
    }

    private var texts: [String] { routes.timeline.entries.map(\.text) }

    @Test func `the first routes are counted, and a change names the object and what changed of it`() throws {
        #expect(texts == ["1 route read"])
        let second = Self.gateway + Self.route("one", path: "/one") + Self.route("two", path: "/two")
        try folder.write(second, to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]))
        let entry = try #require(routes.timeline.entries.last)
        #expect(entry.kind == .routes)
        #expect(entry.generation == routes.board.generation.number)
        #expect(entry.text.contains("shop/two"))
        #expect(entry.details.contains { $0.contains("is added") })
        try folder.write(Self.gateway + Self.route("two", path: "/two"), to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(routes.timeline.entries.last?.text.contains("shop/one") == true)
        #expect(routes.timeline.entries.last?.details.contains { $0.contains("is gone") } == true)
    }

    @Test func `the latest change of the routes stays known when a reload is refused after it`() throws {
        #expect(routes.timeline.latestRoutesChange == nil, "the first routes are no change")
        try folder.write(Self.gateway + Self.route("two", path: "/two"), to: "routes.yaml")
        #expect(keeper.reloadRoutes() == .reloaded([]))
        try folder.write("kind: [", to: "routes.yaml")
        _ = keeper.reloadRoutes()
        #expect(routes.timeline.entries.last?.kind == .refused)
        #expect(routes.timeline.latestRoutesChange?.text.contains("shop/two") == true)
    }

    @Test func `routes that are read again and are the same change nothing`() throws {
        #expect(keeper.reloadRoutes() == .reloaded([]))
        #expect(texts == ["1 route read"])
    }

    @Test func `a refused reload is there with its reasons, and a configuration that changes`() throws {
        try folder.write("kind: [", to: "routes.yaml")
        guard case .rejected = keeper.reloadRoutes() else {
            Issue.record("a bad file was accepted")
            return
        }
        let refused = try #require(routes.timeline.entries.last)
        #expect(refused.kind == .refused)
        #expect(refused.details.contains { $0.contains("routes.yaml") })
        try folder.write(Self.gateway + Self.route("one", path: "/one"), to: "routes.yaml")
        try folder.write(Self.configuration(folder, level: "error"), to: "w.yaml")
        #expect(keeper.reload() == .reloaded([]))
        #expect(routes.timeline.entries.last?.kind == .configuration)
    }

    @Test func `the oldest entries go first, and long details are cut and say so`() throws {
        let timeline = Timeline()
        for number in 0..<Timeline.limit + 5 { timeline.add(.capture, "\(number)") }
        #expect(timeline.entries.count == Timeline.limit)
        #expect(timeline.entries.first?.text == "5")
        timeline.add(.refused, "many", details: (1...Timeline.detailLimit + 3).map { "line \($0)" })
        #expect(timeline.entries.last?.details.count == Timeline.detailLimit + 1)
        #expect(timeline.entries.last?.details.last == "and 3 more")
    }

    @Test func `the document has the latest change first`() throws {
        let timeline = Timeline()
        timeline.add(.started, "first")
        timeline.add(.mirroring, "second", details: ["a \"quoted\" line"])
        let document = try JSONDocument.parse(timeline.document)
        let changes = try #require(document["changes"]?.arrayValue)
        #expect(changes.map { $0["text"] } == [.string("second"), .string("first")])
        #expect(changes[0]["kind"] == .string("mirroring"))
        #expect(changes[0]["details"] == .array([.string("a \"quoted\" line")]))
        #expect(changes[0]["generation"] == .null)
    }
}
