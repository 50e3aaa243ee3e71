// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import RouteAttribution
import TLSDecryption
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// From a capture with its key log to records: TLS is a stage that the others do not notice.
@Suite struct DecryptionTests {
    private static let fixtures = Repository.path + "/Tests/TLSDecryptionTests/Fixtures/"

    private static func read(
        _ name: String,
        withKeys: Bool = true
    ) throws -> (records: [String], figures: PipelineFigures, registry: MetricsRegistry) {
        let keys = KeyStore(isExpected: withKeys)
        if withKeys { keys.take(keyLog: Array(try Data(contentsOf: URL(filePath: fixtures + name + ".pcap.keys")))) }
        let registry = MetricsRegistry()
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        let boards = WorkerBoards(registry)
        let table = RouteTable.compile(RouteResources(), environment: RouteEnvironment()).table
        var pipeline = TrafficPipeline(
            routes: RouteBoard(RouteTables(table), registry: registry, at: 0),
            board: boards.sole,
            keys: keys,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: fixtures + name + ".pcap", secrets: { keys.take(keyLog: $0) })
        while let packet = try savefile.next() {
            pipeline.packetArrived(packet, octets: savefile.octets)
        }
        pipeline.captureEnded()
        return (collector.lines.map { String(decoding: $0, as: UTF8.self) }, boards.figures, registry)
    }

    @Test func `requests inside TLS are recorded with version, cipher and scheme`() throws {
        let records = try Self.read("lab-tls13-h1-tls_aes_128_gcm_sha256").records
        #expect(records.count == 2)
        for record in records {
            #expect(record.contains(#""protocol":"HTTP/1.1""#))
            #expect(record.contains(#""tls":{"version":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256","sni":"#))
            #expect(record.contains(#""scheme":"https""#))
            #expect(record.contains(#""integrity":[]"#))
        }
    }

    @Test func `HTTP/2 inside TLS is told by its preface`() throws {
        let records = try Self.read("lab-tls13-h2-tls_aes_256_gcm_sha384").records
        #expect(records.count == 2)
        #expect(records.allSatisfy { $0.contains(#""protocol":"HTTP/2""#) && $0.contains(#""alpn":"h2""#) })
    }

    @Test func `without keys nothing is recorded, and the reason is counted`() throws {
        let (records, figures, registry) = try Self.read("lab-tls12-h1-ecdhe-rsa-aes128-gcm-sha256", withKeys: false)
        #expect(records.isEmpty)
        #expect(figures.tls.connections == 1 && figures.tls.decryptedConnections == 0)
        #expect(registry.opaqueSummaries().map(\.reason) == [.tls])
    }
}
