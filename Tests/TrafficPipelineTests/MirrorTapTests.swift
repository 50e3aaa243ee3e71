// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import ResourceFiles
import RouteAttribution
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

@testable import ShadowTesting

/// Mirroring on the packet path, with the sample capture of a real gateway.
@Suite struct MirrorTapTests {
    private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../samples").standardizedFileURL

    private static func table() throws -> RouteTable {
        try RouteTable.onPort8080(files: samples.appending(path: "istio").path)
    }

    private func queue(_ policies: [MirrorPolicy]) -> MirrorQueue {
        let queue = MirrorQueue(seed: 1)
        queue.replacePlan(
            edition: 1,
            policies: policies,
            targets: [MirrorTarget(name: "t", host: "staging.test", port: 80)]
        )
        return queue
    }

    /// Reads the sample capture with policies, and returns what the queue and the metrics say.
    private func read(_ policies: [MirrorPolicy]) throws -> (figures: MirrorFigures, page: String) {
        let registry = MetricsRegistry()
        let table = try Self.table()
        let plan = try MirrorPlan(policies: policies, targets: ["t"], edition: 1)
        let queue = queue(policies)
        var outputs = PipelineOutputs()
        outputs.mirror = MirrorDestination(queue: queue) { 1 }
        var pipeline = TrafficPipeline(
            routes: RouteBoard(
                RouteTables(table),
                registry: registry,
                mirroring: { MirrorRouting(plan, for: $0) },
                at: 0
            ),
            board: WorkerBoards(registry).sole,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: Self.samples.appending(path: "captures/ingress.pcap").path)
        try pipeline.read(&savefile, batch: 50)
        var page: [UInt8] = []
        TextExposition(.text).write(registry.snapshot(at: 0), into: &page)
        return (queue.figures(now: 1), String(decoding: page, as: UTF8.self))
    }

    @Test(arguments: [0.0, 10, 100])
    func `every request that a policy looks at has exactly one fate`(percent: Double) throws {
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        policy.percent = percent
        policy.key = [.clientAddress]
        let lane = try #require(try read([policy]).figures.lanes.first)
        #expect(lane.isConserved)
        // All requests but those whose port no gateway serves; the capture's truth counts 508.
        #expect(lane.considered == 508)
        #expect(percent > 0 || lane.queued + lane.dropped.values.reduce(0, +) == 0)
        #expect(percent < 100 || lane.notSampled == 0)
    }

    @Test func `a share of fewer is a part of a share of more`() throws {
        var few = MirrorPolicy(name: "few", targets: ["t"])
        few.percent = 20
        few.key = [.field("user-agent"), .traceContext, .clientAddress]
        var more = few
        more.name = "more"
        more.percent = 60
        let lanes = try read([few, more]).figures.lanes
        #expect(lanes.count == 2)
        #expect(lanes[0].notSampled >= lanes[1].notSampled)
        #expect(lanes.allSatisfy { $0.isConserved })
    }

    @Test func `a policy for another VirtualService looks at nothing`() throws {
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        policy.percent = 100
        policy.match.virtualService = "default/absent"
        let lane = try #require(try read([policy]).figures.lanes.first)
        #expect(lane.considered == 0)
    }

    @Test func `mirroring changes no metric of the traffic`() throws {
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        let without = try read([policy]).page
        policy.percent = 100
        #expect(try read([policy]).page == without)
    }

    // MARK: - gRPC

    /// What a policy makes of the calls of a recording of a real client and server.
    private func calls(_ capture: String) throws -> (lane: LaneFigures, copies: [RecordedExchange]) {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/streams")
        let objects = try ResourceFileLoader().survey([folder.appending(path: "routes.yaml").path]).objects
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 50_051, server: 80)]
        let table = RouteTable.compile(RouteResources(decoding: objects.map(\.value)), environment: environment).table
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        policy.percent = 100
        policy.methods = ["POST"]
        let plan = try MirrorPlan(policies: [policy], targets: ["t"], edition: 1)
        let queue = queue([policy])
        let registry = MetricsRegistry()
        var outputs = PipelineOutputs()
        outputs.mirror = MirrorDestination(queue: queue) { 1 }
        var pipeline = TrafficPipeline(
            routes: RouteBoard(
                RouteTables(table),
                registry: registry,
                mirroring: { MirrorRouting(plan, for: $0) },
                at: 0
            ),
            board: WorkerBoards(registry).sole,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: folder.appending(path: capture + ".pcap").path)
        try pipeline.read(&savefile)
        let lane = try #require(queue.figures(now: 1).lanes.first)
        queue.found("t", .allowed(address: "127.0.0.1"))
        var copies: [RecordedExchange] = []
        while case .copy(let copy) = queue.take(for: "t", now: 1) { copies.append(copy.ticket.exchange) }
        return (lane, copies)
    }

    @Test func `unary calls are copied whole, with the trailers of production's answer`() throws {
        let (lane, copies) = try calls("lab-grpc-unary")
        #expect(lane.isConserved && lane.filtered.isEmpty && lane.queued == 4)
        #expect(copies.count == 4)
        #expect(copies.compactMap { $0.response?.grpcStatus }.sorted() == [0, 0, 5, 12])
        for copy in copies {
            let response = try #require(copy.response)
            #expect(copy.request.message.isCall && copy.request.message.holdsOneMessage == true)
            #expect(!copy.isIncomparableCall)
            // An answer without a message has its status in the head, or in trailers.
            #expect(response.grpcStatus != 0 || response.message.trailers.contains { $0.isNamed("grpc-status") })
        }
    }

    @Test func `streaming calls are not comparable, and counted`() throws {
        let (lane, copies) = try calls("lab-grpc-streams")
        #expect(lane.isConserved && lane.filtered == [.notComparable: 3] && copies.isEmpty)
    }
}
