// Wingmirror · Apache-2.0

import Foundation
import HTTPReconstruction
import PacketCapture
import PacketDecoding
import ResourceFiles
import RouteAttribution
import TCPReassembly
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

@testable import Agent
@testable import TLSDecryption

/// The closed lists of label values on the page Metrics, held against captures: each value can occur, and no other does.
@Suite struct LabelReachTests {
    /// A closed list of values of a label.
    struct ClosedList: Sendable, CustomTestStringConvertible {
        let family: MetricFamily
        let label: String
        let values: [String]

        var testDescription: String { "\(label) of \(family.name)" }
    }

    // MARK: - Lists

    /// All that traffic leads to; what stands for several at the series limit is in `SeriesOverflowTests`.
    static let lists: [ClosedList] = [
        ClosedList(
            family: MetricCatalogue.httpRequests,
            label: "request_method",
            values: RequestMethodLabel.allCases.map(\.text).filter { $0 != "__overflow__" }
        ),
        ClosedList(
            family: MetricCatalogue.httpRequests,
            label: "error_type",
            values: ErrorTypeLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.httpRequestDuration,
            label: "response_code_class",
            values: ResponseCodeClass.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.httpRequestsUnmatched,
            label: "reason",
            values: UnmatchedReason.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.httpRequestsPartlySeen,
            label: "reason",
            values: PartlySeenReason.allCases.map(\.text)
        ),
        ClosedList(family: MetricCatalogue.httpStreams, label: "kind", values: StreamKindLabel.allCases.map(\.text)),
        ClosedList(
            family: MetricCatalogue.httpUnpairedMessages,
            label: "kind",
            values: UnpairedMessageKind.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.connectionsOpened,
            label: "protocol",
            values: ConnectionProtocolLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.connectionsClosed,
            label: "reason",
            values: ConnectionCloseReason.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.opaqueConnections,
            label: "reason",
            values: OpaqueReason.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.flowConnectionsClosed,
            label: "reason",
            values: ConnectionEnd.allCases.map(\.label)
        ),
        ClosedList(
            family: MetricCatalogue.flowEvictions,
            label: "reason",
            values: EvictionReason.allCases.map(\.label)
        ),
        ClosedList(
            family: MetricCatalogue.halfOpenConnectionsEnded,
            label: "reason",
            values: HalfOpenEndLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.fragmentedDatagrams,
            label: "outcome",
            values: FragmentOutcomeLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.reassemblyLimitsMet,
            label: "limit",
            values: ReassemblyLimit.allCases.map(\.label)
        ),
        ClosedList(
            family: MetricCatalogue.reassemblyIgnoredSegments,
            label: "reason",
            values: IgnoredSegmentLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.reassemblyGaps,
            label: "reason",
            values: MissingReason.allCases.map(\.label)
        ),
        ClosedList(
            family: MetricCatalogue.reassemblyRecoveries,
            label: "kind",
            values: RecoveryLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.reassemblyChecksumErrors,
            label: "outcome",
            values: ChecksumErrorLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.proxyHeaders,
            label: "outcome",
            values: ProxyHeaderLabel.allCases.map(\.text)
        ),
        ClosedList(
            family: MetricCatalogue.httpParseErrors,
            label: "reason",
            values: ParseFailure.allCases.map(\.label)
        ),
        ClosedList(
            family: MetricCatalogue.httpShed,
            label: "part",
            values: ["head", "exchange", "message", "content"]
        ),
        ClosedList(family: MetricCatalogue.decodeErrors, label: "layer", values: ProtocolLayer.allCases.map(\.label)),
        ClosedList(
            family: MetricCatalogue.decodeErrors,
            label: "reason",
            values: DecodeFailure.Reason.allCases.map(\.label)
        ),
        ClosedList(
            family: MetricCatalogue.decodePacketsWithoutTCP,
            label: "reason",
            values: IgnoredReason.allCases.map(\.label)
        ),
        ClosedList(family: MetricCatalogue.tlsRecords, label: "result", values: ["opened", "skipped", "failed"]),
    ]

    /// What the tests of memory limits and of gRPC reach.
    private static let elsewhere: Set = ["memory", "tls_memory", "grpc_error"]

