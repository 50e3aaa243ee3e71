// Wingmirror · Apache-2.0

import Foundation
import PacketCapture
import PacketDecoding
import RouteAttribution
import Testing
import TrafficMetrics

@testable import TrafficPipeline

/// What is kept of the recording in `samples/captures` to be looked at.
@Suite struct RecentExchangeTests {
    @Test func `exchanges of every kind are kept, the latest first`() throws {
        let board = try Self.board()
        #expect(!board.routed.isEmpty && !board.unmatched.isEmpty && !board.failed.isEmpty)
        for exchanges in [board.routed, board.unmatched, board.failed] {
            #expect(exchanges.map(\.number) == exchanges.map(\.number).sorted(by: >))
        }
        #expect(board.routed.allSatisfy { $0.route != nil && $0.request != nil })
        #expect(board.unmatched.allSatisfy { $0.route == nil && $0.reason != .matched })
        #expect(board.failed.allSatisfy { $0.facts.isFailure && $0.route != nil })
    }

    @Test func `what routes refused is kept beside the samples, with its head or without`() throws {
        let board = try Self.board()
        #expect(!board.refused.isEmpty)
        #expect(board.refused.allSatisfy { $0.facts.status / 100 == 4 && $0.route != nil })
        #expect(board.refused.map(\.number) == board.refused.map(\.number).sorted(by: >))
        var limits = RecentLimits()
        limits.perSecond = 1
        limits.burst = 1
        let sparse = try Self.board(limits)
        #expect(sparse.refused.contains { $0.request == nil })
        let sampled = sparse.routed.count { $0.facts.status / 100 == 4 }
        #expect(sparse.refused.count > sampled)
    }

    @Test func `every route has its turn`() throws {
        let objects = Set(try Self.board().routed.compactMap { $0.route?.identity.object.name })
        #expect(objects == ["order-vs", "product-vs"])
    }

    @Test func `credentials are never kept`() throws {
        let board = try Self.board()
        let fields = (board.routed + board.unmatched + board.failed).flatMap { exchange in
            (exchange.request?.fields ?? []) + (exchange.response?.fields ?? [])
        }
        let credentials = fields.filter { RecordOptions.credentials.contains($0.name.lowercased()) }
        #expect(!credentials.isEmpty)
        #expect(credentials.allSatisfy { $0.value == nil })
        #expect(fields.contains { $0.name.lowercased() == "user-agent" && $0.value != nil })
    }

    @Test func `no more are kept than the limit, and the latest of them`() throws {
        var limits = RecentLimits()
        limits.exchanges = 5
        let few = try Self.board(limits)
        let all = try Self.board()
        #expect(few.routed.count == 5)
        #expect(few.routed.map(\.facts.startTime) == all.routed.prefix(5).map(\.facts.startTime))
    }

    @Test func `the rate bounds how many are kept`() throws {
        var limits = RecentLimits()
        limits.perSecond = 1
        limits.burst = 1
        let sparse = try Self.board(limits)
        let dense = try Self.board()
        // The recording lasts a minute; two kinds of permits are granted for exchanges of routes.
        #expect(sparse.routed.count <= 130)
        #expect(sparse.routed.count < dense.routed.count)
    }

    /// Records without headers ask for no field lines; what is shown only because records keep it would lack them.
    @Test func `an exchange that is shown because records keep its request has its headers`() throws {
        var limits = RecentLimits()
        limits.perSecond = 0
        limits.burst = 1
        let board = RecentBoard(limits: limits)
        let ports: [UInt16] = [40_000, 40_001]
        let clients = ports.map { Endpoint(address: IPAddress(ipv4: 0x0A00_0001), port: $0) }
        let server = Endpoint(address: IPAddress(ipv4: 0x0A00_0002), port: 8080)
        let request = " HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\r\n"
        let response = "HTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n"
        // The first request takes the only permit for samples, and is answered last.
        let first = Conversation.frames(from: clients[0], to: server, "GET /a" + request, response)
        let second = Conversation.frames(from: clients[1], to: server, "GET /b" + request, response)
        let frames = first.prefix(3) + second + first.suffix(2)
        let records = TrafficPipeline.records(of: Array(frames), recent: board)
        #expect(records.count == 2 && board.unmatched.count == 1)
        let shown = try #require(board.unmatched.first)
        #expect(shown.request?.target == "/b")
        #expect(shown.request?.fields.map(\.name) == ["Host", "X-A"])
        #expect(shown.response?.fields.map(\.name) == ["X-B", "Content-Length"])
    }

