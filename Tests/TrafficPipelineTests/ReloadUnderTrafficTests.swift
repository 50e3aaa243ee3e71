// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import PacketDecoding
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics
import TrafficPipeline

/// The recording in `samples/captures`, with another route table in the midst of every few packets: many connections wait
/// for an answer, or are in the midst of one, at each change.
@Suite(.timeLimit(.minutes(20)))
struct ReloadUnderTrafficTests {
    /// What came of a reading with reloads.
    private struct Outcome {
        var records: [ExchangeRecord] = []
        /// The newest table when the batch of a packet of that time began.
        var generations: [String: Int] = [:]
        /// How many requests each table's route was counted for.
        var counted: [String: UInt64] = [:]
        /// How often a table was shown while exchanges were under way.
        var changesInFlight = 0
    }

    /// With 7 there are more tables than an exchange's tag can tell apart at one time.
    @Test(arguments: [7, 40])
    func `every exchange is told once, by the table that its batch of packets began with`(packetsPerBatch: Int) throws {
        let outcome = try read(packetsPerBatch: packetsPerBatch)
        let quiet = try read(packetsPerBatch: .max)
        #expect(outcome.changesInFlight > 40)
        #expect(outcome.records.map(\.client) == quiet.records.map(\.client))
        #expect(outcome.records.map(\.startTime) == quiet.records.map(\.startTime))
        #expect(outcome.records.statuses == quiet.records.statuses)
        let routed = outcome.records.filter { $0.route.outcome == "route" }
        #expect(routed.count == quiet.records.count { $0.route.outcome == "route" })
        for record in routed {
            let generation = try #require(outcome.generations[record.startTime])
            #expect(
                record.route.virtualService == "default/table-\(generation)",
                "\(record.client) \(record.startTime)"
            )
        }
    }

    @Test func `every exchange is counted for the route that its record names`() throws {
        let outcome = try read(packetsPerBatch: 40)
        let recorded = outcome.records.reduce(into: [:] as [String: UInt64]) { counts, record in
            guard let name = record.route.virtualService else { return }
            counts[name, default: 0] += 1
        }
        #expect(recorded.count > 20)
        #expect(outcome.counted == recorded)
    }

    /// Reads the capture in batches of so many packets, and shows the next table in the middle of each.
    private func read(packetsPerBatch: Int) throws -> Outcome {
        let registry = MetricsRegistry()
        let collector = LineCollector()
        let boards = WorkerBoards(registry)
        let routes = RouteBoard(RouteTables(try Self.table(1)), registry: registry, at: 0)
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        var pipeline = TrafficPipeline(routes: routes, board: boards.sole, outputs: outputs)
        var outcome = Outcome()
        var generation = 1
        var count = 0
        var savefile = try SavefileReader(path: Self.samples.appending(path: "captures/ingress.pcap").path)
        while let packet = try savefile.next() {
            pipeline.packetArrived(packet, octets: savefile.octets)
            outcome.generations[Self.text(packet.time.nanoseconds)] = generation
            count += 1
            if count % packetsPerBatch == packetsPerBatch / 2 {
                routes.publish(RouteTables(try Self.table(generation + 1)), at: 0)
            }
            guard count % packetsPerBatch == 0 else { continue }
            pipeline.batchEnded()
            generation += 1
            if boards.figures.pendingExchanges > 0 { outcome.changesInFlight += 1 }
        }
        pipeline.captureEnded()
        outcome.records = try collector.lines.map { try JSONDecoder().decode(ExchangeRecord.self, from: $0) }
        for summary in registry.routeSummaries() where summary.requestCount > 0 {
            outcome.counted["default/\(summary.labels.virtualService)"] = summary.requestCount
        }
        return outcome
    }

    /// A table whose one route, which takes everything, has the table's number in its name.
    private static func table(_ generation: Int) throws -> RouteTable {
        try RouteTable.onPort8080(yaml: OneGateway.manifest(with: "table-\(generation)"))
    }

    private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../samples").standardizedFileURL

    /// A time as records have it.
    private static func text(_ nanoseconds: Int64) -> String {
        let seconds = Date(timeIntervalSince1970: TimeInterval(nanoseconds / 1_000_000_000))
        let micros = String(nanoseconds % 1_000_000_000 / 1000)
        let whole = seconds.formatted(.iso8601).dropLast()
        return "\(whole).\(String(repeating: "0", count: 6 - micros.count))\(micros)Z"
    }
}
