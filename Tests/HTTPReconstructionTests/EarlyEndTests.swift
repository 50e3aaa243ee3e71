// Wingmirror · Apache-2.0

import HTTPReconstruction
import TCPReassembly
import Testing

/// Whose fault it was that an exchange did not come to its end: who closed first decides, and FIN and RST are the same.
@Suite struct EarlyEndTests {
    private typealias Events = [Conversation.Event]

    private static let request = Conversation.Event.client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
    private static let upload = Conversation.Event.client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
    private static let partOfAnswer = Conversation.Event.server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    private static let chunk = Conversation.Event.server(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    )
    private static let answer = Conversation.Event.server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
    private static let clientLeaves: Events = [.clientFinishes, .serverFinishes, .closes(.finished)]
    private static let serverLeaves: Events = [.serverFinishes, .clientFinishes, .closes(.finished)]

    private func ends(_ events: Events, ending: Events) -> [String] {
        Conversation(events).read(ending: ending).exchanges.map { $0.earlyEnd ?? "-" }
    }

    @Test func `a client that leaves before the answer is the one that ended it, by FIN or by RST`() {
        #expect(ends([Self.request], ending: Self.clientLeaves) == ["client"])
        #expect(ends([Self.request], ending: .resetByClient) == ["client"])
    }

    @Test func `a server that closes without an answer is the one that ended it, by FIN or by RST`() {
        #expect(ends([Self.request], ending: Self.serverLeaves) == ["server"])
        #expect(ends([Self.request], ending: .resetByServer) == ["server"])
    }

    @Test(arguments: [partOfAnswer, chunk])
    func `who leaves in the middle of an answer is told apart the same way`(_ part: Conversation.Event) {
        #expect(ends([Self.request, part], ending: Self.clientLeaves) == ["client, response"])
        #expect(ends([Self.request, part], ending: .resetByClient) == ["client, response"])
        #expect(ends([Self.request, part], ending: Self.serverLeaves) == ["server, response"])
        #expect(ends([Self.request, part], ending: .resetByServer) == ["server, response"])
    }

