// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import ResourceFiles
import RouteAttribution
import Testing

@testable import TrafficMetrics
@testable import TrafficPipeline

/// Recordings of a real Envoy, and what its access log says of them: whose fault it was.
@Suite struct LabTests {
    /// What the access log says of a VirtualService.
    struct Truth: Decodable, Equatable {
        var requests = 0
        /// Answers of 5xx, and answers that the server's side cut.
        var failures = 0
        /// Answers of 5xx that Envoy gave by itself.
        var gateway = 0
        /// Answers of 5xx that it passed on.
        var service = 0
        /// Requests that their clients left.
        var left = 0
    }

    private struct Lab: Decodable {
        let routes: [String: Truth]
    }

    @Test(arguments: ["canary", "seed"])
    func `errors are what Envoy holds against the server, and never what clients broke off`(_ lab: String) throws {
        let file = LabRun.folder.appending(path: "truth.json")
        let labs = try JSONDecoder().decode([String: Lab].self, from: try Data(contentsOf: file))
        let truth = try #require(labs[lab]).routes
        let run = try LabRun(lab)
        var found: [String: Truth] = [:]
        for series in try #require(run.snapshot[MetricCatalogue.httpRequests]).series {
            guard case .count(let count) = series.value else { continue }
            let error = series.label("error_type") ?? ""
            // Requests that Envoy never took are not in its log.
            guard error != "unprocessed" else { continue }
            let object = "\(series.label("virtualservice_namespace") ?? "")/\(series.label("virtualservice") ?? "")"
            let matcher = try Regex("5xx.*|grpc_error|no_response|incomplete_response")
            found[object, default: Truth()].requests += Int(count)
            if try matcher.wholeMatch(in: error) != nil { found[object, default: Truth()].failures += Int(count) }
            if error == "5xx_gateway" { found[object, default: Truth()].gateway += Int(count) }
            if error == "5xx_service" { found[object, default: Truth()].service += Int(count) }
            if error == "client_closed" { found[object, default: Truth()].left += Int(count) }
        }
        for (object, expected) in truth {
            #expect(found[object] == expected, "\(object)")
        }
        #expect(found.values.reduce(0) { $0 + $1.requests } == truth.values.reduce(0) { $0 + $1.requests })
    }
}

extension MetricsSnapshot.Series {
    /// The value of a label.
    fileprivate func label(_ name: String) -> String? {
        (shared.labels + own.labels).first { $0.name == name }?.value
    }
}

/// One recording, read through all stages.
struct LabRun {
    /// All families of metrics, as they are at the end.
    let snapshot: MetricsSnapshot
    /// What the stages counted.
    let figures: PipelineFigures

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/labs")

    init(_ lab: String) throws {
        let objects = try ResourceFileLoader().survey([Self.folder.appending(path: "\(lab).yaml").path]).objects
        var environment = RouteEnvironment()
        environment.ports = [GatewayPort(pod: 8080, server: 80), GatewayPort(pod: 8443, server: 443)]
        let table = RouteTable.compile(RouteResources(decoding: objects.map(\.value)), environment: environment).table
        try self.init(path: Self.folder.appending(path: "\(lab).pcap.gz").path, table)
    }

    init(path: String, _ table: RouteTable) throws {
        var savefile = try SavefileReader(path: path)
        self.init(table) { pipeline in
            do {
                while let packet = try savefile.next() {
                    pipeline.packetArrived(packet, octets: savefile.octets)
                }
            } catch {
                // What a damaged file gives up to there is what is read of it.
            }
        }
    }

    /// Sends Ethernet frames, a millisecond apart.
    init(frames: [[UInt8]], _ table: RouteTable) {
        self.init(table) { pipeline in
            for (index, frame) in frames.enumerated() {
                pipeline.packetArrived(.ethernet(frame, at: Int64(index + 1) * 1_000_000), octets: frame.span)
            }
        }
    }

    private init(_ table: RouteTable, _ send: (inout TrafficPipeline) -> Void) {
        let registry = MetricsRegistry()
        let boards = WorkerBoards(registry)
        var pipeline = TrafficPipeline(
            routes: RouteBoard(RouteTables(table), registry: registry, at: 0),
            board: boards.sole
        )
        send(&pipeline)
        pipeline.captureEnded()
        snapshot = registry.snapshot(at: 0)
        figures = boards.figures
    }
}
