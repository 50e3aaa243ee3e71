// Wingmirror · Apache-2.0
// HTTP/2 behind octets that were not captured: HPACK's dynamic table, RFC 7541 §2.3.2.

import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

@Suite struct HTTP2HoleTests {
    private static let other: HTTP2Script.Fields = [
        (":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "z.example"),
    ]

    /// A server's octets, sent when it had received so much of the client's stream.
    private static func server(_ octets: [UInt8], acknowledging count: Int) -> Conversation.Event {
        .octets(.fromResponder, octets, acknowledging: Int64(count))
    }

    @Test func `a request that was held behind a hole gets the answer that came before it`() {
        var script = HTTP2Script()
        let first = HTTP2Script.opening + script.request(1, HTTP2Script.head("/first"))
        let lost = script.request(3, HTTP2Script.head("/lost"))
        let held = script.request(5, Self.other) + script.request(7, Self.other)
        let all = first.count + lost.count + held.count
        let record = Conversation(
            .client(first),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            Self.server(script.response(7, [(":status", "204")], ends: true), acknowledging: all),
            Self.server(script.response(3, [(":status", "404")], ends: true), acknowledging: all),
            Self.server(script.response(5, [(":status", "200")]), acknowledging: all),
            .clientHole(lost),
            .client(held),
            .server(HTTP2Script.data(5, "late"))
        ).read()
        // The client's octets are as late as the events here; those that reassembly holds keep their times.
        #expect(
            record.lines == [
                "GET /first -> 200", "POST / -> 204 [clock_unreliable]", "- -> 404 [request_gap]",
                "POST / -> 200 (4) [clock_unreliable]",
            ]
        )
        #expect(record.exchanges.map(\.stream) == [1, 7, 3, 5])
    }

    @Test func `an answer without a request is told when the client's octets are known to be missing`() {
        var script = HTTP2Script()
        let first = HTTP2Script.opening + script.request(1, HTTP2Script.head("/first"))
        let lost = script.request(3, HTTP2Script.head("/lost"))
        let record = Conversation(
            .client(first),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            Self.server(
                script.response(3, [(":status", "404")], ends: true),
                acknowledging: first.count + lost.count
            )
        ).read()
        #expect(record.lines == ["GET /first -> 200", "- -> 404 [request_gap]"])
    }