    @Test(arguments: LabelReachTests.lists)
    func `each value that is documented occurs, and no other does`(_ list: ClosedList) throws {
        let reached = try Self.reached.get()[Place(list.family, list.label)] ?? []
        #expect(Set(list.values).subtracting(reached).subtracting(Self.elsewhere) == [])
        #expect(reached.subtracting(list.values + ["__overflow__"]) == [])
    }

    /// Objects that lead to each finding are in the tests of the checks; what is found of the gateway's addresses, in
    /// `GatewayAddressingTests`.
    @Test func `each code of a finding that is documented is one that some check gives`() throws {
        let sources = Repository.path + "/Sources"
        let files = FileManager.default.enumerator(atPath: sources)?.compactMap { $0 as? String } ?? []
        let checks = try files.filter { $0.hasSuffix(".swift") && !$0.hasSuffix("/FindingCode.swift") }
            .map { try String(contentsOfFile: sources + "/" + $0, encoding: .utf8) }
        for code in FindingCode.allCases {
            #expect(checks.contains { $0.contains(".\(code)") }, "\(code.rawValue)")
        }
    }

    // MARK: - Captures

    /// A label of a family.
    private struct Place: Hashable {
        let family: String
        let label: String

        init(_ family: MetricFamily, _ label: String) {
            self.family = family.name
            self.label = label
        }
    }

    /// A capture, and how it is read.
    private struct Reading {
        var path: String
        var limits = PipelineLimits()
        var keys: KeyStore?
        /// Packets that the capture lacks.
        var lost: Range<Int> = 0..<0
        /// Packets whose last octet is another.
        var spoiled: PartialRangeFrom<Int> = .max...
        var hasRoutes = true
        /// Whether messages are kept, as records with content need it.
        var keepsContent = false

        init(_ path: String) {
            self.path = Repository.path + "/Tests/" + path
        }
    }

    /// The values that the captures lead to, by label.
    private static let reached = Result { () throws -> [Place: Set<String>] in
        var values: [Place: Set<String>] = [:]
        for reading in try readings() {
            for family in try snapshot(of: reading).families {
                for series in family.series where series.isPositive {
                    for label in series.shared.labels + series.own.labels {
                        values[Place(family.family, label.name), default: []].insert(label.value)
                    }
                }
            }
        }
        return values
    }

    private static func readings() throws -> [Reading] {
        var readings = [
            "methods", "statuses", "broken-off", "unmatched", "lossy", "truncated", "unreadable", "http2",
            "connections",
            "fragments", "cut-short", "wireless", "unknown-link",
        ].map { Reading("AgentTests/Fixtures/reach/\($0).pcap") }
        readings.append(Reading("TCPReassemblyTests/Fixtures/reused-ports-handshake-unseen.pcap"))
        readings.append(Reading("AgentTests/Fixtures/reach/methods.pcap"))
        readings[readings.count - 1].hasRoutes = false
        readings += withLimits()
        var handshakes = Reading("AgentTests/Fixtures/reach/unreadable.pcap")
        handshakes.keys = KeyStore(isExpected: true)
        readings.append(handshakes)
        // gRPC and WebSockets within TLS.
        var secure = Reading("../samples/captures/secure.pcap")
        let log = Repository.path + "/samples/captures/secure.keys"
        secure.keys = store(try String(contentsOfFile: log, encoding: .utf8))
        readings.append(secure)
        // The hello of a WebSocket's client is lost, with the name that would tell which server it asked.
        secure.lost = 163..<164
        readings.append(secure)
        return try readings + encrypted()
    }

    /// Captures in which limits are met.
    private static func withLimits() -> [Reading] {
        var crowded = Reading("AgentTests/Fixtures/reach/crowded.pcap")
        crowded.limits.reassembly.connections = 16
        crowded.limits.reassembly.halfOpenConnections = 8
        var forgotten = Reading("AgentTests/Fixtures/reach/forgotten.pcap")
        forgotten.limits.reassembly.connections = 16
        var held = Reading("AgentTests/Fixtures/reach/held.pcap")
        held.limits.reassembly.bufferedOctetsPerConnection = 8 << 10
        var few = held
        few.limits.reassembly.bufferedOctetsPerConnection = 32 << 10
        few.limits.reassembly.bufferedOctets = 64 << 10
        var waiting = held
        waiting.limits.reassembly.bufferedOctetsPerConnection = 32 << 10
        waiting.limits.reassembly.waitingConnections = 2
        waiting.limits.reassembly.lingeringConnections = 2
        var fragments = Reading("AgentTests/Fixtures/reach/fragments.pcap")
        fragments.limits.decoding.fragmentedDatagrams = 2
        // Clients that pipeline.
        var exchanges = Reading("TrafficPipelineTests/Fixtures/labs/seed.pcap.gz")
        exchanges.limits.http.openExchanges = 1
        var heads = Reading("AgentTests/Fixtures/reach/half-heads.pcap")
        heads.limits.http.heldOctets = 4 << 10
        var kept = crowded
        kept.limits = PipelineLimits()
        kept.limits.http.retainedOctets = 3_000
        kept.keepsContent = true
        var contents = kept
        contents.path = Reading("TrafficPipelineTests/Fixtures/labs/seed.pcap.gz").path
        return [crowded, forgotten, held, few, waiting, fragments, exchanges, heads, kept, contents]
    }

