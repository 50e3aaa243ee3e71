// Wingmirror · Apache-2.0

import AdminServer
import Foundation
import JSONSyntax
import Logging
import PacketCapture
import PacketDecoding
import Synchronization
import TestSupport
import Testing
import TrafficMetrics
import TrafficModel
import TrafficPipeline

@testable import Agent
@testable import AgentConfiguration

/// From a capture to the file that is saved of one connection, and back.
@Suite(.timeLimit(.minutes(20)))
struct PacketKeeperTests {
    private static let capture = "\(Repository.path)/samples/captures/ingress.pcap"

    /// Lines of records.
    private final class Lines: Sendable {
        private let octets = Mutex<[UInt8]>([])

        func append(_ more: Span<UInt8>) {
            octets.withLock { octets in
                for index in more.indices { octets.append(more[index]) }
            }
        }

        var records: [JSONValue] {
            get throws {
                try octets.withLock { $0 }.split(separator: UInt8(ascii: "\n")).map {
                    try JSONDocument.parse(Array($0))
                }
            }
        }
    }

    /// Reads a savefile as one of several workers would, and keeps its packets if asked for.
    private func read(
        _ path: String,
        keeping kept: KeptPackets? = nil,
        asWorker number: Int = 0,
        of workers: Int = 1
    ) throws -> [JSONValue] {
        var configuration = Configuration()
        configuration.capture.workers = workers
        let objects = try RouteObjects(configuration, namesServerPorts: false)
        let run = TrafficRun(objects, configuration, isLive: workers > 1, at: 0)
        let lines = Lines()
        var outputs = PipelineOutputs()
        outputs.recordOutput = { lines.append($0) }
        let stop = StopFlag()
        var source = try SavefileCapture(paths: [path], stop: stop)
        let worker = CaptureWorker(run.makePipeline(ofWorker: number, outputs: outputs))
        if let kept {
            let keeping = PacketKeeping(kept, worker: number)
            var keeper = PacketKeeper(worker, keeping: keeping, decoding: run.limits.decoding)
            source.run(into: &keeper, until: stop)
            keeper.captureEnded()
        } else {
            var sink = worker
            source.run(into: &sink, until: stop)
            sink.captureEnded()
        }
        return try lines.records
    }

    /// A record without its connection's number, which is 0 in a file of one connection, and without whose failure it was: that
    /// the gateway names the services' time is learned from other connections.
    private func withoutNumber(_ record: JSONValue) -> JSONValue? {
        guard case .object(let object) = record else { return nil }
        return JSONValue(
            Dictionary(
                uniqueKeysWithValues: object.members.filter { !["connection", "errorType"].contains($0.key) }.map {
                    ($0.key, $0.value)
                }
            )
        )
    }

    @Test func `what is saved of a connection gives the same records as the capture did`() throws {
        let kept = KeptPackets(octets: 16 << 20, age: 3600 * 1_000_000_000)
        let records = try read(Self.capture, keeping: kept)
        var connections: [Int: [JSONValue]] = [:]
        for record in records {
            guard case .integer(let number) = record["connection"] else { continue }
            connections[number, default: []].append(record)
        }
        #expect(connections.count > 20)
        let folder = try TemporaryFolder()
        for (number, expected) in connections {
            let saved = try #require(kept.packets(ofConnection: number))
            let file = "\(folder.path)/connection.pcap"
            try Data(saved.octets).write(to: URL(filePath: file))
            let found = try read(file)
            #expect(found.compactMap(withoutNumber) == expected.compactMap(withoutNumber), "connection \(number)")
        }
    }

    @Test func `what the second of two workers saw is found by the numbers that it gives`() throws {
        let hour: Int64 = 3600 * 1_000_000_000
        let alone = KeptPackets(octets: 16 << 20, age: hour)
        let shared = KeptPackets(octets: 32 << 20, age: hour, workers: 2)
        let records = try read(Self.capture, keeping: alone)
        let others = try read(Self.capture, keeping: shared, asWorker: 1, of: 2)
        #expect(others.count == records.count)
        var numbers: Set<Int> = []
        for record in records {
            guard case .integer(let number) = record["connection"] else { continue }
            numbers.insert(number)
        }
        #expect(numbers.count > 20)
        for number in numbers {
            let expected = try #require(alone.packets(ofConnection: number))
            // The second of two tables numbers its connections 1, 3, 5 and so on.
            #expect(shared.packets(ofConnection: 2 * number + 1)?.octets == expected.octets, "connection \(number)")
            #expect(shared.packets(ofConnection: 2 * number) == nil)
        }
    }

