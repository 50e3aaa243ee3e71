// Wingmirror · Apache-2.0
// What makes a response of HTTP/2 malformed: RFC 9113 §8.1, §8.1.1 and §8.3.2; what becomes of a stream that a client resets.

import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

@Suite struct HTTP2ResponseRuleTests {
    private typealias Events = [Conversation.Event]

    /// What a request is told as whose response is these frames.
    private static func read(_ response: (inout HTTP2Script) -> [UInt8]) -> String? {
        var script = HTTP2Script()
        return Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening + response(&script))
        ).readInEveryWay().lines.first
    }

    @Test func `of two final heads the first is the response's`() {
        #expect(
            Self.read { script in
                script.response(1, [(":status", "200")]) + script.response(1, [(":status", "500")])
                    + HTTP2Script.data(1, "x")
            } == "GET /a -> 200 (1) [malformed]"
        )
        #expect(
            Self.read { script in
                script.response(1, [(":status", "200")]) + script.response(1, [(":status", "103")])
                    + HTTP2Script.data(1, "x")
            } == "GET /a -> 200 (1) [malformed]"
        )
    }

    @Test func `an interim response that ends the stream is no final one`() {
        #expect(
            Self.read { script in script.response(1, [(":status", "103")], ends: true) }
                == "GET /a -> 103 - [malformed]"
        )
    }

    @Test(arguments: ["2000", "20", "", "2x0", "-20"])
    func `a status that is no number of three digits is none`(status: String) {
        let line = Self.read { script in script.response(1, [(":status", status)], ends: true) }
        #expect(line == "GET /a -> 0 [malformed]")
    }

    @Test func `content in front of the head is malformed`() {
        #expect(
            Self.read { script in
                HTTP2Script.data(1, "abc", ends: false) + script.response(1, [(":status", "200")], ends: true)
            }?.hasSuffix("[malformed]") == true
        )
        #expect(
            Self.read { script in
                script.response(1, [(":status", "103")]) + HTTP2Script.data(1, "abc", ends: false)
                    + script.response(1, [(":status", "200")], ends: true)
            }?.hasSuffix("[malformed]") == true
        )
    }

    @Test func `trailers that do not end the stream are malformed`() {
        #expect(
            Self.read { script in
                script.response(1, [(":status", "200")]) + HTTP2Script.data(1, "x", ends: false)
                    + script.response(1, [("t", "1")]) + HTTP2Script.data(1, "")
            } == "GET /a -> 200 (1) +1 [malformed]"
        )
    }

    @Test func `behind a hole content without a head is no fault of the server's`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening),
            .serverHole(script.response(1, [(":status", "200")])),
            .server(HTTP2Script.data(1, "abc", ends: false)),
            .server(HTTP2Script.data(1, "def"))
        ).read()
        #expect(record.exchanges.first?.integrity.contains(.malformed) == false)
    }

    // MARK: - Resets

    private static func reset() -> Conversation {
        var script = HTTP2Script()
        return Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .client(HTTP2Script.reset(1, 8))
        )
    }

    @Test func `a stream that the client gave up is told soon after, though no other begins`() {
        let conversation = Self.reset()
        let ping = TestFrame.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
        for event in [Conversation.Event.client(ping), .server(ping)] {
            var reader = ConversationReader(conversation)
            for event in conversation.events { reader.take(event) }
            #expect(reader.pendingExchanges == 1)
            reader.take(event)
            #expect(reader.pendingExchanges == 1)
            reader.take(.passes(seconds: 1))
            reader.take(event)
            #expect(reader.pendingExchanges == 0)
            #expect(reader.finish().exchanges.map(\.earlyEnd) == ["client, response"])
        }
    }

    @Test func `a stream that the client gave up is told when time passes, though nothing comes`() {
        let conversation = Self.reset()
        var reader = ConversationReader(conversation)
        for event in conversation.events { reader.take(event) }
        reader.timePasses(seconds: 0)
        #expect(reader.pendingExchanges == 1)
        reader.timePasses(seconds: 1)
        #expect(reader.pendingExchanges == 0)
        reader.timePasses(seconds: 1)
        #expect(reader.finish().exchanges.map(\.earlyEnd) == ["client, response"])
    }

    @Test func `time that passes behind the end of a connection finds nothing`() {
        let conversation = Self.reset()
        var reader = ConversationReader(conversation)
        for event in conversation.events + [.closes(.finished)] { reader.take(event) }
        #expect(reader.pendingExchanges == 0)
        reader.timePasses(seconds: 1)
        #expect(reader.finish().complaints.isEmpty)
    }
}