    /// TLS, with its keys, with wrong ones, with none, and with holes.
    private static func encrypted() throws -> [Reading] {
        let names = ["lab-tls13-h1-tls_aes_128_gcm_sha256", "lab-tls12-h1-ecdhe-rsa-aes128-gcm-sha256"]
        return try names.flatMap { name in
            let path = "TLSDecryptionTests/Fixtures/\(name).pcap"
            let log = try String(contentsOfFile: Repository.path + "/Tests/\(path).keys", encoding: .utf8)
            var readings = [Reading](repeating: Reading(path), count: 7)
            readings[0].keys = store(log)
            readings[1].keys = store(wrong(log))
            readings[2].keys = KeyStore(isExpected: true)
            readings[4].keys = store(log)
            readings[4].lost = 0..<8
            readings[5].keys = store(log)
            readings[5].lost = 4..<6
            readings[6].keys = store(log)
            readings[6].limits.tls.failures = 0
            readings[6].spoiled = 10...
            return readings
        }
    }

    private static func store(_ log: String) -> KeyStore {
        let keys = KeyStore(isExpected: true)
        keys.take(keyLog: Array(log.utf8))
        return keys
    }

    /// A key log with another secret in each line.
    private static func wrong(_ log: String) -> String {
        log.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            guard words.count == 3 else { return String(line) }
            return "\(words[0]) \(words[1]) \(String(repeating: "a5", count: words[2].count / 2))"
        }.joined(separator: "\n") + "\n"
    }

    // MARK: - Reading

    private static func snapshot(of reading: Reading) throws -> MetricsSnapshot {
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        registry.add(
            PipelineCollector(boards: boards, sources: { [reading.path] }, limits: reading.limits.reassembly)
        )
        registry.add(TLSCollector(boards: boards))
        var outputs = PipelineOutputs()
        if reading.keepsContent {
            outputs.records = RecordOptions(contentOctets: 1 << 20)
            outputs.recordOutput = { _ in }
        }
        var pipeline = TrafficPipeline(
            limits: reading.limits,
            routes: RouteBoard(RouteTables(try routes(reading.hasRoutes)), registry: registry, at: 0),
            board: boards.sole,
            keys: reading.keys,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: reading.path)
        var number = 0
        while let packet = try savefile.next() {
            if reading.spoiled.contains(number) {
                let captured = savefile.octets
                var octets: [UInt8] = []
                for index in captured.indices { octets.append(captured[index]) }
                octets[octets.count - 1] ^= 0xFF
                pipeline.packetArrived(packet, octets: octets.span)
            } else if !reading.lost.contains(number) {
                pipeline.packetArrived(packet, octets: savefile.octets)
            }
            number += 1
        }
        pipeline.captureEnded()
        return registry.snapshot(at: 0)
    }

    private static func routes(_ hasRoutes: Bool) throws -> RouteTable {
        var environment = RouteEnvironment()
        environment.ports = [(8080, 80), (8081, 81), (8443, 443)].map { GatewayPort(pod: $0, server: $1) }
        let files = Repository.path + "/Tests/AgentTests/Fixtures/reach/routes.yaml"
        let objects = hasRoutes ? try ResourceFileLoader().survey([files]).objects.map(\.value) : []
        return RouteTable.compile(RouteResources(decoding: objects), environment: environment).table
    }
}

extension MetricsSnapshot.Series {
    /// Whether anything was counted.
    fileprivate var isPositive: Bool {
        switch value {
        case .count(let count): count > 0
        case .number(let number): number > 0
        case .histogram(let histogram): histogram.count > 0
        }
    }
}
