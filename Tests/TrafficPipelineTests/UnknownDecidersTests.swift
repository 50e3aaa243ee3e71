// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import ResourceFiles
import RouteAttribution
import TLSDecryption
import TestSupport
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// The second sample without packets that say whose rules were asked: everything else is read, and a route is named only where
/// it is the right one.
@Suite struct UnknownDecidersTests {
    private struct Record: Decodable {
        struct Message: Decodable {
            var target: String?
            var authority: String?
            var status: Int?
        }

        struct Session: Decodable {
            var sni: String?
        }

        struct Route: Decodable, Equatable {
            var object: String?
            var outcome: String?
            var rule: Int?
        }

        var connection: Int
        var stream: Int?
        var exchange: Int
        var request: Message?
        var response: Message?
        var tls: Session?
        var integrity: [String]
        var route: Route?

        /// What names the exchange.
        var key: String { "\(connection) \(stream ?? exchange)" }
    }

    private static let samples = URL(filePath: Repository.path).appending(path: "samples")

    /// Reads the sample: `hosts` is what the servers behind TLS are for, `isLost` which packets, by number, are left out.
    private static func read(
        hosts: [String],
        isLost: (Int, Span<UInt8>) -> Bool = { _, _ in false }
    ) throws -> (records: [Record], snapshot: MetricsSnapshot, figures: PipelineFigures) {
        let files = try FileManager.default.contentsOfDirectory(atPath: samples.appending(path: "istio-secure").path)
        var objects = try ResourceFileLoader().survey(
            files.filter { $0 != "gateway.yaml" }.sorted().map { samples.appending(path: "istio-secure/\($0)").path }
        ).objects.map(\.value)
        let servers = hosts.enumerated().map { number, host in
            "{port: {number: 443, name: s\(number), protocol: HTTPS}, hosts: ['\(host)'], "
                + "tls: {mode: SIMPLE, credentialName: s\(number)}}"
        }
        objects += try YAMLDocuments.parse(
            """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: secure-gateway, namespace: default}
            spec: {selector: {istio: ingressgateway}, servers: [\(servers.joined(separator: ", "))]}
            """
        ).map(\.value)
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 8443, server: 443)]
        let table = RouteTable.compile(RouteResources(decoding: objects), environment: environment).table
        let keys = KeyStore(isExpected: true)
        keys.take(keyLog: Array(try Data(contentsOf: samples.appending(path: "captures/secure.keys"))))
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        let collector = LineCollector()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { collector.append($0) }
        var pipeline = TrafficPipeline(
            routes: RouteBoard(RouteTables(table), registry: registry, at: 0),
            board: boards.sole,
            keys: keys,
            outputs: outputs
        )
        var savefile = try SavefileReader(path: samples.appending(path: "captures/secure.pcap").path)
        var number = 0
        while let packet = try savefile.next() {
            number += 1
            if !isLost(number, savefile.octets) { pipeline.packetArrived(packet, octets: savefile.octets) }
        }
        pipeline.captureEnded()
        let records = try collector.lines.map { try JSONDecoder().decode(Record.self, from: Data($0)) }
        return (records, registry.snapshot(at: 0), boards.figures)
    }

    /// Whether a packet (Ethernet, IPv4, TCP) begins a handshake record with a client's hello.
    private static func isClientHello(_ packet: Span<UInt8>) -> Bool {
        guard packet.count > 54 else { return false }
        let start = 14 + Int(packet[14] & 15) * 4
        let content = start + Int(packet[start + 12] >> 4) * 4
        return packet.count > content + 5 && packet[content] == 22 && packet[content + 5] == 1
    }

    @Test func `the only server of a port needs no name`() throws {
        let whole = try Self.read(hosts: ["*"])
        let damaged = try Self.read(hosts: ["*"]) { Self.isClientHello($1) }
        #expect(damaged.figures.tls.decryptedConnections == whole.figures.tls.decryptedConnections)
        #expect(damaged.records.allSatisfy { $0.tls?.sni == nil })
        // Records are written as exchanges end, and those whose keys were searched for end later.
        let truths = Dictionary(uniqueKeysWithValues: whole.records.map { ($0.key, $0.route) })
        #expect(damaged.records.count == whole.records.count)
        #expect(damaged.records.allSatisfy { $0.route == truths[$0.key] })
        #expect(damaged.records.allSatisfy { !$0.integrity.contains("unknown_server_name") })
    }

    @Test func `of two servers, the answer of a service tells which one was asked`() throws {
        let hosts = ["shop.example.com", "other.example.com"]
        let whole = try Self.read(hosts: hosts)
        let damaged = try Self.read(hosts: hosts) { Self.isClientHello($1) }
        let truths = Dictionary(uniqueKeysWithValues: whole.records.map { ($0.key, $0) })
        #expect(damaged.records.count == whole.records.count)
        var (named, unnamed) = (0, 0)
        for record in damaged.records {
            let truth = try #require(truths[record.key])
            #expect(record.request?.target == truth.request?.target)
            #expect(record.response?.status == truth.response?.status)
            if let route = record.route {
                #expect(route == truth.route)
                #expect(!record.integrity.contains("unknown_server_name"))
                if route.rule != nil { named += 1 }
            } else {
                #expect(record.integrity.contains("unknown_server_name"))
                unnamed += 1
            }
        }
        // Of the rest, a WebSocket's acceptance and what Envoy answered to gRPC by itself bear no sign of a service.
        #expect(named > 250)
        #expect((1...20).contains(unnamed))
        let unmatched = try #require(damaged.snapshot[MetricCatalogue.httpRequestsUnmatched])
        let unknown = unmatched.series.reduce(0) { sum, series in
            guard case .count(let count) = series.value,
                (series.shared.labels + series.own.labels).contains(where: { $0.value == "unknown_server_name" })
            else { return sum }
            return sum + Int(count)
        }
        #expect(unknown == unnamed)
    }

    @Test func `requests whose authority refers to a lost one are counted for the only rule there may be`() throws {
        let whole = try Self.read(hosts: ["*"])
        // The first request of a connection of HTTP/2 that has 60.
        let damaged = try Self.read(hosts: ["*"]) { number, _ in number == 146 }
        let truths = Dictionary(uniqueKeysWithValues: whole.records.map { ($0.key, $0) })
        var named = 0
        for record in damaged.records where record.request?.target != nil && record.request?.authority == nil {
            let truth = try #require(truths[record.key])
            #expect(record.integrity.contains("unknown_field_block"))
            #expect(record.request?.target == truth.request?.target)
            #expect(record.route == truth.route)
            named += 1
        }
        #expect(named == 40)
    }
}
