// Wingmirror · Apache-2.0
// Octets that were not captured: decisions 2 and 8.

import HTTPReconstruction
import TCPReassembly
import Testing
import TrafficModel

@Suite struct HoleTests {
    static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n" }
    static func ok(_ content: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)"
    }
    static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    // MARK: - Inside content

    @Test func `a hole inside content of a known length is counted, and reading goes on`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012"),
            .serverHole("3456"),
            .server("789"),
            .client(Self.get("/b")),
            .server(Self.ok("b"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (10) [response_gap]", "GET /b -> 200 (1)"])
        #expect(record.exchanges.first?.response?.content == Array("012789".utf8))
    }

    @Test func `a hole that reaches exactly to the end of content ends the message`() {
        let record = Conversation(
            .client("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"),
            .clientHole("cd"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"),
            .serverHole("okay"),
            .client(Self.get("/b")),
            .server(Self.ok("b"))
        ).readInEveryWay()
        #expect(record.lines == ["PUT /a (4) -> 200 (4) [request_gap response_gap]", "GET /b -> 200 (1)"])
    }

    @Test func `a hole inside a chunk is counted, and reading goes on`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.chunkedHead + "A\r\n012"),
            .serverHole("3456"),
            .server("789\r\n1\r\nx\r\n0\r\n\r\n"),
            .client(Self.get("/b")),
            .server(Self.ok("b"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (11) [response_gap]", "GET /b -> 200 (1)"])
    }

    @Test func `a hole that reaches exactly to the end of a chunk is counted, and reading goes on`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.chunkedHead + "A\r\n012"),
            .serverHole("3456789"),
            .server("\r\n0\r\n\r\n"),
            .client(Self.get("/b")),
            .server(Self.ok("b"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (10) [response_gap]", "GET /b -> 200 (1)"])
    }

    @Test func `a hole across the border of a chunk ends what can be read of the message`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.chunkedHead + "A\r\n012"),
            .serverHole("3456789\r\n"),
            .server("1\r\nx\r\n0\r\n\r\n"),
            .client(Self.get("/b")),
            .server(Self.ok("b"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (3) [response_gap]", "GET /b -> 200 (1)"])
    }

    @Test func `a hole in close-delimited content is counted`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server("HTTP/1.1 200 OK\r\n\r\nabc"),
            .serverHole("defg"),
            .server("hi")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (9) [response_gap]"])
    }

    @Test func `what the snapshot length cut off is told apart from loss`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012"),
            .serverHole("3456789", .truncated)
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (10) [response_gap truncated_capture]"])
    }

    @Test func `a hole beyond the end of content does not lengthen it`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"),
            .serverHole("cdHTTP/1.1 100 "),
            .client(Self.get("/b"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (4) [response_gap]", "GET /b -> - [no_response]"])
    }

    @Test func `a hole in a request's content does not hide the response`() {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab"),
            .clientHole("cd\r\n0\r\n\r\n"),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read()
        #expect(record.lines == ["POST /a (2) -> 200 (1) [request_gap]", "GET /b -> 200 (2)"])
    }

    // MARK: - Heads

    @Test func `the rest of a body in front of a request is no part of its method`() {
        let record = Conversation(
            .clientHole("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n"),
            .client("xxxxxxxx" + Self.get("/b") + Self.get("/c")),
            .server(Self.ok("a")),
            .server(Self.ok("bb")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(record.exchanges.compactMap { $0.request?.target } == ["/b", "/c"])
        #expect(record.exchanges.allSatisfy { $0.request == nil || $0.request?.method == "GET" })
    }

    @Test func `content that quotes several requests in a row is none of them`() {
        let quoted = "GET /quoted HTTP/1.1\r\nHost: q\r\n\r\n"
        let record = Conversation(
            .clientHole("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 77\r\n\r\n"),
            .client(quoted + quoted + "end"),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read()
        #expect(!record.lines.contains { $0.contains("quoted") })
        #expect(record.lines.last == "GET /b -> 200 (2)")
    }

    private static let quoted = "GET /quoted HTTP/1.1\r\nHost: q\r\n\r\n"
    private static let quotedWithContent = "PUT /quoted HTTP/1.1\r\nHost: q\r\nContent-Length: 9\r\n\r\n"

    @Test(
        arguments: [
            [quoted, "end"], [quoted + quoted, "end"], ["text\r\n\r\n" + quoted, "end"],
            [quotedWithContent, "content", "end"], [quotedWithContent + "con", "tent and the end"],
            [quoted, "", "end"], [quoted, quoted, "end"], [quoted + "GET /quo", "ted text", "end"],
            [quotedWithContent + "con", ""], [quotedWithContent + "con"],
            ["text\r\n\r\nGET /quoted HTTP/1.1\r\nHost: ", "q\r\n\r\n" + quoted + "end"],
            [
                "text\r\n\r\nGET /quo", "ted HTTP/1.1\r\nHost: q\r\n\r\n" + quotedWithContent + "con",
                "tent and the end",
            ],
        ]
    )
    func `requests quoted in segments of their own are content, as what follows them tells`(content: [String]) {
        let length = content.joined().utf8.count
        let segments = content.map { $0.isEmpty ? Conversation.Event.clientHole("a part") : .client($0) }
        for sawHandshake in [true, false] {
            let head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n"
            let hole = [Conversation.Event.clientHole(head)]
            let rest: [Conversation.Event] = [
                .server(Self.ok("a")), .client(Self.get("/b")), .server(Self.ok("bb")), .client(Self.get("/c")),
                .server(Self.ok("ccc")),
            ]
            let events = (sawHandshake ? hole : []) + segments + rest
            let record = Conversation(events, sawHandshake: sawHandshake).read()
            #expect(!record.lines.contains { $0.contains("quoted") }, "\(record.lines)")
            #expect(record.lines.last == "GET /c -> 200 (3)", "\(record.lines)")
        }
    }

    @Test func `a request quoted behind a hole does not take those behind it for its content, however well they fit`() {
        let pipelined = Self.get("/b") + Self.get("/c")
        let quoted = "PUT /quoted HTTP/1.1\r\nHost: q\r\nContent-Length: \(pipelined.utf8.count + 3)\r\n\r\nend"
        let record = Conversation(
            .clientHole("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(quoted.utf8.count)\r\n\r\n"),
            .client(quoted),
            .client(Self.get("/b")),
            .client(Self.get("/c")),
            .client(Self.get("/d")),
            .server(Self.ok("a")),
            .server(Self.ok("bb")),
            .server(Self.ok("ccc")),
            .server(Self.ok("dddd")),
            .client(Self.get("/e")),
            .server(Self.ok("eeeee"))
        ).read()
        #expect(!record.lines.contains { $0.contains("quoted") }, "\(record.lines)")
        #expect(record.lines.last?.hasPrefix("GET /e -> 200 (5)") == true, "\(record.lines)")
    }

    @Test(arguments: [quoted, quotedWithContent + "012345678", quotedWithContent])
    func `of a client that waits for answers, no request begins before it has the answer to the lost one`(
        content: String
    ) {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .clientHole("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: \(content.utf8.count)\r\n\r\n"),
            .client(content),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1)", "- -> 200 (2) [request_gap]", "GET /c -> 200 (3)"])
    }

    @Test func `requests pipelined behind a hole are believed when another follows them`() {
        let record = Conversation(
            .clientHole(Self.get("/a")),
            .client("PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n0123"),
            .client("4567"),
            .client(Self.get("/c")),
            .server(Self.ok("a")),
            .server(Self.ok("bb")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(record.exchanges.compactMap { $0.request?.target } == ["/b", "/c"])
        #expect(!record.lines.contains { $0.contains("/b -> 200 (1)") || $0.contains("/c -> 200 (1)") })
    }

    @Test(arguments: ["EAD", "OST", "ONNECT", "ROPFIND", "XHEAD", "SPELL"])
    func `what is left of a method behind a hole is no method`(method: String) {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .clientHole("H"),
            .client("\(method) /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server(Self.ok("bb")),
            .client("PROPFIND /c HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server(Self.ok("ccc"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1)", "- -> 200 (2) [request_gap]", "PROPFIND /c -> 200 (3)"])
    }

    @Test func `a client that waits for answers shows by its next request that a lost answer was one`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .serverHole(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read(ending: .resetByClient)
        #expect(record.lines == ["GET /a -> - [response_gap]", "GET /b -> 200 (2)"])
    }

    @Test(arguments: [0, 6, 30])
    func `a lost answer to a refused upgrade is not replaced by the next one`(cut: Int) {
        let ask = "GET /u HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        let next = Self.get("/next")
        let record = Conversation(
            .client(ask),
            .server("HTTP/1.1 200 OK\r\nCont"),
            .serverHole("ent-Length: 1\r\n\r\nu"),
            .client(String(next.prefix(cut))),
            .client(String(next.dropFirst(cut))),
            .server(Self.ok("next")),
            .client(Self.get("/last")),
            .server(Self.ok("x"))
        ).read()
        #expect(
            record.lines == [
                "GET /u -> - [response_gap]", "GET /next -> 200 (4)", "GET /last -> 200 (1)",
            ]
        )
    }

    @Test func `answers seen before anything of the client are not given to later requests`() {
        // Two taps, one of which is late by more than reassembly waits: the first answer comes alone.
        let record = Conversation(
            .server(Self.ok("0"), acknowledging: 28),
            .client(Self.get("/0"), acknowledging: 0),
            .server(Self.ok("11"), acknowledging: 56),
            .client(Self.get("/1"), acknowledging: 39),
            .server(Self.ok("222"), acknowledging: 84),
            .client(Self.get("/2"), acknowledging: 79)
        ).read()
        for exchange in record.exchanges {
            guard let target = exchange.request?.target, let content = exchange.response?.content else { continue }
            #expect(content.first == target.utf8.last, "\(exchange)")
        }
        #expect(!record.exchanges.contains { $0.integrity.isEmpty && $0.response == nil })
    }

    @Test func `a lost response head leaves its request without a response, and no later one with a wrong one`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .serverHole(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc")),
            .client(Self.get("/d")),
            .server(Self.ok("dddd")),
            .client(Self.get("/e")),
            .server(Self.ok("eeeee"))
        ).read()
        #expect(
            record.lines == [
                "GET /a -> 200 (1)", "GET /b -> - [response_gap]", "GET /c -> 200 (3)", "GET /d -> 200 (4)",
                "GET /e -> 200 (5)",
            ]
        )
    }

    @Test func `a response of which only the head was lost is not read from its content`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .serverHole("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"),
            .server("content without a head\r\n\r\nnot HTTP at all"),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(
            record.lines == [
                "GET /a -> - [response_gap]", "GET /b -> 200 (2)", "GET /c -> 200 (3)",
            ]
        )
        #expect(record.statistics.skippedOctets == 41)
    }

    @Test func `a hole in a response head loses the response`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server("HTTP/1.1 200 OK\r\nContent-"),
            .serverHole("Length"),
            .server(": 2\r\n\r\nok"),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(
            record.lines == [
                "GET /a -> - [response_gap]", "GET /b -> 200 (2)", "GET /c -> 200 (3)",
            ]
        )
    }

    @Test func `a lost request leaves its response alone, and no later one with a wrong one`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .clientHole(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc")),
            .client(Self.get("/d")),
            .server(Self.ok("dddd"))
        ).read()
        #expect(
            record.lines == [
                "GET /a -> 200 (1)", "- -> 200 (2) [request_gap]", "GET /c -> 200 (3)", "GET /d -> 200 (4)",
            ]
        )
    }

    @Test func `a hole in a request head loses the request`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHo"),
            .clientHole("st: "),
            .client("h\r\n\r\n"),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read()
        #expect(record.lines == ["- -> 200 (1) [request_gap]", "GET /b -> 200 (2)"])
    }

    @Test func `both messages of an exchange may be lost without a trace on the others`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .clientHole(Self.get("/b")),
            .serverHole(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc")),
            .client(Self.get("/d")),
            .server(Self.ok("dddd")),
            .client(Self.get("/e")),
            .server(Self.ok("eeeee"))
        ).read()
        #expect(
            record.lines == [
                "GET /a -> 200 (1)", "GET /c -> 200 (3) [paired_by_inference]", "GET /d -> 200 (4)",
                "GET /e -> 200 (5)",
            ]
        )
    }

    @Test func `a final response lost after an interim one does not lend that one to the next request`() {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
            .server("HTTP/1.1 100 Continue\r\n\r\n"),
            .client("x"),
            .serverHole(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(
            record.lines == [
                "POST /a (1) -> 100 - [response_gap]", "GET /b -> 200 (2)", "GET /c -> 200 (3)",
            ]
        )
    }

    @Test func `requests before a hole are paired with certainty`() {
        let record = Conversation(
            .client(Self.get("/a") + Self.get("/b")),
            .clientHole(Self.get("/c")),
            .server(Self.ok("a") + Self.ok("bb") + Self.ok("ccc"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1)", "GET /b -> 200 (2)", "- -> 200 (3) [request_gap]"])
    }

    @Test(arguments: ["Content-Length: 99", "Transfer-Encoding: chunked", "X: 1"])
    func `the answer to a lost HEAD does not swallow the responses after it`(framing: String) {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .clientHole("HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n"),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1)", "- -> 200 [request_gap]", "GET /c -> 200 (3)"])
    }

    @Test func `after a loss, a client that keeps requests open is paired again when the server has been silent`() {
        let before: [Conversation.Event] = [
            .client(Self.get("/0") + Self.get("/1")), .server(Self.ok("0")),
            .client(Self.get("/2")), .server(Self.ok("11")),
            .client(Self.get("/3")), .serverHole(Self.ok("222")),
            .client(Self.get("/4")), .server(Self.ok("3333")),
        ]
        let after: [Conversation.Event] = [
            .client(Self.get("/5")), .server(Self.ok("55555")),
            .client(Self.get("/6")), .server(Self.ok("666666")),
        ]
        let steady = Conversation(before + after).read()
        #expect(!steady.exchanges.contains { $0.request?.target == "/5" && $0.response != nil })
        let silent = Conversation(before + [.passes(seconds: 60)] + after).read()
        #expect(
            silent.lines.suffix(2) == [
                "GET /5 -> 200 (5) [paired_by_inference]", "GET /6 -> 200 (6) [paired_by_inference]",
            ]
        )
    }

    // MARK: - Finding a head again

    @Test func `a request that starts a segment is found behind a hole`() {
        let record = Conversation(
            .clientHole("lost"),
            .client("rest of something\r\n"),
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1) [paired_by_inference]", "GET /b -> 200 (2)"])
    }

    @Test func `a response right behind the end of chunked content is found inside a segment`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .client(Self.get("/b")),
            .server(Self.chunkedHead + "5\r\nhe"),
            .serverHole("llo\r\n5\r\n"),
            .server("world\r\n0\r\n\r\n" + Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(record.exchanges.contains { $0.response?.content == Array("bb".utf8) })
    }

    @Test func `a response quoted in lost content is not believed`() {
        let quoted = "a log:\r\n\r\nHTTP/1.1 500 Quoted\r\nContent-Length: 3\r\n\r\nabc and more"
        let record = Conversation(
            .client(Self.get("/a")),
            .serverHole("HTTP/1.1 200 OK\r\nContent-Length: \(quoted.utf8.count)\r\n\r\n"),
            .server(quoted),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(!record.exchanges.contains { $0.response?.status == 500 })
        #expect(record.lines.last == "GET /c -> 200 (3)")
    }

    @Test func `a quoted response at the start of a segment is not believed when other text follows it`() {
        let quoted = "HTTP/1.1 500 Quoted\r\nContent-Length: 3\r\n\r\nabc and more of the page"
        let record = Conversation(
            .client(Self.get("/a")),
            .serverHole("HTTP/1.1 200 OK\r\nContent-Length: \(quoted.utf8.count)\r\n\r\n"),
            .server(quoted),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(!record.exchanges.contains { $0.response?.status == 500 })
        #expect(record.lines.last == "GET /c -> 200 (3)")
    }

    @Test func `a request quoted in lost content is not believed`() {
        let quoted = "a log:\r\n\r\nGET /quoted HTTP/1.1\r\nHost: h\r\n\r\nand more"
        let record = Conversation(
            .clientHole("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(quoted.utf8.count)\r\n\r\n"),
            .client(quoted),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read()
        #expect(record.lines == ["- -> 200 (1) [request_gap]", "GET /b -> 200 (2)"])
    }

    @Test func `a head without Host is no reason to believe in a request behind a hole`() {
        let record = Conversation(
            .clientHole("lost"),
            .client("GET /quoted HTTP/1.1\r\nAccept: */*\r\n\r\n"),
            .server(Self.ok("a"))
        ).read()
        #expect(!record.exchanges.contains { $0.request != nil })
    }

    @Test func `a request head that begins behind a hole may end in a later segment`() {
        let record = Conversation(
            .clientHole("lost"),
            .client("GET /a HTTP/1.1\r\nHo"),
            .client("st: h\r\n"),
            .client("\r\n"),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb"))
        ).read()
        #expect(record.lines == ["GET /a -> 200 (1) [paired_by_inference]", "GET /b -> 200 (2)"])
    }

    @Test func `a head behind a hole is found in a segment that is longer than heads may be`() {
        var limits = HTTPLimits()
        limits.headOctets = 200
        let record = Conversation(
            .clientHole("lost"),
            .client("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 300\r\n\r\n" + String(repeating: "x", count: 300)),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            limits: limits
        ).read()
        #expect(record.lines == ["PUT /a (300) -> 200 (1) [paired_by_inference]", "GET /b -> 200 (2)"])
    }

    // MARK: - Joined midstream

    @Test func `on a connection joined midstream the exchanges are whole once a whole head was seen`() {
        let record = Conversation(
            .server("the rest of a body"),
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc")),
            sawHandshake: false
        ).read()
        #expect(record.lines.suffix(2) == ["GET /b -> 200 (2)", "GET /c -> 200 (3)"])
        #expect(record.lines.count == 3)
        #expect(record.exchanges.first?.response?.content == Array("a".utf8))
        #expect(record.statistics.guessedRoles == 1)
    }

    /// A client that pipelines, joined behind the head of its first request.
    private static func pipelinedUntilClose(_ last: String) -> [Conversation.Event] {
        [
            .client(
                "ined\r\nContent-Length: 4\r\n\r\nxxxx" + get("/a") + "POST /b HTTP/1.1\r\nHost: h\r\n"
                    + "Content-Length: 3\r\n\r\nyyy" + get("/c")
            ),
            .server(ok("1")), .server(ok("aa")), .server(ok("bbb")),
            .client(last),
            .server(ok("cccc")), .server(ok("ddddd")),
        ]
    }

    @Test func `a pipelining client's last request, which asks to close, pairs the answers before it from the end`() {
        let last = "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        let record = Conversation(Self.pipelinedUntilClose(last), sawHandshake: false).read()
        #expect(
            record.lines == [
                "- -> 200 (1) [request_gap]", "GET /a -> 200 (2) [paired_by_inference]",
                "POST /b (3) -> 200 (3) [paired_by_inference]", "GET /c -> 200 (4) [paired_by_inference]",
                "GET /d -> 200 (5) [paired_by_inference]",
            ]
        )
        // Without the wish to close the server may have left the last requests unanswered.
        let without = Conversation(Self.pipelinedUntilClose(Self.get("/d")), sawHandshake: false).read()
        #expect(without.exchanges.allSatisfy { $0.request == nil || $0.response == nil })
    }

    @Test func `an answer that the server broke off may be to any of the requests, whoever asked to close`() {
        let last = "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        var events = Self.pipelinedUntilClose(last)
        events.removeLast(2)
        events.append(.server("HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 9\r\n\r\ncut"))
        let record = Conversation(events, sawHandshake: false)
            .read(ending: [.serverFinishes, .clientFinishes, .closes(.finished)])
        #expect(record.exchanges.allSatisfy { $0.request == nil || $0.response == nil }, "\(record.lines)")
    }

    @Test func `the last answer of a server that closes by itself may be to any of the requests that were pipelined`() {
        let refusal = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        let record = Conversation(
            [
                .client(Self.get("/a")),
                .serverHole(Self.ok("a")),
                .clientHole(Self.get("/lost")),
                .server(Self.ok("lost")),
                .clientHole("POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
                .client(Self.get("/b")),
                .server(refusal),
            ] + [.serverFinishes, .clientFinishes, .closes(.finished)]
        ).read()
        #expect(record.exchanges.allSatisfy { $0.request == nil || $0.response == nil }, "\(record.lines)")
    }

    @Test(arguments: ["", "Connection: close\r\n"], ["", "Connection: close\r\n"])
    func `a server that closes a second behind its latest answer may have left the requests behind that one`(
        field: String,
        answerField: String
    ) {
        let last = "GET /d HTTP/1.1\r\nHost: h\r\n\(field)\r\n"
        let record = Conversation(
            [
                .client(Self.get("/a") + Self.get("/b")),
                .serverHole(Self.ok("a")),
                .server(Self.ok("bb")),
                .client(Self.get("/c") + last),
                .server("HTTP/1.1 410 Gone\r\n\(answerField)Content-Length: 4\r\n\r\ngone"),
                .passes(seconds: 1),
            ] + [.serverFinishes, .clientFinishes, .closes(.finished)]
        ).read()
        #expect(!record.lines.contains { $0.hasPrefix("GET /d -> 410") }, "\(record.lines)")
    }

    @Test func `joined midstream, as many responses as requests tell whose the last is, though the server closes late`()
    {
        let last = "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        let record = Conversation(
            [
                .client(Self.get("/a") + last),
                .server(Self.ok("a")),
                .server("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
                .passes(seconds: 1),
            ],
            sawHandshake: false
        ).read(ending: [.serverFinishes, .clientFinishes, .closes(.finished)])
        #expect(
            record.lines == ["GET /a -> 200 (1) [paired_by_inference]", "GET /b -> 404 [paired_by_inference]"],
            "\(record.lines)"
        )
    }

    @Test func `what a client receives that has asked for 100 may be no more than that`() {
        let record = Conversation(
            .client(Self.get("/a")),
            .server(Self.ok("a")),
            .client("POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
            .serverHole("HTTP/1.1 100 Continue\r\n\r\n"),
            .client("yyy" + Self.get("/c")),
            .server("HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx"),
            .server("HTTP/1.1 429 No\r\nContent-Length: 2\r\n\r\nxx")
        ).read()
        #expect(
            record.lines.allSatisfy { !$0.hasPrefix("GET /c -> 500") && !$0.hasPrefix("POST /b (3) -> 429") },
            "\(record.lines)"
        )
    }

    @Test(arguments: [(404, false), (429, false), (400, true), (431, true), (503, true)])
    func `a refusal that the server gives by what a head says is of a head that it had`(status: Int, mayBe: Bool) {
        let head = Self.get("/b")
        let record = Conversation(
            [
                .client(Self.get("/a")),
                .serverHole(Self.ok("a")),
                .clientHole(Self.get("/lost")),
                .server(Self.ok("lost")),
                .client(String(head.dropLast(2))),
                .server("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n"),
                .client(String(head.suffix(2))),
            ] + [.clientFinishes, .serverFinishes, .closes(.finished)]
        ).read()
        let isPaired = record.exchanges.contains { $0.request?.target == "/b" && $0.response != nil }
        #expect(isPaired == mayBe, "\(record.lines)")
    }

    @Test func `an answer that breaks off may be to a request that was lost before the latest`() {
        let record = Conversation(
            [
                .client(Self.get("/a")),
                .server(Self.ok("a")),
                .clientHole(Self.get("/lost")),
                .client(Self.get("/b")),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
                .passes(seconds: 60),
            ] + [.serverFinishes, .clientFinishes, .closes(.finished)]
        ).read()
        #expect(record.lines.first == "GET /a -> 200 (1)")
        #expect(!record.exchanges.contains { $0.request?.target == "/b" && $0.response != nil }, "\(record.lines)")
    }

    @Test func `answers that are missing in the middle of what was pipelined may as well be missing at its end`() {
        let round = ["/1", "/2", "/3"].map(Self.get).joined()
        let record = Conversation(
            [
                .client(round), .server(Self.ok("1") + Self.ok("2") + Self.ok("3")),
                .client(round), .serverHole(Self.ok("1")), .server(Self.ok("2")), .passes(seconds: 6),
            ] + [.clientFinishes, .serverFinishes, .closes(.finished)]
        ).read()
        #expect(record.lines.suffix(4).filter { $0.contains("-> 200") && $0.contains("GET") } == [], "\(record.lines)")
    }

    @Test func `an answer is not given to the only request that was seen while the server has received more`() {
        let all = Self.get("/a") + Self.get("/b")
        let record = Conversation(
            .client(Self.get("/a")),
            .serverHole(Self.ok("a")),
            .server(Self.ok("bb"), acknowledging: Int64(all.utf8.count)),
            .client(Self.get("/b"), acknowledging: 0),
            .client(Self.get("/c")),
            .server(Self.ok("ccc"))
        ).read()
        #expect(!record.lines.contains { $0.hasPrefix("GET /a -> 200") }, "\(record.lines)")
    }

    @Test func `nor is the last answer given to the last request where its server had received more`() {
        let requests = ["/a", "/b", "/c"].map(Self.get)
        let unseen = Self.get("/d")
        let record = Conversation(
            .client(requests[0]),
            .server(Self.ok("a")),
            .client(requests[1]),
            .server(Self.ok("bb")),
            .client(requests[2]),
            .serverHole(Self.ok("ccc")),
            .server(Self.ok("dddd"), acknowledging: Int64((requests.joined() + unseen).utf8.count))
        ).read(ending: .captureEnded)
        #expect(record.lines.contains("- -> 200 (4) [request_gap]"), "\(record.lines)")
        #expect(!record.lines.contains { $0.hasPrefix("GET /c -> 200") }, "\(record.lines)")
    }

    @Test func `answers to HEAD among pipelined ones are told by the head behind them`() {
        let head = "HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"
        let empty = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
        let record = Conversation(
            .client(
                Self.get("/a") + head + Self.get("/c") + head.replacing("h\r\n", with: "h\r\nConnection: close\r\n")
            ),
            .server(Self.ok("a")),
            .server(empty),
            .server(Self.ok("ccc")),
            .server(empty),
            sawHandshake: false
        ).read()
        #expect(
            record.lines == [
                "GET /a -> 200 (1) [paired_by_inference]", "HEAD /b -> 200 [paired_by_inference]",
                "GET /c -> 200 (3) [paired_by_inference]", "HEAD /b -> 200 [paired_by_inference]",
            ]
        )
    }

    @Test func `a response seen first on a connection joined midstream is marked so`() {
        let record = Conversation(
            .server(Self.ok("a")),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            .client(Self.get("/c")),
            .server(Self.ok("ccc")),
            sawHandshake: false
        ).read()
        #expect(record.lines.first == "- -> 200 (1) [joined_midstream]")
        #expect(record.lines.last == "GET /c -> 200 (3)")
        #expect(record.lines.count == 3)
    }

    @Test func `who asks and who answers is told from content when the handshake is missing`() {
        // The server's packet was seen first, so it counts as the originator.
        let record = Conversation(
            [
                .octets(.fromOriginator, Array(Self.ok("a").utf8), acknowledging: nil),
                .octets(.fromResponder, Array(Self.get("/b").utf8), acknowledging: nil),
                .octets(.fromOriginator, Array(Self.ok("bb").utf8), acknowledging: nil),
            ],
            sawHandshake: false
        ).read()
        #expect(record.lines.map { $0.prefix(8) }.first == "- -> 200")
        #expect(record.identities.map(\.client) == [Conversation.server])
    }

    @Test func `what was read while a server was taken for the client proves nothing of the client's requests`() {
        // The server's packets were seen first, and what they quote looks like a request.
        let quoting = "x\r\n\r\nPUT /quoted HTTP/1.1\r\nHost: q\r\nContent-Length: 400\r\n\r\nend"
        let record = Conversation(
            [
                .octets(.fromOriginator, Array(quoting.utf8), acknowledging: 0),
                .octets(.fromOriginator, Array(Self.ok("z").utf8), acknowledging: 50),
                .octets(.fromResponder, Array("OST /a HTTP/1.1\r\nHost: h\r\n\r\n".utf8), acknowledging: nil),
                .octets(.fromResponder, Array(Self.get("/b").utf8), acknowledging: nil),
                .octets(.fromOriginator, Array(Self.ok("aa").utf8), acknowledging: nil),
                .octets(.fromOriginator, Array(Self.ok("bbb").utf8), acknowledging: nil),
            ],
            sawHandshake: false
        ).read(ending: .captureEnded)
        #expect(!record.lines.contains { $0.hasPrefix("GET /b -> 200 (2)") }, "\(record.lines)")
    }

    @Test func `where a SYN ends a connection joined midstream, its last answer is given to no request`() {
        // The SYN may be its own, captured behind the first octets: requests came before those that were seen.
        let record = Conversation(.client(Self.get("/b")), .server(Self.ok("a")), sawHandshake: false)
            .read(ending: [
                .ends(.fromOriginator, .abandoned), .ends(.fromResponder, .abandoned), .closes(.superseded),
            ])
        #expect(record.exchanges.allSatisfy { $0.request == nil || $0.response == nil }, "\(record.lines)")
    }

    @Test func `a connection joined midstream without a head is counted`() {
        let record = Conversation(.client("only content"), .server("and more"), sawHandshake: false).readInEveryWay()
        #expect(record.lines == [])
        #expect(record.protocols == [.opaque(.midstream)])
        #expect(record.opaqueOctets == [.midstream: 20])
    }

    @Test func `TLS joined midstream is told from its records`() {
        let record = Conversation(
            .client("\u{17}\u{3}\u{3}\u{0}\u{4}abcd"),
            .server("\u{17}\u{3}\u{3}\u{0}\u{2}ab"),
            sawHandshake: false
        ).readInEveryWay()
        #expect(record.protocols == [.opaque(.tls)])
        #expect(record.opaqueOctets == [.tls: 16])
    }

    // MARK: - Limits

    @Test func `a head longer than the limit is given up, and the next is read`() {
        var limits = HTTPLimits()
        limits.headOctets = 100
        let long = "GET /a HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "x", count: 100))\r\n\r\n"
        let record = Conversation(
            .client(Self.get("/0")),
            .server(Self.ok("")),
            .client(long),
            .server("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n"),
            .client(Self.get("/b")),
            .server(Self.ok("bb")),
            limits: limits
        ).read()
        #expect(record.failures == [.headTooLong])
        #expect(record.lines.first == "GET /0 -> 200")
        #expect(record.lines.dropFirst().first == "- -> 431 [limit_reached]")
        #expect(record.lines.last == "GET /b -> 200 (2)")
    }

    @Test func `a head of exactly the limit is read`() {
        var limits = HTTPLimits()
        limits.headOctets = Self.get("/a").utf8.count
        let record = Conversation(
            .client(Self.get("/a")),
            .server("HTTP/1.1 204 No\r\n\r\n"),
            limits: limits
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 204"])
    }

    @Test func `more pending exchanges than the limit are told as they stand, oldest first`() {
        var limits = HTTPLimits()
        limits.pendingExchanges = 3
        let record = Conversation(
            (0..<10).map { .client(Self.get("/\($0)")) },
            limits: limits
        ).readInEveryWay()
        #expect(record.lines.count == 10)
        #expect(record.lines.first == "GET /0 -> - [limit_reached]")
        #expect(record.lines.last == "GET /9 -> - [response_gap]" || record.lines.last == "GET /9 -> - [no_response]")
        #expect(record.statistics.abandonedExchanges == 7)
    }

    @Test func `responses that find no request are bounded by the same limit`() {
        var limits = HTTPLimits()
        limits.pendingExchanges = 4
        var reader = ConversationReader(Conversation([], sawHandshake: false, limits: limits))
        var most = 0
        for number in 0..<200 {
            reader.take(.client(Self.get("/\(number)"), acknowledging: -1))
            reader.take(.server(Self.ok("x")))
            most = max(most, reader.pendingExchanges)
        }
        #expect(most <= 2 * limits.pendingExchanges + 2)
        for event in [Conversation.Event].finished { reader.take(event) }
        let record = reader.finish()
        #expect(record.exchanges.filter { $0.request != nil }.count == 200)
        #expect(record.exchanges.filter { $0.response != nil }.count == 200)
    }
}
