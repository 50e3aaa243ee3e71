// Wingmirror · Apache-2.0

import Foundation
import HTTPReconstruction
import JSONSyntax
import PacketCapture
import Recordings
import Synchronization
import TCPReassembly
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// Situations that people were in, as captures (`Fixtures/cases`), read to what is recorded of them.
@Suite struct RecordCaseTests {
    /// What was recorded of a capture.
    private struct Recording {
        var lines: [UInt8]
        var exchanges: [RecordedExchange]
        var figures: PipelineFigures
        /// Requests that were seen and not kept.
        var leftOut: Int
    }

    private final class Tally: Sendable {
        let count = Atomic(0)
    }

    private static func record(_ name: String, limits: PipelineLimits = PipelineLimits()) throws -> Recording {
        let registry = MetricsRegistry()
        let collector = LineCollector()
        let exchanges = ExchangeCollector()
        var outputs = PipelineOutputs()
        outputs.records = RecordOptions(includesFields: true, contentOctets: 1 << 20)
        outputs.recordOutput = { collector.append($0) }
        let tally = Tally()
        outputs.exchanges = ExchangeOutput(
            contentOctets: 1 << 20,
            take: { exchanges.append($0) },
            leaveOut: { _ in tally.count.add(1, ordering: .relaxed) }
        )
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(withoutRoutes: registry, boards: boards, limits: limits, outputs: outputs)
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        var savefile = try SavefileReader(path: folder.appending(path: "Fixtures/cases/\(name).pcap").path)
        try pipeline.read(&savefile)
        return Recording(
            lines: Array(collector.lines.joined(separator: [0x0A])),
            exchanges: exchanges.all,
            figures: boards.figures,
            leftOut: tally.count.load(ordering: .relaxed)
        )
    }

    @Test func `no recording lacks requests that were not kept without counting them`() throws {
        let whole = try Self.record("ndjson-octets-lost")
        #expect(whole.exchanges.count > 0 && whole.leftOut == 0)
        var limits = PipelineLimits()
        limits.http.retainedOctets = 1
        let short = try Self.record("ndjson-octets-lost", limits: limits)
        #expect(short.exchanges.isEmpty && short.leftOut == whole.exchanges.count)
    }

    @Test func `octets that are no UTF-8 survive in records, and different ones stay different`() throws {
        let recording = try Self.record("ndjson-octets-lost")
        #expect(String(validating: recording.lines, as: UTF8.self) != nil)
        var reader = NDJSONRecordReader()
        reader.append(recording.lines)
        reader.finish()
        let read = reader.takeExchanges()
        #expect(reader.losses.isEmpty)
        #expect(read.map(\.request) == recording.exchanges.map(\.request))
        let beginning = Array("/products/caf".utf8)
        #expect(read.map(\.request.target) == [beginning + [0xE9], beginning + [0xEA]])
        #expect(read.map { $0.request.message.values(of: "x-name").first?.contains { $0 >= 0x80 } } == [true, true])
    }

    @Test func `an archive names the server where there is no Host, IPv6 in brackets, and nothing for the asterisk`()
        throws
    {
        var writer = HARWriter(
            creatorVersion: "0",
            key: RecordingKey(secret: "k"),
            redaction: RecordingRedaction(fields: [], replacement: .keyedHash),
            decoder: nil
        )
        for exchange in try Self.record("har-url").exchanges { writer.append(exchange) }
        let archive = try JSONDocument.parse(writer.finish())
        guard case .array(let entries)? = archive["log"]?["entries"] else {
            Issue.record("no entries")
            return
        }
        #expect(
            entries.map { $0["request"]?["url"] } == [
                "http://198.51.100.20:8080/health", "http://shop.example.com", "http://[2001:db8::5]:8080/health",
            ]
        )
    }

    @Test func `messages that no limit had room for were seen all the same`() throws {
        var limits = PipelineLimits()
        limits.http.retainedOctets = 1
        let lines = { (recording: Recording) in
            String(decoding: recording.lines, as: UTF8.self).split(separator: "\n")
        }
        let kept = lines(try Self.record("har-url"))
        let seen = lines(try Self.record("har-url", limits: limits))
        #expect(seen.count == kept.count)
        for part in [#""request":null"#, #""response":null"#] {
            #expect(seen.count { $0.contains(part) } == kept.count { $0.contains(part) })
        }
        #expect(seen.allSatisfy { $0.contains(#""method":null,"target":null"#) })
    }

    @Test func `a connection that is used every ten minutes keeps its requests`() throws {
        let recording = try Self.record("idle-keepalive-10min")
        #expect(recording.exchanges.count == 4)
        #expect(recording.exchanges.allSatisfy { $0.integrity == [] && $0.response != nil })
        #expect(recording.figures.reassembly.connectionsOpened == 1)
    }
}

/// Takes the exchanges of a pipeline.
private final class ExchangeCollector: Sendable {
    private let exchanges = Mutex<[RecordedExchange]>([])

    func append(_ exchange: RecordedExchange) {
        exchanges.withLock { $0.append(exchange) }
    }

    var all: [RecordedExchange] {
        exchanges.withLock { $0 }
    }
}
