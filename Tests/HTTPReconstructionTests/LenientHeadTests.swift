// Wingmirror · Apache-2.0
// Heads that are malformed by the letter: RFC 9112 §2.2, §3, §5.2 and §7.1. Expectations are what Envoy 1.40 does.

import HTTPReconstruction
import TCPReassembly
import Testing
import TrafficModel

@Suite struct LenientHeadTests {
    private static let rest = "\r\nHost: h\r\n\r\n"

    @Test(arguments: [
        "GET  /p HTTP/1.1", "GET /p  HTTP/1.1", "GET\t/p\tHTTP/1.1", "GET \t /p HTTP/1.1", "GET /p HTTP/1.1 ",
        "GET /p HTTP/1.1\t", "GET /p HTTP/1.1\r", "GET /p HTTP/1.1 \r\r", "GET /p\r HTTP/1.1", "GET\r/p HTTP/1.1",
        "\r\nGET  /p HTTP/1.1",
    ])
    func `a request line whose words are parted by other white space is taken`(line: String) {
        let record = Conversation(
            .client(line + Self.rest),
            .server(HoleTests.ok("a")),
            .client(HoleTests.get("/next")),
            .server(HoleTests.ok("bb"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /p -> 200 (1)", "GET /next -> 200 (2)"])
        #expect(record.exchanges.first?.request?.authority == "h")
        #expect(record.failures.isEmpty)
    }

    @Test(arguments: [
        "GET /p q HTTP/1.1", "GET /p HTTP/1.1 x", "GET /p HTTP/1.1\rx",
        "GE\rT /p HTTP/1.1", "GET /p\rq HTTP/1.1", "GET\u{B}/p HTTP/1.1", "GET  /p\0 HTTP/1.1", "GET  /p\u{1} HTTP/1.1",
        "GET  HTTP/1.1", "GET  /p http/1.1", "GET /p HTTP/1.\r1", "XYZ  /p HTTP/1.1", "GET  /p HTTP/1.1\u{1}",
    ])
    func `other request lines are refused`(line: String) {
        let record = Conversation(
            .client(line + Self.rest),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["- -> 400 [malformed]"])
        #expect(record.failures.count == 1, "a request that is refused is counted, be it the first of its connection")
    }

    @Test(arguments: [" GET /p HTTP/1.1", "\tGET /p HTTP/1.1"])
    func `white space in front of a request line is refused`(line: String) {
        let record = Conversation(
            .client(line + Self.rest),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).read()
        #expect(record.lines == ["- -> 400 [malformed]"])
        #expect(record.failures == [.startLine])
    }

    @Test(arguments: [
        " GET /p HTTP/1.1", "G\u{1}T /p HTTP/1.1", "GET\u{C}/p HTTP/1.1", "SSH-2.0-OpenSSH_9.6",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n GET /p HTTP/1.1",
    ])
    func `what a client pipelines behind a first request that is refused is not given the refusal`(line: String) {
        let record = Conversation(
            .client(line + Self.rest + HoleTests.get("/next")),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["- -> 400 [malformed]"])
    }

    @Test(arguments: [
        ("X-Env: canary", "canary"), ("X-Env:\r\n canary", "canary"), ("X-Env: canary\r\n ", "canary"),
        ("X-Env: a\r\n b", "a b"), ("X-Env: a\r\n\tb", "a\tb"), ("X-Env: a\r\n  b", "a  b"),
        ("X-Env: a  \r\n   b", "a     b"), ("X-Env:\n canary", "canary"), ("X-Env: a\r\n b\r\n c", "a b c"),
        ("X-Env: a\r\n b: c", "a b: c"), ("X-Env: cana\rry", "canary"), ("X-Env:\tcanary\t", "canary"),
        ("X-Env: a\r", "a"), ("X-Env: a\r\r", "a"), ("X-Env:\ra", "a"), ("X-Env: \r a", "a"), ("X-Env: a\r b", "a b"),
        ("X-Env: a\r\n \rb", "a b"), ("X-Env: a\r\r\n b", "a b"), ("X-Env:", ""),
    ])
    func `a value is what Envoy makes of it, folded or with a CR in it`(line: String, value: String) {
        let record = Conversation(
            .client("GET /p HTTP/1.1\r\nHost: h\r\n\(line)\r\nX-Last: z\r\n\r\n" + HoleTests.get("/next")),
            .server(HoleTests.ok("a") + HoleTests.ok("bb"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /p -> 200 (1)", "GET /next -> 200 (2)"])
        #expect(record.exchanges.first?.request?.fields.map(\.value) == ["h", value, "z"])
        #expect(record.failures.isEmpty)
    }

    @Test(arguments: [
        "X-\rE: a", "X-E\r: a", "\rX-E: a", "X-E: a\0b\r", "X-E: a\r\u{1}b", "X-E: a\r\n \u{B}", "X-E\r\n : b",
        "X-E : a\r", "\r",
    ])
    func `a head is refused for a CR in a name and for a control octet anywhere`(line: String) {
        let record = Conversation(
            .client("GET /p HTTP/1.1\r\nHost: h\r\n\(line)\r\n\r\n"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["- -> 400 [malformed]"])
        #expect(record.failures.count == 1)
    }

    @Test(arguments: [
        ("Host:\r\n shop.example.com", "shop.example.com"), ("Host: sh\rop.example.com", "shop.example.com"),
        ("Host: shop.example.com\r\n ", "shop.example.com"), ("Host: shop.example.com\r", "shop.example.com"),
        ("Host: shop\r\n .example.com", "shop .example.com"),
    ])
    func `a host is read as any other value`(line: String, host: String) {
        let record = Conversation(.client("GET /p HTTP/1.1\r\n\(line)\r\n\r\n"), .server(HoleTests.ok("a")))
            .readInEveryWay()
        #expect(record.exchanges.first?.request?.authority == host)
    }

    @Test(arguments: [
        "Content-Length:\r\n 5", "Content-Length: 5\r\n ", "Content-Length: 5\r", "Content-Length: \r5",
        "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\r", "Transfer-Encoding: Chunked\r\n\t",
    ])
    func `framing is read from what a folded value says`(line: String) {
        let content = line.hasPrefix("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n"
        let record = Conversation(
            .client("POST /p HTTP/1.1\r\nHost: h\r\n\(line)\r\n\r\n" + content + HoleTests.get("/next")),
            .server(HoleTests.ok("a") + HoleTests.ok("bb"))
        ).readInEveryWay()
        #expect(record.lines == ["POST /p (5) -> 200 (1)", "GET /next -> 200 (2)"])
    }

    @Test func `what is quoted behind a hole needs the strict form`() {
        let quoted = "GET  /phantom HTTP/1.1\r\nHost: h\r\n\r\n"
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n"),
            .clientHole(String(repeating: "x", count: 300)),
            .client(quoted),
            .server(HoleTests.ok("a"))
        ).read()
        #expect(!record.lines.contains { $0.contains("phantom") }, "\(record.lines)")
    }

    // MARK: - Chunks

    @Test(arguments: [
        "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\n", "5;a\0b\r\nhello\r\n0\r\n\r\n",
        "5;a\u{1}b\u{7F}\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5 a\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n", "5\r\nhello\r\n0;x\r\n\r\n", "5\r\nhello\r\n0\r\nX: a\n\n",
        "5\r\nhello\r\n0\r\nX: a\r\r\n\r\n", "5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n", "5\r\nhello!!\r\n0\r\n\r\n", "5\r\nhello \r\n0\r\n\r\n",
        "5;a=\"x\r\ny\"\r\nhello\r\n0\r\n\r\n", String(repeating: "0", count: 300) + "5\r\nhello\r\n0\r\n\r\n",
    ])
    func `chunks that Envoy takes are read`(content: String) {
        let record = Conversation(
            .client(
                "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + content + HoleTests.get("/next")
            ),
            .server(HoleTests.ok("a") + HoleTests.ok("bb"))
        ).readInEveryWay()
        #expect(record.exchanges.map { $0.request?.contentOctets } == [5, 0])
        #expect(record.exchanges.allSatisfy { $0.integrity.isEmpty })
    }

    @Test(arguments: [
        "5\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\n\n", "5\r\nhello\r\n0\n\r\n", "5;a\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "5\0\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
    ])
    func `chunks that Envoy breaks off are malformed`(content: String) {
        let record = Conversation(
            .client("POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + content),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).readInEveryWay()
        #expect(record.exchanges.count == 1)
        #expect(record.exchanges.allSatisfy { $0.integrity.contains(.malformed) })
        #expect(record.failures == [.chunk])
    }

    @Test func `a trailer is read as Envoy reads it`() {
        let record = Conversation(
            .client(
                "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\nY: c\rd\r\n\r\n"
            ),
            .server(HoleTests.ok("a"))
        ).readInEveryWay()
        #expect(record.trailerSections == ["request X=a b Y=cd"])
    }
}