    /// A service that says 100, and then dies or is waited for in vain.
    @Test(arguments: ["100 Continue", "103 Early Hints"])
    func `an interim response is no answer, and who leaves behind it is told apart the same way`(_ status: String) {
        let interim = Conversation.Event.server("HTTP/1.1 \(status)\r\n\r\n")
        #expect(ends([Self.request, interim], ending: Self.serverLeaves) == ["server"])
        #expect(ends([Self.request, interim], ending: .resetByServer) == ["server"])
        #expect(ends([Self.request, interim], ending: Self.clientLeaves) == ["client"])
        #expect(ends([Self.request, interim], ending: .resetByClient) == ["client"])
        #expect(ends([Self.upload, interim], ending: Self.clientLeaves) == ["client, request"])
        // The server has taken the first, and none behind it.
        #expect(
            ends([Self.request, interim, Self.request], ending: .resetByServer) == ["server", "server, unprocessed"]
        )
        #expect(ends([Self.request, interim], ending: .captureEnded) == ["-"])
    }

    @Test func `a client that leaves in the middle of its request has cut it`() {
        #expect(ends([Self.upload], ending: Self.clientLeaves) == ["client, request"])
        #expect(ends([Self.upload], ending: Self.serverLeaves) == ["server, request"])
    }

    @Test func `a whole exchange was broken off by nobody, whoever closes`() {
        #expect(ends([Self.request, Self.answer], ending: Self.clientLeaves) == ["-"])
        #expect(ends([Self.request, Self.answer], ending: .resetByServer) == ["-"])
    }

    @Test func `a client that sends no more and reads its answer has not left`() {
        let events: Events = [Self.request, .clientFinishes, Self.answer]
        #expect(ends(events, ending: [.serverFinishes, .closes(.finished)]) == ["-"])
    }

    @Test func `content that lasts until the server closes is whole when it does, and cut when the client does`() {
        let events: Events = [Self.request, .server("HTTP/1.0 200 OK\r\n\r\nabc")]
        #expect(ends(events, ending: Self.serverLeaves) == ["-"])
        #expect(ends(events, ending: .resetByClient) == ["client, response"])
    }

    @Test func `of pipelined requests that a server drops when it closes it had taken the oldest`() {
        let unprocessed = "server, unprocessed"
        let three: Events = [Self.request, Self.request, Self.request]
        #expect(ends(three, ending: .resetByServer) == ["server", unprocessed, unprocessed])
        #expect(ends(three, ending: Self.serverLeaves) == ["server", unprocessed, unprocessed])
        #expect(ends(three + [Self.answer], ending: .resetByServer) == ["-", "server", unprocessed])
        #expect(ends(three + [Self.partOfAnswer], ending: .resetByServer).dropFirst() == [unprocessed, unprocessed])
        #expect(ends([Self.request, Self.request], ending: .resetByClient) == ["client", "client"])
    }

    @Test(arguments: [
        ("Connection: close", "HTTP/1.1 200 OK"), ("Connection: x, Close", "HTTP/1.1 200 OK"),
        ("X: y", "HTTP/1.1 200 OK\r\nConnection: close"), ("X: y", "HTTP/1.1 400 Bad\r\nConnection: x, close"),
        ("X: y", "HTTP/1.0 200 OK"), ("Transfer-Encoding: gzip, chunked", "HTTP/1.1 501 No\r\nConnection: close"),
    ])
    func `a server takes no request behind an answer that ends the connection`(field: String, answer: String) {
        let first = "GET /a HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n" + (field.hasSuffix("chunked") ? "0\r\n\r\n" : "")
        let events: Events = [
            .client(first), Self.request, .server("\(answer)\r\nContent-Length: 1\r\n\r\na"),
        ]
        #expect(ends(events, ending: Self.serverLeaves) == ["-", "server, unprocessed"])
        #expect(ends(events, ending: .resetByServer) == ["-", "server, unprocessed"])
    }

    @Test func `a server that closes behind an answer that says nothing of it had taken the next request`() {
        let keepsAlive = Conversation.Event.server(
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"
        )
        for answer in [Self.answer, keepsAlive] {
            #expect(ends([Self.request, Self.request, answer], ending: Self.serverLeaves) == ["-", "server"])
        }
        let last = Conversation.Event.client("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(ends([Self.request, last, Self.answer], ending: Self.serverLeaves) == ["-", "server"])
    }

    @Test func `a request that comes after the server has closed was never taken`() {
        let events: Events = [Self.request, Self.answer, .serverFinishes, Self.request]
        #expect(ends(events, ending: [.clientFinishes, .closes(.finished)]) == ["-", "server, unprocessed"])
    }

    @Test func `what our own capture ends was broken off by nobody`() {
        #expect(ends([Self.request], ending: .captureEnded) == ["-"])
        let forgotten: Events = [.ends(.fromOriginator, .abandoned), .ends(.fromResponder, .abandoned), .closes(.idle)]
        #expect(ends([Self.request], ending: forgotten) == ["-"])
    }

    @Test func `a client that opens a new connection on its port has left the old one`() {
        let superseded: Events = [
            .ends(.fromOriginator, .abandoned), .ends(.fromResponder, .abandoned), .closes(.superseded),
        ]
        #expect(ends([Self.request], ending: superseded) == ["client"])
    }

    // MARK: - HTTP/2

    private func streamEnds(_ events: (inout HTTP2Script) -> Events, ending: Events = .finished) -> [String] {
        var script = HTTP2Script()
        let opening: Events = [
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening),
        ]
        return ends(opening + events(&script), ending: ending)
    }

    @Test func `a stream belongs to whoever resets it, and a refused one was never taken`() {
        #expect(streamEnds { _ in [.client(HTTP2Script.reset(1, 8)), .passes(seconds: 1)] } == ["client"])
        #expect(streamEnds { _ in [.server(HTTP2Script.reset(1, 2))] } == ["server"])
        #expect(streamEnds { _ in [.server(HTTP2Script.reset(1, 7))] } == ["server, unprocessed"])
        #expect(
            streamEnds { script in
                let head = script.response(1, [(":status", "200")])
                return [.server(head), .client(HTTP2Script.reset(1, 8)), .passes(seconds: 1)]
            } == ["client, response"]
        )
    }

    /// Envoy resets a stream whose content is longer or shorter than it was announced, and goes on.
    @Test(arguments: ["2", "4"])
    func `a stream that is reset for the length of its request is the client's fault`(length: String) {
        let events: (inout HTTP2Script) -> Events = { script in
            let fields = HTTP2Script.head("/b", method: "POST") + [("content-length", length)]
            return [.client(script.request(3, fields, ends: false) + HTTP2Script.data(3, "abc"))]
        }
        #expect(streamEnds { script in events(&script) + [.server(HTTP2Script.reset(3, 1))] }.first == "client")
        #expect(streamEnds { script in events(&script) + [.server(HTTP2Script.reset(3, 2))] }.first == "server")
    }

    @Test func `streams beyond the last that a server takes were never taken`() {
        #expect(
            streamEnds { _ in [.server(TestFrame.frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]))] } == ["server, unprocessed"]
        )
    }

    @Test(arguments: [(0, "server"), (1, "client"), (2, "server"), (6, "client"), (11, "client")] as [(UInt8, String)])
    func `where a server says that the client broke a rule, what it leaves is the client's`(code: UInt8, end: String) {
        let goAway = TestFrame.frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, code])
        #expect(streamEnds({ _ in [.server(goAway)] }, ending: Self.serverLeaves) == [end])
        #expect(streamEnds({ _ in [.server(goAway), .passes(seconds: 5)] }, ending: Self.serverLeaves) == [end])
    }

    @Test(arguments: [clientLeaves, serverLeaves, .resetByClient])
    func `a stream that comes behind the last the server takes was never taken, whoever ends it`(
        _ ending: [Conversation.Event]
    ) {
        let goAway = TestFrame.frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])
        let answer: (inout HTTP2Script) -> Events = { script in
            [
                .server(goAway + script.response(1, [(":status", "204")], ends: true)),
                .client(script.request(3, HTTP2Script.head("/late"))),
            ]
        }
        #expect(streamEnds(answer, ending: ending) == ["-", "server, unprocessed"])
        // One that says so and answers all the same has taken it.
        #expect(
            streamEnds(
                { script in answer(&script) + [.server(script.response(3, [(":status", "200")], ends: true))] },
                ending: ending
            ) == ["-", "-"]
        )
        // A first GOAWAY may only announce the second (RFC 9113 §6.8).
        #expect(
            streamEnds(
                { script in
                    [
                        .server(TestFrame.frame(7, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])),
                        .server(script.response(1, [(":status", "204")], ends: true)),
                        .client(script.request(3, HTTP2Script.head("/late"))),
                    ]
                },
                ending: Self.serverLeaves
            ) == ["-", "server"]
        )
    }

    @Test(arguments: [false, true])
    func `a server that closes for a rule that the client broke left the streams before to it, and took none behind`(
        isInTrailers: Bool
    ) {
        let twice = [(":method", "GET"), (":scheme", "http"), (":path", "/b"), (":path", "/c"), (":authority", "h")]
        var script = HTTP2Script()
        let before = HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))
        let breaks =
            isInTrailers
            ? script.request(3, HTTP2Script.head("/b", method: "POST"), ends: false)
                + script.request(3, [(":path", "/c")])
            : script.request(3, twice)
        let events: Events = [
            .client(before + breaks + script.request(5, HTTP2Script.head("/d"))), .server(HTTP2Script.serverOpening),
        ]
        #expect(ends(events, ending: Self.serverLeaves).suffix(2) == ["client", "server, unprocessed"])
        #expect(ends(events, ending: Self.serverLeaves).first == "client")
        let later = ends(events + [.passes(seconds: 10)], ending: Self.serverLeaves)
        #expect(later.first == "server" && later.last == "server")
        // Of what the server settles by itself nothing else is taken to have come.
        let settled = ends(events + [.server(HTTP2Script.reset(3, 1))], ending: Self.serverLeaves)
        #expect(settled == ["client", "server", "server"])
    }

    /// Each was sent to Envoy 1.40, which closes the connection within a second, and says nothing before.
    static let silentlyRefused: [[UInt8]] = [
        TestFrame.frame(8, 0, 0, [0, 0, 0, 0]), TestFrame.frame(8, 0, 1, [0x80, 0, 0, 0]),
        TestFrame.frame(4, 0, 0, [0, 2, 0, 0, 0, 2]), TestFrame.frame(4, 0, 0, [0, 8, 0, 0, 0, 2]),
        TestFrame.frame(4, 0, 0, [0, 4, 0x80, 0, 0, 0]), TestFrame.frame(4, 0, 0, [0, 5, 0, 0, 0, 100]),
        TestFrame.frame(3, 0, 9, [0, 0, 0, 8]), TestFrame.frame(5, 4, 1, [0, 0, 0, 2, 0x82]),
        TestFrame.frame(8, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF]), TestFrame.frame(8, 0, 1, [0x7F, 0xFF, 0xFF, 0xFF]),
    ]

    @Test(arguments: silentlyRefused)
    func `a frame for which a server closes without a word is the client's fault, and no stream behind it was taken`(
        frame: [UInt8]
    ) {
        var script = HTTP2Script()
        let events: Events = [
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(HTTP2Script.serverOpening),
            .client(frame + script.request(3, HTTP2Script.head("/b"))),
        ]
        #expect(ends(events, ending: Self.serverLeaves) == ["client", "server, unprocessed"])
        #expect(ends(events + [.passes(seconds: 10)], ending: Self.serverLeaves) == ["server", "server"])
        // One that answers what came behind it has taken no notice.
        let answered = events + [.server(script.response(3, [(":status", "204")], ends: true))]
        #expect(ends(answered, ending: Self.serverLeaves) == ["-", "server"])
    }

    @Test func `a client may reset what the server promised it, set what nobody knows and open windows`() {
        let allowed =
            HTTP2Script.reset(2, 8) + TestFrame.frame(4, 0, 0, [0xFE, 3, 0, 0, 0, 7])
            + TestFrame.frame(4, 0, 0, [0, 4, 0x7F, 0xFF, 0xFF, 0xFF]) + TestFrame.frame(8, 0, 0, [0, 0, 0, 1])
            + TestFrame.frame(1 << 5, 0, 9, [1])
        let ends = streamEnds(
            { script in [.client(allowed + script.request(3, HTTP2Script.head("/b")))] },
            ending: Self.serverLeaves
        )
        #expect(ends == ["server", "server"])
    }

    /// 65,535 octets are open before that; Envoy 1.40 goes on after each.
    @Test func `a client may open windows as far as they go, and again by what it has received`() {
        let whole: [UInt8] = [0x7F, 0xFF, 0, 0]
        let opened = TestFrame.frame(8, 0, 0, whole) + TestFrame.frame(8, 0, 1, whole)
        let closed = TestFrame.frame(4, 0, 0, [0, 4, 0, 0, 0, 0]) + TestFrame.frame(8, 0, 1, [0x7F, 0xFF, 0xFF, 0xFF])
        for allowed in [opened, closed] {
            let ends = streamEnds(
                { script in
                    [
                        .client(allowed),
                        .server(script.response(1, [(":status", "200")]) + HTTP2Script.data(1, "0123456789")),
                        .client(TestFrame.frame(8, 0, 0, [0, 0, 0, 10]) + script.request(3, HTTP2Script.head("/b"))),
                    ]
                },
                ending: Self.serverLeaves
            )
            #expect(ends == ["-", "server"])
        }
    }

    @Test(arguments: [TestFrame.frame(6, 0, 1, [1, 2, 3, 4, 5, 6, 7, 8]), TestFrame.frame(4, 0, 3, [])])
    func `a frame on a stream where it cannot stand is the client's fault too`(frame: [UInt8]) {
        #expect(streamEnds({ _ in [.client(frame)] }, ending: Self.serverLeaves) == ["client"])
        #expect(streamEnds({ _ in [.client(frame), .passes(seconds: 10)] }, ending: Self.serverLeaves) == ["server"])
    }

    @Test func `a stream that depends on itself is the client's fault`() {
        let ends = streamEnds(
            { script in
                var block: [UInt8] = []
                for (name, value) in HTTP2Script.head("/b") {
                    block += script.client.encode(name, value, inserts: true)
                }
                return [.client(TestFrame.frame(1, 0x25, 3, [0, 0, 0, 3, 16] + block))]
            },
            ending: Self.serverLeaves
        )
        #expect(ends == ["client", "client"])
    }

    @Test func `of two rules that the client broke the later counts, once the server took no notice of the first`() {
        let ends = streamEnds(
            { script in
                [
                    .client(TestFrame.frame(8, 0, 0, [0, 0, 0, 0])), .passes(seconds: 10),
                    .client(script.request(3, HTTP2Script.head("b"))),
                ]
            },
            ending: Self.serverLeaves
        )
        #expect(ends == ["client", "client"])
    }

    @Test func `a stream that was opened before the client broke a rule on an earlier one was taken`() {
        var script = HTTP2Script()
        let opening =
            HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))
            + script.request(3, HTTP2Script.head("/b"))
        // Content behind the end of its request (RFC 9113 §5.1, half-closed (remote)).
        let events: Events = [
            .client(opening + TestFrame.frame(0, 1, 1, [7]) + script.request(5, HTTP2Script.head("/c"))),
            .server(HTTP2Script.serverOpening),
        ]
        #expect(ends(events, ending: Self.serverLeaves) == ["client", "client", "server, unprocessed"])
    }

    @Test func `a stream in progress belongs to whoever closes the connection first`() {
        #expect(streamEnds({ _ in [] }, ending: Self.clientLeaves) == ["client"])
        #expect(streamEnds({ _ in [] }, ending: .resetByServer) == ["server"])
        #expect(streamEnds({ _ in [] }, ending: .captureEnded) == ["-"])
    }
}
