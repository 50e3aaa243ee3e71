// Wingmirror · Apache-2.0
// HTTP/2 seen from the side, RFC 9113.

import OctetText
import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

/// Both sides of an HTTP/2 connection, as frames.
struct HTTP2Script {
    var client = TestEncoder()
    var server = TestEncoder()

    init() {
        client.prefersStaticNames = true
        server.prefersStaticNames = true
    }

    typealias Fields = [(String, String)]

    /// The client's preface and empty SETTINGS.
    static let opening = TestFrame.preface + TestFrame.frame(4, 0, 0, [])
    static let serverOpening = TestFrame.frame(4, 0, 0, [])

    static func head(_ path: String, method: String = "GET") -> Fields {
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "shop.example.com")]
    }

    /// HEADERS of the client.
    mutating func request(_ stream: UInt32, _ fields: Fields, ends: Bool = true, inserts: Bool = true) -> [UInt8] {
        var block: [UInt8] = []
        for (name, value) in fields { block += client.encode(name, value, inserts: inserts) }
        return TestFrame.frame(1, ends ? 5 : 4, stream, block)
    }

    /// HEADERS of the server.
    mutating func response(_ stream: UInt32, _ fields: Fields, ends: Bool = false, inserts: Bool = true) -> [UInt8] {
        var block: [UInt8] = []
        for (name, value) in fields { block += server.encode(name, value, inserts: inserts) }
        return TestFrame.frame(1, ends ? 5 : 4, stream, block)
    }

    static func data(_ stream: UInt32, _ text: String, ends: Bool = true) -> [UInt8] {
        TestFrame.frame(0, ends ? 1 : 0, stream, Array(text.utf8))
    }

    static func reset(_ stream: UInt32, _ code: UInt8) -> [UInt8] {
        TestFrame.frame(3, 0, stream, [0, 0, 0, code])
    }
}

extension Conversation.Event {
    static func client(_ octets: [UInt8]) -> Self { .octets(.fromOriginator, octets, acknowledging: nil) }
    static func server(_ octets: [UInt8]) -> Self { .octets(.fromResponder, octets, acknowledging: nil) }
    static func clientHole(_ octets: [UInt8]) -> Self { .missing(.fromOriginator, octets.count, .captureLoss) }
    static func serverHole(_ octets: [UInt8]) -> Self { .missing(.fromResponder, octets.count, .captureLoss) }
}

