// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import PacketDecoding
import RouteAttribution
import TCPReassembly
import Testing
import TrafficMetrics
import TrafficPipeline

/// The recording in `samples/captures`, read through all stages, against what the gateway's own access log counted.
@Suite struct SampleCaptureTests {
    private let records: [ExchangeRecord]
    private let truth: CaptureTruth

    init() throws {
        records = try Self.lines().map { try JSONDecoder().decode(ExchangeRecord.self, from: $0) }
        let file = Self.samples.appending(path: "captures/ingress.truth.json")
        truth = try JSONDecoder().decode(CaptureTruth.self, from: Data(contentsOf: file))
    }

    @Test func `every request of the log is found, and no other`() {
        #expect(records.count == truth.exchanges)
        #expect(records.allSatisfy { $0.request != nil })
        #expect(Set(records.map(\.client)).count == truth.connectionsWithRequests)
    }

    @Test func `each rule has the requests, methods and statuses that the log gives it`() {
        for route in truth.routes {
            let found = records.filter {
                $0.route.rule == route.rule && $0.route.virtualService == route.virtualService
            }
            #expect(found.statuses == route.statuses)
            #expect(found.methods == route.methods)
        }
        #expect(records.count { $0.route.outcome == "route" } == truth.routes.reduce(0) { $0 + $1.requests })
    }

    @Test func `what no rule takes has the log's reasons and statuses`() {
        for (outcome, expected) in truth.unmatched {
            #expect(records.filter { $0.route.outcome == outcome }.statuses == expected.statuses)
        }
        let outcomes = Set(records.map(\.route.outcome))
        #expect(outcomes == Set(truth.unmatched.keys).union(["route"]))
    }

    @Test func `content has the log's size, without what followed an upgrade`() {
        for route in truth.routes {
            let found = records.filter { $0.route.virtualService == route.virtualService }
            let sent = found.reduce(0) { $0 + ($1.request?.contentBytes ?? 0) }
            let answered = found.reduce(0) { $0 + ($1.response?.contentBytes ?? 0) }
            #expect(sent == route.requestBytes - route.upgraded.requestBytes)
            #expect(answered == route.responseBytes - route.upgraded.responseBytes)
        }
    }

    @Test func `only what a client or the gateway broke off is marked`() {
        let marked = records.filter { !$0.integrity.isEmpty }
        let brokenOff = truth.flags.filter { ["DC", "UPE"].contains($0.key) }.values.reduce(0, +)
        #expect(marked.count == brokenOff)
        #expect(Set(marked.flatMap(\.integrity)).isSubset(of: ["reset_by_client", "closed_early", "no_response"]))
    }

    @Test func `workers that share a capture by connection count and record what one does`() throws {
        let alone = try Self.share(among: 1)
        let shared = try Self.share(among: 3)
        #expect(shared.requests == alone.requests)
        #expect(shared.figures.interfaces == alone.figures.interfaces)
        #expect(shared.figures.reassembly.connectionsOpened == alone.figures.reassembly.connectionsOpened)
        let (one, three) = (try alone.lines.map(Record.init), try shared.lines.map(Record.init))
        #expect(three.map(\.withoutNumbers).sorted() == one.map(\.withoutNumbers).sorted())
        // No two connections have one number, though no worker knows of another.
        let clients = Dictionary(grouping: three, by: \.connection).mapValues { Set($0.map(\.endpoints)) }
        #expect(clients.count == Set(one.map(\.connection)).count)
        #expect(clients.values.allSatisfy { $0.count == 1 })
    }

    @Test func `the same capture gives the same records`() throws {
        #expect(try Self.lines() == Self.lines())
    }

    private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../samples").standardizedFileURL

    /// The records of the whole capture, one line each, with the routes of `samples/istio`.
    private static func lines() throws -> [Data] {
        let registry = MetricsRegistry()
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        var pipeline = TrafficPipeline(
            routes: try routes(registry),
            board: WorkerBoards(registry).sole,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: samples.appending(path: "captures/ingress.pcap").path)
        try pipeline.read(&savefile)
        return collector.lines
    }

    /// What several workers make of the capture, each of which gets some of its connections.
    private static func share(
        among count: Int
    ) throws -> (requests: UInt64, figures: PipelineFigures, lines: [Data]) {
        let registry = MetricsRegistry(shardCount: count)
        let run = TrafficRun(routes: try routes(registry))
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        for worker in 0..<count {
            var pipeline = run.makePipeline(ofWorker: worker, outputs: outputs)
            var savefile = try SavefileReader(path: samples.appending(path: "captures/ingress.pcap").path)
            while let packet = try savefile.next() {
                guard let segment = PacketDecoder.commonSegment(in: savefile.octets, of: packet) else {
                    if worker == 0 { pipeline.packetArrived(packet, octets: savefile.octets) }
                    continue
                }
                let sum = Int(segment.source.port) + Int(segment.destination.port)
                if sum % count == worker { pipeline.packetArrived(packet, octets: savefile.octets) }
            }
            pipeline.captureEnded()
        }
        let requests = registry.routeSummaries().reduce(UInt64(0)) { $0 + UInt64($1.requestCount) }
        return (requests, run.boards.figures, collector.lines)
    }

    /// What of a record says where it comes from.
    private struct Record {
        let connection: Int
        let endpoints: String
        let withoutNumbers: String

        init(_ line: Data) throws {
            var members = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
            connection = try #require(members.removeValue(forKey: "connection") as? Int)
            endpoints = "\(try #require(members["client"])) \(try #require(members["server"]))"
            withoutNumbers = String(
                decoding: try JSONSerialization.data(withJSONObject: members, options: .sortedKeys),
                as: UTF8.self
            )
        }
    }

    private static func routes(_ registry: MetricsRegistry) throws -> RouteBoard {
        let table = try RouteTable.onPort8080(files: samples.appending(path: "istio").path)
        return RouteBoard(RouteTables(table), registry: registry, at: 0)
    }
}