    @Test func `packets are kept after the clock was set back`() throws {
        let kept = KeptPackets(octets: 1 << 20, age: 10 * 1_000_000_000)
        let run = TrafficRun(
            try RouteObjects(Configuration(), namesServerPorts: false),
            Configuration(),
            isLive: false,
            at: 0
        )
        let worker = CaptureWorker(run.makePipeline())
        var keeper = PacketKeeper(worker, keeping: PacketKeeping(kept), decoding: run.limits.decoding)
        let server = Endpoint(address: try #require(IPAddress("10.0.0.1")), port: 8080)
        let client = try #require(IPAddress("10.0.0.9"))
        for (port, second) in [(4000 as UInt16, 5000 as Int64), (4001, 1000)] {
            let source = Endpoint(address: client, port: port)
            let frame = PacketBuilder.tcp(from: source, to: server, sequence: 100, flags: [.syn]).ip().ethernet().octets
            let packet = CapturedPacket(
                time: PacketTime(nanoseconds: second * 1_000_000_000),
                linkType: .ethernet,
                interface: 0,
                wireLength: frame.count
            )
            keeper.packetArrived(packet, octets: frame.span)
            keeper.batchEnded()
        }
        #expect(kept.packets(ofConnection: 1)?.count == 1)
        keeper.captureEnded()
    }

    @Test func `a scrape says how much memory kept packets take, and 0 where none are kept`() {
        func page(_ kept: KeptPackets?) -> String {
            let registry = MetricsRegistry()
            registry.add(KeptPacketsCollector(kept: kept))
            var octets: [UInt8] = []
            TextExposition(.text).write(registry.snapshot(at: 0), into: &octets)
            return String(decoding: octets, as: UTF8.self)
        }
        let kept = KeptPackets(octets: 2 << 20, age: 60 * 1_000_000_000, workers: 2)
        let frame = [UInt8](repeating: 0, count: 60)
        let packet = CapturedPacket(
            time: PacketTime(nanoseconds: 0),
            linkType: .ethernet,
            interface: 0,
            wireLength: 60
        )
        for worker in 0..<2 {
            var keeping = PacketKeeping(kept, worker: worker)
            keeping.packetArrived(packet, octets: frame.span, connection: worker)
        }
        // Of each packet 60 bytes, rounded up to 64, and 32 for what is known of it.
        #expect(page(kept).contains("\nwingmirror_kept_packets_bytes 192.0\n"))
        #expect(page(kept).contains("\nwingmirror_kept_packets_missed_total 0\n"))
        #expect(page(nil).contains("\nwingmirror_kept_packets_bytes 0.0\n"))
    }

    // MARK: - The question

    private func answers(_ kept: KeptPackets?) -> WebAnswers {
        let registry = MetricsRegistry()
        let routes = RouteKeeper(
            Configuration().environment,
            registry: registry,
            mirroring: Mirroring(Configuration())
        )
        let recent = RecentBoard()
        return WebAnswers(
            routes: routes,
            watch: TrafficWatch(registry, clock: .wall(since: 0), octets: 1 << 20) { preconditionFailure("not read") },
            recent: recent,
            requests: RequestWatch(registry, recent: recent),
            keptPackets: kept,
            boards: WorkerBoards(registry)
        ) { nil }
    }

    private func ask(_ connection: String, of kept: KeptPackets?) -> AdminAnswer {
        answers(kept).answer(AdminQuestion(.packets, parameters: [.init(name: "connection", value: connection)]))
    }

    @Test func `an agent that keeps no packets says which setting does`() {
        guard case .missing(let sentence) = ask("1", of: nil) else {
            Issue.record("an answer was expected")
            return
        }
        #expect(sentence.contains("capture.keep.bytes"))
    }

    @Test func `a connection whose packets are gone is missing, with the bounds in the sentence`() {
        let kept = KeptPackets(octets: 2 << 20, age: 60 * 1_000_000_000)
        #expect(
            ask("7", of: kept)
                == .missing(
                    "no packet of connection 7 is kept: packets are for 1m and 2MiB at most (capture.keep), and while "
                        + "memory is short none are"
                )
        )
    }

    @Test(arguments: ["", "-1", "x", "99999999999999999999"])
    func `what is no number of a connection is refused`(text: String) {
        let kept = KeptPackets(octets: 2 << 20, age: 60 * 1_000_000_000)
        #expect(
            ask(text, of: kept)
                == .refused("connection: expected the number of a connection, as records have it, found \"\(text)\"")
        )
    }

    @Test func `a file says what is in it, and that a beginning is missing`() throws {
        let kept = KeptPackets(octets: 2 << 20, age: 60 * 1_000_000_000)
        var keeping = PacketKeeping(kept)
        let frame = [UInt8](repeating: 0, count: 60)
        let packet = CapturedPacket(
            time: PacketTime(nanoseconds: 1_500_000_000),
            linkType: .ethernet,
            interface: 0,
            wireLength: 60
        )
        keeping.packetArrived(packet, octets: frame.span, connection: 7)
        guard case .file(let file) = ask("7", of: kept) else {
            Issue.record("a file was expected")
            return
        }
        #expect(file.name == "connection-7.pcap")
        #expect(file.mediaType == "application/vnd.tcpdump.pcap")
        #expect(file.note.hasPrefix("1 packet from 1970-01-01T00:00:01.5"))
        #expect(file.note.hasSuffix("; the beginning of the connection is not kept any more"))
        #expect(file.octets.count == 24 + 16 + 60)
    }
}