    @Test func `a client whose first octets were missed is read from the next head on`() {
        var script = HTTP2Script()
        let lost = HTTP2Script.opening + script.request(1, Self.other)
        let record = Conversation(
            .clientHole(lost),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "201")], ends: true)),
            .client(TestFrame.frame(4, 1, 0, [])),
            .client(script.request(3, HTTP2Script.head("/next"))),
            .server(script.response(3, [(":status", "200")], ends: true))
        ).read()
        #expect(record.protocols == [.http2])
        #expect(record.lines == ["- -> 201 [request_gap]", "GET /next -> 200"])
    }

    @Test func `a server whose first octets were missed before HTTP/2 was known is read from the next frame on`() {
        var script = HTTP2Script()
        let lost = HTTP2Script.opening + script.request(1, Self.other)
        let tagged = [(":status", "200"), ("x-tag", "a")]
        let lostAnswer = HTTP2Script.serverOpening + script.response(1, tagged, ends: true)
        let record = Conversation(
            .clientHole(lost),
            .serverHole(lostAnswer),
            .client(script.request(3, HTTP2Script.head("/next"))),
            // It refers to what the lost one inserted.
            .server(script.response(3, tagged, ends: true)),
            .client(script.request(5, HTTP2Script.head("/last"))),
            .server(script.response(5, [(":status", "204")], ends: true))
        ).read()
        #expect(record.protocols == [.http2])
        #expect(record.exchanges.map(\.stream) == [3, 5])
        #expect(record.exchanges.map { $0.response?.status } == [200, 204])
        for exchange in record.exchanges { #expect(!exchange.integrity.contains(.malformed)) }
    }

    @Test func `a request that comes while the server's frames are not found may have been answered`() {
        var script = HTTP2Script()
        let answer = script.response(1, [(":status", "200")], ends: true)
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/first"))),
            .server(HTTP2Script.serverOpening + answer),
            .serverHole(HTTP2Script.data(1, "abc")),
            .client(script.request(3, HTTP2Script.head("/next")))
        ).read()
        #expect(record.exchanges.last?.stream == 3)
        #expect(record.exchanges.last?.integrity.contains(.responseGap) == true)
    }

    @Test func `a segment that opens a stream and goes on with it is found again whole`() {
        var script = HTTP2Script()
        let first = HTTP2Script.opening + script.request(1, HTTP2Script.head("/first"))
        let lost = TestFrame.frame(6, 1, 0, [UInt8](repeating: 7, count: 8))
        let upload =
            script.request(3, HTTP2Script.head("/upload", method: "POST"), ends: false)
            + TestFrame.frame(8, 0, 3, [0, 0, 0, 9]) + HTTP2Script.data(3, "abc")
            + TestFrame.frame(8, 0, 0, [0, 0, 0, 9])
        let record = Conversation(
            .client(first),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            .clientHole(lost),
            .client(upload),
            .server(script.response(3, [(":status", "200")], ends: true))
        ).read()
        #expect(record.exchanges.map { $0.response?.status } == [200, 200])
        #expect(record.exchanges.last?.request?.contentOctets == 3)
        #expect(record.exchanges.last?.request?.target == "/upload")
    }

    @Test func `frames of a stream that the hole opened are a boundary too`() {
        var script = HTTP2Script()
        let first = HTTP2Script.opening + script.request(1, HTTP2Script.head("/first"))
        let lost = script.request(3, HTTP2Script.head("/lost", method: "POST"), ends: false)
        let rest = HTTP2Script.data(3, "abc") + script.request(5, Self.other)
        let record = Conversation(
            .client(first),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            .clientHole(lost),
            .client(rest),
            .server(script.response(5, [(":status", "204")], ends: true))
        ).read()
        #expect(record.exchanges.last?.request?.authority == "z.example")
        #expect(record.exchanges.last?.response?.status == 204)
    }

    /// The targets that are said of requests around a hole that begins inside a literal of `octets`.
    ///
    /// Requests insert the same names in the same order; a literal that is larger than the table follows some of them, and
    /// empties it. Of the last such literal only `seen` octets are captured, and nothing of the next request, which inserts
    /// its fields anew. All further ones refer to those.
    private static func targets(aroundLiteral octets: Int, seen: Int) -> [String] {
        var script = HTTP2Script()
        func fields(_ path: String, isLarge: Bool = false) -> HTTP2Script.Fields {
            HTTP2Script.head(path) + [("x-tenant", "a")]
                + (isLarge ? [("x-large", String(repeating: "x", count: octets))] : [])
        }
        let whole =
            HTTP2Script.opening + script.request(1, fields("/first"))
            + script.request(3, fields("/second", isLarge: true))
        let torn = script.request(5, fields("/torn", isLarge: true))
        let head = torn.count - octets + seen
        let lost = Array(torn[head...]) + script.request(7, fields("/lost"))
        var events: [Conversation.Event] = [.client(whole), .client(Array(torn[..<head])), .clientHole(lost)]
        let streams = (UInt32(0)..<10).map { $0 * 2 + 1 }
        for stream in streams.dropFirst(4) { events.append(.client(script.request(stream, fields("/lost")))) }
        for stream in streams {
            events.append(.server(script.response(stream, [(":status", "200")], ends: true)))
        }
        return Conversation(events).read().exchanges.compactMap { $0.request?.target }
    }

    @Test(arguments: [(4096, 4095), (5000, 4990), (15_000, 13_000), (15_000, 100), (15_000, 0)])
    func `a literal that empties the table does so though its end is missing`(octets: Int, seen: Int) {
        let targets = Self.targets(aroundLiteral: octets, seen: seen)
        // What the table had when the hole came is gone, and what fills it now was lost.
        #expect(targets.prefix(2) == ["/first", "/second"])
        #expect(!targets.contains("/torn"), "\(targets)")
    }

    // MARK: - What a hole may have held

    /// A request that fills the bottom of the table, then three whose entries are alike but for their values, and answers
    /// to all; on streams 1 to 7.
    private static func opening(_ script: inout HTTP2Script) -> [Conversation.Event] {
        let fillers = (0..<12).map { ("x-\($0)", "\($0)") }
        let heads =
            [script.request(1, other + fillers)]
            + zip([3, 5, 7], ["/a", "/b", "/c"]).map { stream, path in
                script.request(stream, HTTP2Script.head(path) + [("x-tenant", path)])
            }
        let answers = [1, 3, 5, 7].map { script.response($0, [(":status", "200")], ends: true) }
        return [
            .client(HTTP2Script.opening + heads.joined()), .server(HTTP2Script.serverOpening + answers.joined()),
        ]
    }

    /// Reads the events with requests behind them that refer to the table, and answers those whose target is not the true one.
    private static func wrongTargets(
        after events: [Conversation.Event],
        from stream: UInt32,
        _ script: inout HTTP2Script
    ) -> [String] {
        var events = events
        let streams = [stream, stream + 2, stream + 4]
        for (stream, path) in zip(streams, ["/c", "/b", "/a"]) {
            events.append(.client(script.request(stream, HTTP2Script.head(path) + [("x-tenant", path)])))
        }
        for stream in streams { events.append(.server(script.response(stream, [(":status", "200")], ends: true))) }
        let record = Conversation(events).read()
        return zip(streams, ["/c", "/b", "/a"]).compactMap { stream, path in
            let target = record.exchanges.first { $0.stream == stream }?.request?.target ?? ""
            return target.isEmpty || target == path ? nil : target
        }
    }

    @Test func `trailers are no sign that the head of their stream was not in the hole`() {
        var script = HTTP2Script()
        var events = Self.opening(&script)
        let lost =
            script.request(9, HTTP2Script.head("/lost", method: "POST") + [("x-tenant", "/lost")], ends: false)
            + HTTP2Script.data(9, "abc", ends: false)
        events.append(.clientHole(lost))
        events.append(.client(HTTP2Script.data(9, "def", ends: false) + script.request(9, [("x-sum", "1")])))
        #expect(Self.wrongTargets(after: events, from: 11, &script) == [])
    }

    @Test func `trailers may follow on a stream that the server has ended, until the client knows`() {
        var script = HTTP2Script()
        var events = Self.opening(&script)
        events.append(.client(script.request(9, HTTP2Script.head("/upload", method: "POST"), ends: false)))
        let refusal = script.response(9, [(":status", "413")], ends: true) + HTTP2Script.reset(9, 0)
        events.append(.server(refusal))
        events.append(.clientHole(HTTP2Script.data(9, "abc", ends: false) + script.request(9, [("x-sum", "1")])))
        #expect(Self.wrongTargets(after: events, from: 11, &script) == [])
    }

    /// A gRPC request is a head and messages (gRPC over HTTP2, Requests), so that a missed message hides no fields.
    @Test(arguments: [("application/grpc", true), ("application/json", false)])
    func `what a gRPC client sends behind its head is no trailers`(contentType: String, isHarmless: Bool) throws {
        var script = HTTP2Script()
        var events = Self.opening(&script)
        let fields = HTTP2Script.head("/shop.v1.Cart/Upload", method: "POST") + [("content-type", contentType)]
        events.append(.client(script.request(9, fields, ends: false)))
        events.append(.clientHole(HTTP2Script.data(9, "a message that is missed", ends: false)))
        events.append(.client(script.request(11, HTTP2Script.head("/a") + [("x-tenant", "/a")])))
        events.append(.server(script.response(11, [(":status", "200")], ends: true)))
        let exchange = try #require(Conversation(events).read().exchanges.first { $0.stream == 11 })
        #expect(exchange.integrity.isDisjoint(with: [.unknownFieldBlock, .fieldsByInference]) == isHarmless)
    }

    @Test(arguments: 1...6)
    func `a literal whose last octets are missing is an insertion all the same`(lost: Int) {
        var script = HTTP2Script()
        var events = Self.opening(&script)
        let torn = script.request(9, HTTP2Script.head("/torn") + [("x-last", "12345")])
        events.append(.client(Array(torn.dropLast(lost))))
        events.append(.clientHole(Array(torn.suffix(lost))))
        #expect(Self.wrongTargets(after: events, from: 11, &script) == [])
    }

    private static let answer: HTTP2Script.Fields = [(":status", "200"), ("x-pod", "a"), ("x-zone", "b")]
    private static let lostAnswer: HTTP2Script.Fields = [(":status", "200"), ("x-pod", "c"), ("x-zone", "d")]

    /// The answer on a stream has no other fields than those of `answer`.
    private static func expectAnswer(of stream: UInt32, in record: Record) {
        let found = record.exchanges.first { $0.stream == stream }?.response
        #expect(found?.fields.allSatisfy { ["a", "b"].contains($0.value) } == true, "\(record.lines)")
    }

    @Test(arguments: [true, false])
    func `a hole of the server is not harmless while requests that it has received are held behind one`(isKnown: Bool) {
        var script = HTTP2Script()
        var events = Self.opening(&script)
        events.append(.client(script.request(9, HTTP2Script.head("/d"))))
        events.append(.server(script.response(9, Self.answer, ends: true)))
        // The request of stream 11 comes late; the server's answer to it, which inserts two fields, is missing.
        let late = script.request(11, HTTP2Script.head("/e"))
        let received = events.reduce(0) {
            if case .octets(.fromOriginator, let octets, _) = $1 { $0 + octets.count } else { $0 }
        }
        events.append(.serverHole(script.response(11, Self.lostAnswer, ends: true)))
        events.append(
            .octets(
                .fromResponder,
                TestFrame.frame(6, 1, 0, [UInt8](repeating: 7, count: 8)),
                acknowledging: isKnown ? Int64(received + late.count) : Conversation.unknown
            )
        )
        events.append(.client(late + script.request(13, HTTP2Script.head("/f"))))
        events.append(.server(script.response(13, Self.answer, ends: true)))
        Self.expectAnswer(of: 13, in: Conversation(events).read())
    }

    @Test func `a hole of the server is not harmless while the head behind the client's is not complete`() {
        var script = HTTP2Script()
        var events = Self.opening(&script)
        events.append(.client(script.request(9, HTTP2Script.head("/d"))))
        events.append(.server(script.response(9, Self.answer, ends: true)))
        events.append(.clientHole(script.request(11, HTTP2Script.head("/e"))))
        events.append(.serverHole(script.response(11, Self.lostAnswer, ends: true)))
        let behind =
            TestFrame.frame(8, 0, 0, [0, 0, 0, 9])
            + script.request(13, HTTP2Script.head("/f") + [("x-long", String(repeating: "y", count: 200))])
        events.append(.client(Array(behind.prefix(60))))
        events.append(.server(TestFrame.frame(6, 1, 0, [UInt8](repeating: 7, count: 8))))
        events.append(.client(Array(behind.dropFirst(60))))
        events.append(.server(script.response(13, Self.answer, ends: true)))
        Self.expectAnswer(of: 13, in: Conversation(events).read())
    }
}