    @Test func `a long head is cut between field lines, and says so`() throws {
        var limits = RecentLimits()
        limits.headOctets = 80
        let board = try Self.board(limits)
        let cut = board.routed.compactMap(\.request).filter(\.isCut)
        #expect(!cut.isEmpty)
        for message in cut {
            let octets = message.method.utf8.count + message.target.utf8.count
            #expect(octets <= 80)
            #expect(message.fields.allSatisfy { !$0.name.isEmpty })
        }
    }

    @Test func `the same capture keeps the same exchanges`() throws {
        let first = try Self.board().routed.map(\.facts.startTime.nanoseconds)
        #expect(try Self.board().routed.map(\.facts.startTime.nanoseconds) == first)
    }

    @Test func `what was kept is given up while memory is short, and kept again afterwards`() throws {
        let shedding = LoadShedding()
        var seen: [Int: Int] = [:]
        let board = try Self.board(shedding: shedding) { packets, board in
            switch packets {
            case 400: shedding.level = .everythingButMetrics
            case 600: shedding.level = .none
            default: break
            }
            seen[packets] = board.routed.count + board.unmatched.count + board.failed.count
        }
        #expect(seen[400] ?? 0 > 0)
        #expect(seen[500] == 0 && seen[600] == 0)
        #expect(!board.routed.isEmpty)
        #expect(shedding.requests > 0)
    }

    @Test(.timeLimit(.minutes(20)))
    func `who asks again and again for what came since gets each exchange once, of whatever kind`() async throws {
        let exchanges = try Self.board().routed
        let board = RecentBoard()
        let writer = Task.detached {
            for (place, exchange) in exchanges.enumerated() {
                let kind: RecentPlace = place % 2 == 0 ? .samples : .failed
                let waiting = WaitingExchange(exchange: exchange, place: kind, isSameAsBefore: false)
                while !board.publish({ $0.append([waiting]) }) { await Task.yield() }
            }
        }
        var latest = -1
        var seen: [Int] = []
        // One that is lost is waited for in vain.
        while seen.count < exchanges.count, !Task.isCancelled {
            let kept = board.all
            seen += kept.latestFirst.map(\.number).filter { $0 > latest }
            latest = kept.latest
            await Task.yield()
        }
        await writer.value
        #expect(seen.sorted() == Array(exchanges.indices))
    }

    // MARK: - Reading the recording

    private static func board(
        _ limits: RecentLimits = RecentLimits(),
        shedding: LoadShedding? = nil,
        between look: (Int, RecentBoard) -> Void = { _, _ in }
    ) throws -> RecentBoard {
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../samples")
        let registry = MetricsRegistry()
        let board = RecentBoard(limits: limits)
        var outputs = PipelineOutputs()
        outputs.recent = board
        outputs.shedding = shedding
        var pipeline = TrafficPipeline(
            routes: try routes(samples.appending(path: "istio").standardizedFileURL.path, registry),
            board: WorkerBoards(registry).sole,
            outputs: outputs
        )
        let path = samples.appending(path: "captures/ingress.pcap").standardizedFileURL.path
        var savefile = try SavefileReader(path: path)
        var packets = 0
        while let packet = try savefile.next() {
            pipeline.packetArrived(packet, octets: savefile.octets)
            packets += 1
            if packets % 50 == 0 {
                pipeline.batchEnded()
                look(packets, board)
            }
        }
        pipeline.captureEnded()
        return board
    }

    private static func routes(_ files: String, _ registry: MetricsRegistry) throws -> RouteBoard {
        RouteBoard(RouteTables(try RouteTable.onPort8080(files: files)), registry: registry, at: 0)
    }
}
