// Wingmirror · Apache-2.0
// HTTP/2 behind octets that were not captured: reference/http2-grpc-tls.md, sections 4 and 5.

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
}
