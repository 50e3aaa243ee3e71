// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import Redaction
import RouteAttribution
import ShadowTesting
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// Requests that bear the marker of shadow traffic.
@Suite struct ShadowArrivalTests {
    private static let client = Endpoint(address: IPAddress(ipv4: 0x0A00_0009), port: 51_000)
    private static let gateway = Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: 8080)

    /// What came of one exchange, marked or not.
    private struct Outcome {
        let arrivals: UInt64
        let considered: UInt64
        let filtered: [FilterReason: UInt64]
        private let page: String

        init(arrivals: UInt64, lane: LaneFigures?, page: String) {
            self.arrivals = arrivals
            considered = lane?.considered ?? 0
            filtered = lane?.filtered ?? [:]
            self.page = page
        }

        /// The sum of a family's samples.
        func sum(_ family: String) -> Double {
            page.split(separator: "\n").filter { $0.hasPrefix(family + "{") }
                .reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? 0) }
        }
    }

    private static let seal = ShadowSeal(secret: "nodes know it")

    /// The fields that make of a request a copy of an agent with a seal.
    private static func copyFields(_ seal: ShadowSeal, startTime: Int64 = 0) throws -> String {
        let request = RecordedRequest(
            method: "GET",
            target: Array("/products/1".utf8),
            message: RecordedMessage(fields: [RecordedField(name: "Host", value: "shop.example.com")])
        )
        let builder = ShadowRequestBuilder(
            policy: MirrorPolicy(name: "p", targets: ["t"]),
            target: MirrorTarget(name: "t", host: "staging.test", port: 8080),
            node: "other",
            key: RedactionKey(high: 1, low: 2)
        )
        let copy = try builder.build(RecordedExchange(request: request, startTime: startTime), seal: seal)
        return copy.fields.filter { $0.name != "host" }.map { "\($0.name): \($0.value)\r\n" }.joined()
    }

    /// Takes exchanges, one after another on connections of their own, through a pipeline that mirrors everything.
    private func exchange(fields: String, count: Int = 1, ownTarget: Endpoint? = nil) throws -> Outcome {
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../samples/istio")
        let table = try RouteTable.onPort8080(files: samples.standardizedFileURL.path)
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        policy.percent = 100
        let plan = try MirrorPlan(policies: [policy], targets: ["t"], edition: 1, seal: Self.seal)
        let queue = MirrorQueue(seed: 1)
        queue.replacePlan(
            edition: 1,
            policies: [policy],
            targets: [MirrorTarget(name: "t", host: "staging.test", port: 8080)]
        )
        let registry = MetricsRegistry()
        let arrivals = ShadowArrivals()
        if let ownTarget { arrivals.targetFound(at: ownTarget) }
        var outputs = PipelineOutputs()
        outputs.mirror = MirrorDestination(queue: queue) { 1 }
        outputs.shadowArrivals = arrivals
        var pipeline = TrafficPipeline(
            routes: RouteBoard(
                RouteTables(table),
                registry: registry,
                mirroring: { MirrorRouting(plan, for: $0) },
                at: 0
            ),
            board: WorkerBoards(registry).sole,
            outputs: outputs
        )
        let frames = (0..<count).flatMap { Self.frames(fields, port: UInt16(20_000 + $0)) }
        for (number, octets) in frames.enumerated() {
            pipeline.packetArrived(.ethernet(octets, at: Int64(number) * 1_000_000), octets: octets.span)
        }
        pipeline.captureEnded()
        var page: [UInt8] = []
        TextExposition(.text).write(registry.snapshot(at: 0), into: &page)
        return Outcome(
            arrivals: arrivals.count,
            lane: queue.figures(now: 1).lanes.first,
            page: String(decoding: page, as: UTF8.self)
        )
    }

    /// A connection that carries one request and its answer.
    private static func frames(_ fields: String, port: UInt16) -> [[UInt8]] {
        Conversation.frames(
            from: Endpoint(address: client.address, port: port),
            to: gateway,
            "GET /products/1 HTTP/1.1\r\nHost: shop.example.com\r\n\(fields)\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        )
    }

    @Test func `a request without the marker is traffic and is mirrored`() throws {
        let outcome = try exchange(fields: "")
        #expect(outcome.arrivals == 0)
        #expect(
            outcome.sum("wingmirror_http_requests_total") + outcome.sum("wingmirror_http_requests_unmatched_total") == 1
        )
        #expect(outcome.considered == 1)
        #expect(outcome.filtered.isEmpty)
    }

    @Test func `a copy is counted apart, is no traffic and is never mirrored again`() throws {
        let outcome = try exchange(fields: Self.copyFields(Self.seal))
        #expect(outcome.arrivals == 1)
        #expect(outcome.sum("wingmirror_mirror_marked_requests_total") == 1)
        #expect(outcome.sum("wingmirror_http_requests_total") == 0)
        #expect(outcome.sum("wingmirror_http_requests_unmatched_total") == 0)
        #expect(outcome.filtered == [.marked: 1])
    }

    @Test func `the agent's own copy on its way to a target is neither an arrival nor traffic`() throws {
        let outcome = try exchange(fields: Self.copyFields(Self.seal), ownTarget: Self.gateway)
        #expect(outcome.arrivals == 0)
        #expect(outcome.sum("wingmirror_mirror_marked_requests_total") == 0)
        #expect(outcome.sum("wingmirror_http_requests_total") == 0)
        #expect(outcome.considered == 0)
    }

    @Test(arguments: [
        "wingmirror-shadow: n;hops=1\r\n", "WINGMIRROR-Shadow:x\r\n",
        "wingmirror-shadow: n;hops=1;minute=0;code=0123456789abcdef\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
            + "wingmirror-shadow: n;minute=0;code=0123456789abcdef\r\n",
    ])
    func `1,000 requests on which clients put the marker are traffic, and pause nothing`(fields: String) throws {
        let outcome = try exchange(fields: fields, count: 1000)
        #expect(outcome.arrivals == 0)
        #expect(outcome.sum("wingmirror_mirror_marked_requests_total") == 0)
        #expect(outcome.sum("wingmirror_mirror_unverified_markers_total") == 1000)
        #expect(
            outcome.sum("wingmirror_http_requests_total") + outcome.sum("wingmirror_http_requests_unmatched_total")
                == 1000
        )
        // They are not mirrored either: a copy of an agent with another key might be among them.
        #expect(outcome.filtered == [.marked: 1000])
    }

    @Test func `a copy of an agent with another key, or of another hour, is traffic`() throws {
        let stranger = try exchange(fields: Self.copyFields(ShadowSeal(secret: "another")))
        let old = try exchange(fields: Self.copyFields(Self.seal, startTime: 3_600_000_000_000))
        for outcome in [stranger, old] {
            #expect(outcome.arrivals == 0)
            #expect(outcome.sum("wingmirror_mirror_unverified_markers_total") == 1)
        }
    }

    @Test(arguments: [
        "wingmirror-shadoW2: x\r\n", "wingmirrorxshadow: x\r\n", "wingmirrxr-shadow: x\r\n",
        "x-wingmirror-shadow: x\r\n",
    ])
    func `a field of another name is no marker`(field: String) throws {
        #expect(try exchange(fields: field).arrivals == 0)
    }
}
