// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
import TCPReassembly
import Testing

/// Situations that people were in, as captures (`Fixtures/cases`).
@Suite struct TrafficCaseTests {
    private func lines(_ name: String) throws -> [String] {
        try SavefileReading.read(name).sink.exchanges.map(\.description)
    }

    @Test func `answers that are captured before anything of the client are paired with their requests`() throws {
        // The first answer is stamped before its request, so that no duration can be told.
        #expect(
            try lines("answer-before-client-is-seen") == [
                "GET /products/0 -> 200 (1) [clock_unreliable]", "GET /products/1 -> 201 (1)",
                "GET /products/2 -> 202 (1)",
                "GET /products/3 -> 203 (1)", "GET /products/4 -> 210 (1)", "GET /products/5 -> 211 (1)",
            ]
        )
    }

    @Test func `a look-alike of Transfer-Encoding makes no request that was never made`() throws {
        let each = [
            "POST /products/form (63) -> 201 (3)", "GET /products/two -> 202 (3)", "GET /products/three -> 203 (5)",
        ]
        #expect(try lines("transfer-encoding-lookalike") == each + each)
    }

    @Test func `the answer to a request behind a refused upgrade is not given to the upgrade`() throws {
        let found = try lines("lost-answer-to-refused-upgrade")
        #expect(found.first == "GET /products/u -> - [response_gap]")
        #expect(found.dropFirst().map { $0.prefix(22) } == (0...2).map { "GET /products/\($0) -> 20\($0 + 1)" })
    }

    @Test func `a client that goes on ends content of no known length`() throws {
        let found = try lines("until-close-but-client-goes-on")
        #expect(found.count == 9)
        for exchange in found {
            #expect(exchange.contains("-> 200 (\(exchange.contains("/a") ? 5 : 2))"), "\(exchange)")
            #expect(exchange.contains("[") == exchange.contains("/a"), "\(exchange)")
        }
    }

    @Test func `a request of HTTP/0.9 that is answered with a head is paired with it`() throws {
        #expect(try lines("http09-answered-with-head") == ["GET /products/old -> 400 (3) [malformed]"])
    }

    @Test func `times that run backwards are marked, and the pairs are right`() throws {
        let (sink, _) = try SavefileReading.read("negative-duration")
        #expect(sink.exchanges.count == 6)
        for (index, exchange) in sink.exchanges.enumerated() {
            #expect(exchange.request?.target == "/products/\(index)")
            #expect(exchange.response != nil)
            #expect(exchange.integrity.contains(.clockUnreliable) == (sink.durations[index] < 0), "\(exchange)")
        }
        #expect(sink.durations.contains { $0 < 0 })
    }

    @Test(arguments: [-5_000, 0, 5_000, 1_000_000])
    func `where two interfaces have two clocks, no duration is told`(late: Int64) {
        var table = ConnectionTable()
        var reconstructor = HTTPReconstructor(sink: RecordingSink())
        var now: Int64 = 1_790_000_000_000
        func exchange(_ isClient: Bool, _ flags: TCPFlags, _ offset: UInt32, _ acknowledged: UInt32, _ text: String) {
            now += 2
            let octets = Array(text.utf8)
            let segment = TCPSegment(
                source: isClient ? Conversation.client : Conversation.server,
                destination: isClient ? Conversation.server : Conversation.client,
                sequenceNumber: SequenceNumber(offset &+ 7),
                acknowledgementNumber: SequenceNumber(acknowledged &+ 7),
                flags: flags,
                identification: 0,
                payload: 0..<octets.count,
                truncatedOctets: 0
            )
            let time = PacketTime(nanoseconds: (isClient ? now : now + late) * 1_000_000)
            let interface = isClient ? 0 : 1
            table.segmentArrived(segment, octets: octets.span, at: time, interface: interface, into: &reconstructor)
        }
        exchange(true, .syn, 0, 0, "")
        exchange(false, [.syn, .ack], 0, 1, "")
        exchange(true, .ack, 1, 1, "")
        var (asked, answered) = (UInt32(1), UInt32(1))
        for index in 0..<3 {
            let request = HoleTests.get("/\(index)")
            let response = HoleTests.ok("a")
            exchange(true, .ack, asked, answered, request)
            asked += UInt32(request.utf8.count)
            exchange(false, .ack, answered, asked, response)
            answered += UInt32(response.utf8.count)
        }
        table.captureEnded(at: PacketTime(nanoseconds: now * 1_000_000), into: &reconstructor)
        let mark = late == 0 ? "" : " [clock_unreliable]"
        #expect(
            reconstructor.sink.exchanges.map(\.description) == (0..<3).map { "GET /\($0) -> 200 (1)\(mark)" }
        )
    }

    @Test func `a clock that was set back is followed`() throws {
        let (sink, _) = try SavefileReading.read("clock-set-back")
        let after = zip(sink.exchanges, sink.durations).filter { $0.0.request?.target.contains("after") ?? false }
        #expect(after.map { Double($0.1) / 1_000_000 / 100 }.map { Int($0) } == [1, 2, 4, 8])
        #expect(after.allSatisfy { $0.0.integrity.isEmpty })
    }

    @Test(arguments: [(3600, 3600, " [clock_unreliable]"), (3600, 0, ""), (0, 3600, "")] as [(Int64, Int64, String)])
    func `a request that alone is stamped long before what it follows has no duration`(
        back: Int64,
        forth: Int64,
        mark: String
    ) {
        let record = Conversation(
            .client(HoleTests.get("/a")),
            .server(HoleTests.ok("a")),
            .passes(seconds: -back),
            .client(HoleTests.get("/b")),
            .passes(seconds: forth),
            .server(HoleTests.ok("b")),
            .client(HoleTests.get("/c")),
            .server(HoleTests.ok("c"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1)", "GET /b -> 200 (1)\(mark)", "GET /c -> 200 (1)"])
        var script = HTTP2Script()
        let streams = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            .passes(seconds: -back),
            .client(script.request(3, HTTP2Script.head("/b"))),
            .passes(seconds: forth),
            .server(script.response(3, [(":status", "200")], ends: true))
        ).read()
        #expect(streams.lines == ["GET /a -> 200", "GET /b -> 200\(mark)"])
    }

    @Test func `what was captured before 1970 has durations`() {
        let slow = Conversation(
            .passes(seconds: -4_000_000_000),
            .client(HoleTests.get("/a")),
            .passes(seconds: 5),
            .server(HoleTests.ok("a"))
        ).read()
        #expect(slow.lines == ["GET /a -> 200 (1)"])
        var script = HTTP2Script()
        let stream = Conversation(
            .passes(seconds: -4_000_000_000),
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .passes(seconds: 5),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true))
        ).read()
        #expect(stream.lines == ["GET /a -> 200"])
    }

    @Test(arguments: [("slow-answer-6min", "report"), ("pause-in-body-6min", "poll")])
    func `an answer that takes longer than the idle timeout is waited for`(name: String, target: String) throws {
        let (sink, _) = try SavefileReading.read(name, tellingTimeEvery: 30_000_000_000)
        let wanted = ["GET /products/\(target) -> 200 (4)", "GET /products/next -> 200 (2)"]
        #expect(sink.exchanges.map(\.description) == wanted)
    }

    @Test(arguments: ["slow-answer-6min", "pause-in-body-6min"])
    func `what the agent forgets is no failure of the gateway`(name: String) throws {
        var limits = ReassemblyLimits()
        limits.longestIdleNanoseconds = limits.idleTimeoutNanoseconds
        let (sink, _) = try SavefileReading.read(name, limits: limits, tellingTimeEvery: 30_000_000_000)
        #expect(!sink.exchanges.isEmpty)
        for exchange in sink.exchanges {
            #expect(exchange.integrity.isDisjoint(with: [.noResponse, .closedEarly]), "\(exchange)")
        }
        #expect(sink.exchanges.contains { $0.integrity.contains(.forgotten) })
    }

    @Test func `a PROXY header in front of the first request changes nothing but the client`() throws {
        let (sink, statistics) = try SavefileReading.read("proxy-protocol")
        let names = ["v1-same", "v1-own", "v2-same", "v2-own"]
        #expect(
            sink.exchanges.map(\.description)
                == names.flatMap { ["GET /products/\($0)-a -> 200 (1)", "GET /products/\($0)-b -> 200 (1)"] }
        )
        let client = Endpoint(address: IPAddress(ipv4: 0xCB00_7107), port: 40_000)
        #expect(sink.identities.allSatisfy { $0.clientFromProxy == client && $0.originalClient == client })
        #expect(statistics.proxyHeaders == 4)
        #expect(statistics.malformedProxyHeaders == 0)
    }
}
