// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

@testable import TLSDecryption

/// From a capture with its key log to records: TLS is a stage that the others do not notice.
@Suite struct DecryptionTests {
    private static let fixtures = Repository.path + "/Tests/TLSDecryptionTests/Fixtures/"

    private static func read(
        _ name: String,
        withKeys: Bool = true,
        without label: String? = nil,
        limits: PipelineLimits = PipelineLimits(),
        options: RecordOptions = RecordOptions()
    ) throws -> (records: [String], figures: PipelineFigures, registry: MetricsRegistry) {
        let keys = KeyStore(isExpected: withKeys)
        if withKeys {
            let log = String(
                decoding: try Data(contentsOf: URL(filePath: fixtures + name + ".pcap.keys")),
                as: UTF8.self
            )
            let lines = log.split(separator: "\n").filter { label.map($0.hasPrefix) != true }
            keys.take(keyLog: Array((lines.joined(separator: "\n") + "\n").utf8))
        }
        let registry = MetricsRegistry()
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        outputs.records = options
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(
            withoutRoutes: registry,
            boards: boards,
            limits: limits,
            keys: keys,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: fixtures + name + ".pcap", secrets: { keys.take(keyLog: $0) })
        try pipeline.read(&savefile)
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

    private static let secured = ["lab-tls13-h1-tls_aes_128_gcm_sha256", "lab-tls13-h2-tls_aes_256_gcm_sha384"]

    @Test(arguments: secured)
    func `a request whose answer cannot be decrypted is not one without an answer`(name: String) throws {
        let (records, _, registry) = try Self.read(name, without: "SERVER_TRAFFIC_SECRET_0")
        #expect(records.count == 2)
        for record in records {
            #expect(record.contains(#""response":null"#) && record.contains("response_gap"))
            #expect(!record.contains(#""errorType""#))
        }
        let opaque = registry.opaqueSummaries()
        #expect(opaque.map(\.reason) == [.tlsNoKey] && opaque.first?.connectionCount == 1)
        #expect(opaque.first.map { $0.octetCount > 100 } == true)
        let requests = TextExposition.samples(of: registry, "wingmirror_http_requests_total")
        #expect(requests.allSatisfy { $0.contains(#"response_code="unknown",error_type="""#) })
    }

    @Test(arguments: secured)
    func `an answer whose request cannot be decrypted is recorded by itself`(name: String) throws {
        let (records, _, registry) = try Self.read(name, without: "CLIENT_TRAFFIC_SECRET_0")
        #expect(records.count == 2)
        for record in records {
            #expect(record.contains(#""request":null"#) && record.contains("request_gap"))
            #expect(record.contains(#""status":200"#))
        }
        #expect(registry.opaqueSummaries().map(\.reason) == [.tlsNoKey])
    }

    @Test func `a fatal alert in the middle of a response is the server's, whoever closes first`() throws {
        let records = try Self.read("made-tls13-fatal-alert").records
        #expect(records.count == 1)
        #expect(records.first?.contains(#""errorType":"incomplete_response""#) == true)
    }

    @Test func `requests that a second handshake hides are not ones without an answer`() throws {
        let (records, _, registry) = try Self.read("lab-tls12-renegotiation")
        #expect(records.count == 1)
        #expect(registry.opaqueSummaries().map(\.reason) == [.tlsLost])
    }

    @Test func `without keys nothing is recorded, and the reason is counted`() throws {
        let (records, figures, registry) = try Self.read("lab-tls12-h1-ecdhe-rsa-aes128-gcm-sha256", withKeys: false)
        #expect(records.isEmpty)
        #expect(figures.tls.connections == 1 && figures.tls.decryptedConnections == 0)
        #expect(registry.opaqueSummaries().map(\.reason) == [.tls])
    }

    /// Frames and records of many sizes against each other, with TLS 1.2 and 1.3, AES-GCM and ChaCha20-Poly1305.
    private static let contents = [
        "made-tls12-h2-content-gcm", "made-tls12-h2-content-chacha", "made-tls13-h2-content-gcm",
        "made-tls13-h2-content-chacha",
    ]

    /// Reads a capture with all records opened, and with as many passed over as can be, and expects that nothing else differs.
    private static func readBothWays(_ name: String) throws -> (records: [String], passed: Int) {
        var limits = PipelineLimits()
        limits.tls.leastSkippedOctets = .max
        let opened = try read(name, limits: limits)
        limits.tls.leastSkippedOctets = 0
        let passed = try read(name, limits: limits)
        #expect(opened.figures.tls.skippedRecords == 0)
        #expect(
            passed.figures.tls.openedRecords + passed.figures.tls.skippedRecords == opened.figures.tls.openedRecords
        )
        #expect(passed.figures.tls.failedRecords == 0)
        #expect(passed.records == opened.records)
        #expect(passed.figures.http == opened.figures.http)
        for family in ["wingmirror_http_requests_total", "wingmirror_http_response_body_size_bytes_sum"] {
            #expect(
                TextExposition.samples(of: passed.registry, family)
                    == TextExposition.samples(of: opened.registry, family)
            )
        }
        return (passed.records, passed.figures.tls.skippedRecords)
    }

    @Test(arguments: contents)
    func `records of HTTP/2 content are passed over, and nothing that is recorded or counted changes`(
        name: String
    ) throws {
        let (records, passed) = try Self.readBothWays(name)
        // Of some 150; those with a frame of another kind or stream, or the last of a message, are opened.
        #expect(passed > 80)
        let octets = [("/announced", 3000), ("/open", 3000), ("/upload", 2000), ("/upload", 700), ("/left", 961)]
        for (path, count) in octets {
            let record = try #require(records.first { $0.contains("\"\(path)\"") })
            #expect(record.contains("\"contentBytes\":\(count),"), "\(path)")
        }
    }

    @Test func `records of chunked content are passed over, and nothing that is recorded or counted changes`() throws {
        let (records, passed) = try Self.readBothWays("made-tls13-h1-content-gcm")
        // Of some 95; those with the last of a message, an extension, or what a connection's end ends are opened.
        #expect(passed > 45)
        for (path, count) in [("/chunked", 3000), ("/lines", 1100), ("/upload", 2000), ("/close", 900)] {
            let record = try #require(records.first { $0.contains("\"\(path)\"") })
            #expect(record.contains("\"contentBytes\":\(count),"), "\(path)")
        }
    }

    @Test func `HTTP/2 content that records shall bear is not passed over`() throws {
        var limits = PipelineLimits()
        limits.tls.leastSkippedOctets = 0
        let name = "made-tls13-h2-content-gcm"
        let figures = try Self.read(name, limits: limits, options: RecordOptions(contentOctets: 1 << 20)).figures
        #expect(figures.tls.skippedRecords == 0 && figures.tls.openedRecords > 100)
    }
}
