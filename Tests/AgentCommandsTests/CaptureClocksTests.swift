// Wingmirror · Apache-2.0

import ArgumentParser
import FoundationEssentials
import HTTPReconstruction
import JSONSyntax
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import TCPReassembly
@testable import TrafficPipeline

/// What `read` says of clocks.
@Suite struct CaptureClocksTests {
    private static let capture = "\(Repository.path)/samples/captures/ingress.pcap"

    /// The packets of the sample capture in a pcapng file, without their times.
    private static func timelessCapture() throws -> [UInt8] {
        let sample = [UInt8](try Data(contentsOf: URL(filePath: capture)))
        func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        func number(at index: Int) -> Int { (0..<4).reduce(0) { $0 | Int(sample[index + $1]) << ($1 * 8) } }
        func block(_ type: Int, _ body: [UInt8]) -> [UInt8] {
            let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
            return word(type) + word(padded.count + 12) + padded + word(padded.count + 12)
        }
        let section = word(0x1A2B_3C4D) + [1, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8)
        var file = block(0x0A0D_0D0A, section) + block(1, word(number(at: 20)) + word(0))
        var index = 24
        while index + 16 <= sample.count {
            let captured = number(at: index + 8)
            file += block(3, word(captured) + sample[index + 16..<index + 16 + captured])
            index += 16 + captured
        }
        return file
    }

    @Test func `packets that have no time give no durations, and are counted`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/timeless.pcapng"
        try Data(try Self.timelessCapture()).write(to: URL(filePath: path))
        let arguments = ["read", path, "--output", "ndjson", "--routes", "\(Repository.path)/samples/istio"]
        let plan = try ReadPlan(try #require(try Wingmirror.parseAsRoot(arguments) as? ReadCommand))
        let records = RecordFile(try OctetOutput.open("\(folder.path)/records"))
        let analysis = try plan.analyse(writingTo: records)
        try records.finish()
        let lines = try folder.text(of: "records").split(separator: "\n")
        #expect(lines.count == 508)
        for line in lines {
            let record = try JSONDocument.parse(Array(line.utf8))
            let marks = record["integrity"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(marks.contains("clock_unreliable"), "\(line.prefix(200))")
            #expect(record["timing"]?["durationSeconds"]?.numberValue == nil, "\(line.prefix(200))")
        }
        #expect(analysis.figures.http.unreliableClocks == 508)
        #expect(analysis.figures.packetsWithoutTime > 508)
        let sentence = CaptureClocks(analysis.figures, files: [path]).sentences
        #expect(sentence.count == 1)
        #expect(sentence.first?.hasSuffix("have no durations (clock_unreliable)") == true)
    }

    @Test func `connections that were captured twice are named`() {
        var figures = PipelineFigures()
        figures.reassembly.repeatedConnections = 7
        let sentences = CaptureClocks(figures, files: ["a.pcap", "b.pcap"]).sentences
        #expect(sentences.count == 1)
        #expect(sentences.first?.hasPrefix("7 connections were captured twice") == true)
    }

    @Test func `clocks of one file, or of files, that differ are named`() {
        var figures = PipelineFigures()
        var offset = InterfaceClockOffset(first: 0, second: 1)
        offset.lowest = 299_000_000
        offset.highest = 301_000_000
        offset.handshakes = 7
        figures.reassembly.clockOffsets = [offset]
        #expect(
            CaptureClocks(figures, files: ["a.pcap", "b.pcap"]).sentences == [
                "the clock of b.pcap is 300 ms ahead of that of a.pcap, by 7 handshakes: connections that pass by both have no "
                    + "durations (clock_unreliable)"
            ]
        )
        #expect(
            CaptureClocks(figures, files: ["a.pcapng"]).sentences.first?.hasPrefix(
                "the clock of interface 1 of a.pcapng is 300 ms ahead of that of interface 0 of a.pcapng"
            ) == true
        )
        figures.reassembly.clockOffsets[0].highest = 0
        #expect(CaptureClocks(figures, files: ["a.pcap", "b.pcap"]).sentences.isEmpty)
        figures.reassembly.lateOctets = 2_048
        figures.reassembly.lateness = 400_000_000
        #expect(
            CaptureClocks(figures, files: ["a.pcap", "b.pcap"]).sentences == [
                "packets of one interface are up to 400 ms later than those of another that answer them, as when two clocks differ: "
                    + "the first requests and responses may not be matched; 2.05 kB came too late and are left out"
            ]
        )
    }
}
