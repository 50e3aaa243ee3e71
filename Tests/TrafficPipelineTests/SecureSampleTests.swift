// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import ResourceFiles
import RouteAttribution
import TLSDecryption
import TestSupport
import Testing

@testable import TrafficMetrics
@testable import TrafficPipeline

/// The second sample: what is counted of a recording of TLS, HTTP/2, gRPC and WebSocket, and what the gateway's log says.
@Suite struct SecureSampleTests {
    private struct Truth: Decodable {
        struct Route: Decodable {
            let virtualService: String
            let requests: Int
            let statuses: [String: Int]
            let grpcStatuses: [String: Int]
            let flags: [String: Int]
        }

        let exchanges: Int
        let routes: [Route]
    }

    private static let samples = URL(filePath: Repository.path).appending(path: "samples")

    private static func read() throws -> (snapshot: MetricsSnapshot, figures: PipelineFigures) {
        let objects = try ResourceFileLoader().survey([samples.appending(path: "istio-secure").path]).objects
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 8443, server: 443)]
        let table = RouteTable.compile(RouteResources(decoding: objects.map(\.value)), environment: environment).table
        let keys = KeyStore(isExpected: true)
        keys.take(keyLog: Array(try Data(contentsOf: samples.appending(path: "captures/secure.keys"))))
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(
            routes: RouteBoard(RouteTables(table), registry: registry, at: 0),
            board: boards.sole,
            keys: keys
        )
        var savefile = try SavefileReader(path: samples.appending(path: "captures/secure.pcap").path)
        try pipeline.read(&savefile)
        return (registry.snapshot(at: 0), boards.figures)
    }

    @Test func `each route has the requests and the statuses of the gateway's own account`() throws {
        let file = Self.samples.appending(path: "captures/secure.truth.json")
        let truth = try JSONDecoder().decode(Truth.self, from: try Data(contentsOf: file))
        let (snapshot, figures) = try Self.read()
        #expect(figures.tls.decryptedConnections == figures.tls.connections)
        var statuses: [String: [String: Int]] = [:]
        var calls: [String: [String: Int]] = [:]
        var unmatched = 0
        for (family, label) in [
            (MetricCatalogue.httpRequests, "response_code"), (MetricCatalogue.grpcResponses, "grpc_response_status"),
            (MetricCatalogue.httpRequestsUnmatched, "reason"),
        ] {
            for series in snapshot[family]?.series ?? [] {
                let count: Int
                switch series.value {
                case .count(let value): count = Int(value)
                case .number(let value): count = Int(value)
                case .histogram: continue
                }
                guard count > 0 else { continue }
                let labels = (series.shared.labels + series.own.labels).reduce(into: [:]) { $0[$1.name] = $1.value }
                let object = "\(labels["virtualservice_namespace"] ?? "")/\(labels["virtualservice"] ?? "")"
                switch label {
                case "response_code": statuses[object, default: [:]][labels[label] ?? "", default: 0] += count
                case "reason": unmatched += count
                default: calls[object, default: [:]][labels[label] ?? "", default: 0] += count
                }
            }
        }
        for route in truth.routes {
            guard route.virtualService != "none" else {
                #expect(unmatched == route.requests)
                continue
            }
            #expect(statuses[route.virtualService] == route.statuses, "\(route.virtualService)")
            // What its client gave up has no status on the wire; the log says UNKNOWN.
            var said = route.grpcStatuses
            said["2", default: 0] -= route.flags["DR"] ?? 0
            #expect(calls[route.virtualService] ?? [:] == said.filter { $0.value > 0 }, "\(route.virtualService)")
        }
        let counted = statuses.values.flatMap(\.values).reduce(0, +) + unmatched
        #expect(counted == truth.exchanges)
    }
}
