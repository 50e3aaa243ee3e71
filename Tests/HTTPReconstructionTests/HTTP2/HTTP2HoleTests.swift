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
}