@Suite struct HTTP2ConversationTests {
    @Test func `a request and its response are an exchange, however the octets are cut`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(
                HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("content-type", "text/plain")])
            ),
            .server(HTTP2Script.data(1, "hello"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (5)"])
        #expect(record.protocols == [.http2])
        #expect(record.exchanges.first?.request?.authority == "shop.example.com")
        #expect(record.exchanges.first?.response?.fields == [.init(name: "content-type", value: "text/plain")])
        #expect(record.exchanges.first?.version == .http2)
    }

    @Test func `a server may speak in the midst of the client's preface`() {
        for cut in 0...TestFrame.preface.count {
            var script = HTTP2Script()
            let record = Conversation(
                .client(Array(TestFrame.preface[..<cut])),
                .server(HTTP2Script.serverOpening),
                .client(
                    Array(HTTP2Script.opening[cut...]) + script.request(1, HTTP2Script.head("/a"))
                ),
                .server(script.response(1, [(":status", "204")], ends: true))
            ).read()
            #expect(record.lines == ["GET /a -> 204"], "cut after \(cut)")
        }
    }

    @Test func `interim responses and trailers of both sides belong to the exchange`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(
                HTTP2Script.opening
                    + script.request(
                        1,
                        HTTP2Script.head("/p.S/M", method: "POST") + [
                            ("content-type", "application/grpc+proto"), ("te", "trailers"),
                        ],
                        ends: false
                    )
            ),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "103"), ("link", "x")])),
            .client(HTTP2Script.data(1, "ping!", ends: false) + script.request(1, [("x-sum", "1")])),
            .server(script.response(1, [(":status", "200"), ("content-type", "application/grpc")])),
            .server(HTTP2Script.data(1, "pong", ends: false)),
            .server(script.response(1, [("grpc-status", "5"), ("grpc-message", "no")], ends: true))
        ).readInEveryWay()
        #expect(record.lines == ["POST /p.S/M (5) +1 -> 103 200 (4) +2 grpc 5"])
        #expect(record.trailerSections == ["request x-sum=1", "response grpc-status=5 grpc-message=no"])
    }

    @Test func `a grpc status in the only head that ends the stream is final, one in another head is not`() {
        var script = HTTP2Script()
        let grpc = [("content-type", "application/grpc")]
        let record = Conversation(
            .client(HTTP2Script.opening),
            .client(script.request(1, HTTP2Script.head("/a.B/C", method: "POST") + grpc)),
            .server(
                HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("grpc-status", "14")], ends: true)
            ),
            .client(script.request(3, HTTP2Script.head("/a.B/C", method: "POST") + grpc)),
            .server(script.response(3, [(":status", "200"), ("grpc-status", "0")]) + HTTP2Script.data(3, "x")),
            .client(
                script.request(5, HTTP2Script.head("/web", method: "POST") + [("content-type", "application/grpc-web")])
            ),
            .server(script.response(5, [(":status", "200"), ("grpc-status", "3")], ends: true))
        ).readInEveryWay()
        #expect(record.lines == ["POST /a.B/C -> 200 grpc 14", "POST /a.B/C -> 200 (1)", "POST /web -> 200 grpc 3"])
    }

    @Test func `exchanges are numbered as they begin and emitted as they end`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening),
            .client(script.request(1, HTTP2Script.head("/slow")) + script.request(3, HTTP2Script.head("/fast"))),
            .server(HTTP2Script.serverOpening + script.response(3, [(":status", "204")], ends: true)),
            .server(script.response(1, [(":status", "200")], ends: true))
        ).read()
        #expect(record.lines == ["GET /fast -> 204", "GET /slow -> 200"])
        #expect(record.exchanges.map(\.number) == [1, 0])
    }

    @Test func `continuations, padding and priority change nothing`() {
        var script = HTTP2Script()
        let block = Array(script.request(1, HTTP2Script.head("/long")).dropFirst(9))
        let split = block.count / 2
        let record = Conversation(
            .client(HTTP2Script.opening),
            .client(TestFrame.frame(1, 0x29, 1, [3, 0, 0, 0, 0, 16] + block[..<split] + [0, 0, 0])),
            .client(TestFrame.frame(9, 0, 1, []) + TestFrame.frame(9, 4, 1, Array(block[split...]))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .server(TestFrame.frame(0, 9, 1, [2] + Array("body".utf8) + [0, 0]))
        ).readInEveryWay()
        #expect(record.lines == ["GET /long -> 200 (4)"])
    }

    @Test func `cookie crumbs are one field for who matches, and lines as sent for who counts`() {
        var script = HTTP2Script()
        let fields = HTTP2Script.head("/c") + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, fields)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true))
        ).readInEveryWay()
        let request = record.exchanges.first?.request
        #expect(request?.value(of: "cookie") == "a=1; b=2; c=3")
        #expect(request?.fields.count == 2)
    }

    @Test(
        arguments: [
            (["", "a=1"], "a=1"), (["", "", "a=1"], "a=1"), (["a=1", "", "b=2"], "a=1; ; b=2"), (["a=1", ""], "a=1; "),
            (["", ""], ""),
        ]
    )
    func `empty cookie crumbs in front leave nothing, as at the gateway`(crumbs: [String], cookie: String) {
        var script = HTTP2Script()
        let fields = HTTP2Script.head("/c") + crumbs.map { ("cookie", $0) }
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, fields)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true))
        ).readInEveryWay()
        #expect(record.exchanges.first?.request?.value(of: "cookie") == cookie)
    }

    @Test func `the authority is the pseudo-header field, else host`() {
        var script = HTTP2Script()
        let without: HTTP2Script.Fields = [
            (":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "b.example"),
        ]
        let both = HTTP2Script.head("/") + [("host", "c.example")]
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, without) + script.request(3, both)),
            .server(
                HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)
                    + script.response(3, [(":status", "200")], ends: true)
            )
        ).readInEveryWay()
        #expect(record.exchanges.map { $0.request?.authority } == ["b.example", "shop.example.com"])
    }

    @Test func `a reset ends an exchange with a mark, but not where it only stops an upload`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening),
            .client(script.request(1, HTTP2Script.head("/cancelled")) + HTTP2Script.reset(1, 8)),
            .client(script.request(3, HTTP2Script.head("/refused"))),
            .server(HTTP2Script.serverOpening + HTTP2Script.reset(3, 7)),
            .client(script.request(5, HTTP2Script.head("/upload", method: "POST"), ends: false)),
            .server(script.response(5, [(":status", "413")], ends: true) + HTTP2Script.reset(5, 0))
        ).read()
        #expect(
            record.lines == [
                "GET /refused -> - [no_response reset_by_server]", "POST /upload -> 413",
                "GET /cancelled -> - [no_response reset_by_client]",
            ]
        )
    }

    @Test func `an answer that crosses the client's reset completes the exchange`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/late")) + HTTP2Script.reset(1, 8)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true))
        ).readInEveryWay()
        #expect(record.lines == ["GET /late -> 200"])
    }

    @Test func `frames of a stream that was reset still change the table`() {
        var script = HTTP2Script()
        let first = script.request(1, HTTP2Script.head("/x"))
        let answer = script.response(1, [(":status", "200"), ("x-long", "some value")], ends: true)
        let record = Conversation(
            .client(HTTP2Script.opening + first + HTTP2Script.reset(1, 8)),
            .server(HTTP2Script.serverOpening + answer),
            .client(script.request(3, HTTP2Script.head("/y"))),
            .server(script.response(3, [(":status", "200"), ("x-long", "some value")], ends: true))
        ).read()
        #expect(record.exchanges.last?.response?.value(of: "x-long") == "some value")
    }

    @Test func `streams above the last of a GOAWAY are over, the others go on`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening),
            .client(script.request(1, HTTP2Script.head("/one")) + script.request(3, HTTP2Script.head("/three"))),
            .server(HTTP2Script.serverOpening + TestFrame.frame(7, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])),
            .server(TestFrame.frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])),
            .server(script.response(1, [(":status", "200")], ends: true))
        ).read()
        #expect(record.lines == ["GET /three -> - [no_response reset_by_server]", "GET /one -> 200"])
    }

    @Test func `an accepted extended CONNECT is a WebSocket, and what follows is not its content`() {
        var script = HTTP2Script()
        let fields: HTTP2Script.Fields = [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "shop.example.com"),
        ]
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, fields, ends: false)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .client(HTTP2Script.data(1, "frames", ends: false)),
            .server(HTTP2Script.data(1, "frames")),
            .client(HTTP2Script.data(1, ""))
        ).readInEveryWay()
        #expect(record.lines == ["CONNECT /chat -> 200 webSocket [malformed]"])
        #expect(record.traits.first?.contains(.isExtendedConnect) == true)
    }

    @Test func `a promised request is no request of the client, and its block belongs to the table`() {
        var script = HTTP2Script()
        let first = script.request(1, HTTP2Script.head("/page"))
        var block: [UInt8] = []
        for (name, value) in HTTP2Script.head("/pushed") { block += script.server.encode(name, value, inserts: true) }
        let promise = TestFrame.frame(5, 4, 1, [0, 0, 0, 2] + block)
        let answers =
            script.response(1, [(":status", "200"), ("x-a", "b")], ends: true)
            + script.response(2, [(":status", "200"), ("x-a", "b")], ends: true)
        let record = Conversation(
            .client(HTTP2Script.opening + first),
            .server(HTTP2Script.serverOpening + promise + answers)
        ).readInEveryWay()
        #expect(record.lines == ["GET /page -> 200"])
        #expect(record.exchanges.first?.response?.value(of: "x-a") == "b")
    }

    @Test func `a connection that ends ends its streams`() {
        var script = HTTP2Script()
        let events: [Conversation.Event] = [
            .client(HTTP2Script.opening),
            .client(script.request(1, HTTP2Script.head("/begun")) + script.request(3, HTTP2Script.head("/waiting"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .server(HTTP2Script.data(1, "half", ends: false)),
        ]
        #expect(
            Conversation(events).read().lines == [
                "GET /begun -> 200 (4) [closed_early]", "GET /waiting -> - [no_response]",
            ]
        )
        #expect(
            Conversation(events).read(ending: .resetByServer).lines == [
                "GET /begun -> 200 (4) [reset_by_server]", "GET /waiting -> - [no_response reset_by_server]",
            ]
        )
        #expect(
            Conversation(events).read(ending: .captureEnded).lines == [
                "GET /begun -> 200 (4) [interrupted]", "GET /waiting -> - [no_response interrupted]",
            ]
        )
    }

    @Test func `a length that is not kept is malformed, except where there is no content to have`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening),
            .client(script.request(1, HTTP2Script.head("/short"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("content-length", "9")])),
            .server(HTTP2Script.data(1, "four")),
            .client(script.request(3, HTTP2Script.head("/head", method: "HEAD"))),
            .server(script.response(3, [(":status", "200"), ("content-length", "9")], ends: true))
        ).readInEveryWay()
        #expect(record.lines == ["GET /short -> 200 (4) [malformed]", "HEAD /head -> 200"])
    }

    // MARK: - How it begins

    @Test func `an upgrade from HTTP/1.1 is one exchange on one connection, answered on stream 1`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client("GET /up HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
            .server("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .client(HTTP2Script.opening),
            .server(HTTP2Script.data(1, "hello")),
            .client(script.request(3, HTTP2Script.head("/next"))),
            .server(script.response(3, [(":status", "204")], ends: true))
        ).readInEveryWay()
        #expect(record.lines == ["GET /up -> 101 200 (5)", "GET /next -> 204"])
        #expect(record.protocols == [.http1])
        #expect(record.exchanges.map(\.number) == [0, 1])
    }

    @Test func `a server that speaks first is read as HTTP/2`() {
        var script = HTTP2Script()
        let record = Conversation(
            .server(HTTP2Script.serverOpening),
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/a"))),
            .server(script.response(1, [(":status", "200")], ends: true))
        ).read()
        #expect(record.lines == ["GET /a -> 200"])
        #expect(record.protocols == [.http2])
    }

    @Test(arguments: [false, true])
    func `a connection joined late is recognised by a head, and tells what it knows`(serverIsFirst: Bool) {
        var script = HTTP2Script()
        // Before the capture.
        _ = script.request(1, HTTP2Script.head("/known"))
        _ = script.response(1, [(":status", "200"), ("x-a", "b")], ends: true)
        let waiting = script.response(3, [(":status", "200"), ("x-a", "b")], ends: true)
        let events: [Conversation.Event] = [
            .client(script.request(5, HTTP2Script.head("/known"))),
            .client(script.request(7, HTTP2Script.head("/new"))),
            .server(script.response(5, [(":status", "404")], ends: true)),
            .server(script.response(7, [(":status", "204")], ends: true)),
        ]
        let record = Conversation(serverIsFirst ? [.server(waiting)] + events : events, sawHandshake: false).read()
        let known = record.exchanges.filter { $0.request != nil }
        #expect(record.protocols == [.http2])
        #expect(known.map { $0.response?.status } == [404, 204])
        #expect(known.map { $0.request?.target } == ["", "/new"])
        #expect(known.map { $0.request?.method } == ["GET", "GET"])
        #expect(record.identities.map(\.client) == [Conversation.client])
        if serverIsFirst {
            #expect(record.exchanges.first?.marks == ["joined_midstream", "unknown_field_block"])
        }
    }

    @Test(arguments: 0..<30)
    func `octets of another protocol are never taken for HTTP/2`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events: [Conversation.Event] = (0..<40).map { _ in
            let octets = (0..<Int.random(in: 10..<1000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            return random.oneIn(2) ? .client(octets) : .server(octets)
        }
        let record = Conversation(events, sawHandshake: false).read()
        #expect(!record.protocols.contains(.http2))
        #expect(record.exchanges.isEmpty)
    }

    /// What a connection of many requests shows with segments taken out, against what it shows whole.
    @Test(arguments: 0..<60)
    func `a lossy connection shows no wrong field, status or pair`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var script = HTTP2Script()
        var events: [Conversation.Event] = []
        for number in 0..<UInt32(60) {
            let stream = 2 * number + 1
            let path = "/p\(Int.random(in: 0..<8, using: &random))"
            let fields = HTTP2Script.head(path) + [("x-id", "\(number)"), ("x-tenant", "t\(number % 3)")]
            events.append(.client(script.request(stream, fields, inserts: !random.oneIn(4))))
            let status = ["200", "204", "404", "503"].randomElement(using: &random) ?? "200"
            let hasContent = random.oneIn(2)
            events.append(
                .server(script.response(stream, [(":status", status), ("x-answer", "\(number)")], ends: !hasContent))
            )
            if hasContent { events.append(.server(HTTP2Script.data(stream, String(repeating: "c", count: 300)))) }
        }
        let opening: [Conversation.Event] = [.client(HTTP2Script.opening), .server(HTTP2Script.serverOpening)]
        let whole = Conversation(opening + events).read()
        #expect(whole.exchanges.count == 60)
        let damaged = events.map { event in
            guard case .octets(let direction, let octets, _) = event, random.oneIn(12) else { return event }
            return Conversation.Event.missing(direction, octets.count, .captureLoss)
        }
        let lossy = Conversation(opening + damaged).read()
        let truth = Dictionary(uniqueKeysWithValues: whole.exchanges.map { ($0.stream, $0) })
        for exchange in lossy.exchanges {
            guard let expected = truth[exchange.stream] else {
                Issue.record("seed \(seed): \(exchange) is on no stream that there was")
                continue
            }
            if let request = exchange.request, let real = expected.request {
                #expect(request.method.isEmpty || request.method == real.method, "seed \(seed)")
                #expect(request.target.isEmpty || request.target == real.target, "seed \(seed)")
                #expect(request.authority == nil || request.authority == real.authority, "seed \(seed)")
                for field in request.fields { #expect(real.value(of: field.name) == field.value, "seed \(seed)") }
            }
            if let response = exchange.response, let real = expected.response {
                #expect(response.status == 0 || response.status == real.status, "seed \(seed)")
                for field in response.fields { #expect(real.value(of: field.name) == field.value, "seed \(seed)") }
            }
            let isWhole = exchange.request == expected.request && exchange.response == expected.response
            #expect(isWhole || !exchange.marks.isEmpty, "seed \(seed): \(exchange)")
        }
    }

    // MARK: - Holes

    @Test func `content that was missed inside a frame is counted, and the rest goes on`() {
        var script = HTTP2Script()
        let data = HTTP2Script.data(1, String(repeating: "x", count: 1000))
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/big"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")]) + data[..<100]),
            .serverHole(Array(data[100..<900])),
            .server(Array(data[900...])),
            .client(script.request(3, HTTP2Script.head("/next"))),
            .server(script.response(3, [(":status", "200"), ("x-a", "b")], ends: true))
        ).read()
        #expect(record.lines == ["GET /big -> 200 (1000) [response_gap]", "GET /next -> 200"])
    }

    @Test func `requests behind a lost one are found again, and its answer has no request`() {
        var script = HTTP2Script()
        let first = script.request(1, HTTP2Script.head("/first"))
        let lost = script.request(3, HTTP2Script.head("/lost"))
        let third = script.request(
            5,
            [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "z.example")]
        )
        let record = Conversation(
            .client(HTTP2Script.opening + first),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            .clientHole(lost),
            .client(third),
            .server(script.response(3, [(":status", "404")], ends: true)),
            .server(script.response(5, [(":status", "204")], ends: true))
        ).read()
        #expect(record.lines == ["GET /first -> 200", "- -> 404 [request_gap]", "POST / -> 204"])
    }

    @Test func `a field that may be of a lost insertion is unknown, never wrong`() {
        var script = HTTP2Script()
        let first = script.request(1, HTTP2Script.head("/first"))
        let lost = script.request(3, HTTP2Script.head("/second") + [("x-more", "1")])
        let third = script.request(5, HTTP2Script.head("/first"))
        let record = Conversation(
            .client(HTTP2Script.opening + first),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")], ends: true)),
            .clientHole(lost),
            .client(third),
            .server(script.response(5, [(":status", "204")], ends: true))
        ).read()
        let exchange = record.exchanges.last
        #expect(exchange?.request?.method == "GET")
        #expect(exchange?.request?.target == "")
        #expect(exchange?.marks == ["unknown_field_block"])
        #expect(record.traits.last?.contains(.targetUnknown) == true)
    }

    @Test func `a hole that held no field block changes nothing`() {
        var script = HTTP2Script()
        let lost = TestFrame.frame(8, 0, 0, [0, 0, 1, 0]) + TestFrame.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, HTTP2Script.head("/first"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("x-a", "b")], ends: true)),
            .clientHole(lost),
            .serverHole(lost),
            .client(script.request(3, HTTP2Script.head("/first"))),
            .server(script.response(3, [(":status", "200"), ("x-a", "b")], ends: true))
        ).read()
        #expect(record.lines == ["GET /first -> 200", "GET /first -> 200"])
        #expect(record.exchanges.last?.response?.value(of: "x-a") == "b")
    }

    // MARK: - Limits

    @Test func `rapid resets leave nothing behind`() {
        var script = HTTP2Script()
        var events: [Conversation.Event] = [.client(HTTP2Script.opening)]
        for number in 0..<UInt32(5000) {
            events.append(
                .client(script.request(2 * number + 1, HTTP2Script.head("/r")) + HTTP2Script.reset(2 * number + 1, 8))
            )
        }
        var reader = ConversationReader(Conversation(events))
        var most = 0
        for event in events {
            reader.take(event)
            most = max(most, reader.pendingExchanges)
        }
        #expect(most < 300)
        let record = reader.finish()
        #expect(record.exchanges.count == 5000)
    }

    @Test func `the oldest stream is given up when there are too many`() {
        var limits = HTTPLimits()
        limits.liveStreams = 3
        var script = HTTP2Script()
        var events: [Conversation.Event] = [.client(HTTP2Script.opening)]
        for number in 0..<UInt32(5) {
            events.append(.client(script.request(2 * number + 1, HTTP2Script.head("/\(number)"))))
        }
        let record = Conversation(events, limits: limits).read()
        #expect(
            record.lines.prefix(2) == [
                "GET /0 -> - [no_response limit_reached]", "GET /1 -> - [no_response limit_reached]",
            ]
        )
        #expect(record.statistics.abandonedExchanges == 2)
    }

    @Test func `a head beyond the limit is marked, and later ones are read`() {
        var limits = HTTPLimits()
        limits.headOctets = 1024
        var script = HTTP2Script()
        let long = HTTP2Script.head("/long") + (0..<50).map { ("x-\($0)", String(repeating: "v", count: 40)) }
        let record = Conversation(
            [
                .client(HTTP2Script.opening + script.request(1, long)),
                .client(script.request(3, HTTP2Script.head("/next") + [("x-49", String(repeating: "v", count: 40))])),
                .server(
                    HTTP2Script.serverOpening + script.response(1, [(":status", "431")], ends: true)
                        + script.response(3, [(":status", "200")], ends: true)
                ),
            ],
            limits: limits
        ).read()
        #expect(record.lines.first?.contains("limit_reached") == true)
        #expect(record.exchanges.last?.request?.value(of: "x-49") == String(repeating: "v", count: 40))
    }
}
