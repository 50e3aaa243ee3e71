// Wingmirror · Apache-2.0
// Field names: RFC 9110 §5.1.

import HTTPReconstruction
import TCPReassembly
import Testing
import TrafficModel

/// Names that differ in one octet from those that change how a message is read.
@Suite struct LookAlikeFieldTests {
    /// `name` with each octet changed in turn, to a neighbour, an underscore and the octet that case folding confuses it with.
    static func lookAlikes(of name: String) -> [String] {
        var found: Set<String> = []
        let octets = Array(name.utf8)
        for index in octets.indices {
            for other in [octets[index] ^ 1, octets[index] ^ 2, 0x5F, 0x2D, 0x30, octets[index] ^ 0x40] {
                let isToken = other > 0x20 && other < 0x7F && !Array("\"(),/:;<=>?@[\\]{}".utf8).contains(other)
                guard isToken, other | 0x20 != octets[index] | 0x20 else { continue }
                var changed = octets
                changed[index] = other
                found.insert(String(decoding: changed, as: UTF8.self))
            }
            var shorter = octets
            shorter.remove(at: index)
            if !shorter.isEmpty { found.insert(String(decoding: shorter, as: UTF8.self)) }
        }
        found.insert(name + "x")
        found.remove(name)
        return found.sorted()
    }

    @Test(arguments: [
        " Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \u{0B}chunked", "Content-Length: 5 5", "Content-Length: +5", "X: \u{1}",
    ])
    func `a request that cannot be read smuggles none in behind it`(line: String) {
        let conversation = Conversation(
            .client("POST /form HTTP/1.1\r\nHost: h\r\n\(line)\r\n\r\n0\r\n\r\n"),
            .client("GET /phantom HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            .client(HoleTests.get("/next")),
            .server(HoleTests.ok("a"))
        )
        for record in [conversation.read(), conversation.read(.joined)] {
            #expect(!record.lines.contains { $0.contains("phantom") }, "\(record.lines)")
            #expect(record.lines.last == "GET /next -> 200 (1)", "\(record.lines)")
        }
    }

    @Test func `a look-alike of Transfer-Encoding frames nothing`() {
        let content = "0\r\n\r\nGET /phantom HTTP/1.1\r\nHost: h\r\n\r\n"
        for name in Self.lookAlikes(of: "Transfer-Encoding") {
            let record = Conversation(
                .client(
                    "POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: \(content.utf8.count)\r\n\(name): chunked\r\n\r\n"
                        + content
                ),
                .server("HTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n"),
                .client(HoleTests.get("/two")),
                .server("HTTP/1.1 202 A\r\nContent-Length: 2\r\n\(name): chunked\r\n\r\nok")
            ).read()
            #expect(record.lines == ["POST /form (\(content.utf8.count)) -> 201", "GET /two -> 202 (2)"], "\(name)")
        }
    }

    @Test func `a look-alike of Content-Length frames nothing`() {
        for name in Self.lookAlikes(of: "Content-Length") {
            let record = Conversation(
                .client("GET /one HTTP/1.1\r\nHost: h\r\n\(name): 99\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\(name): 1\r\n\r\nok"),
                .client(HoleTests.get("/two")),
                .server(HoleTests.ok("two"))
            ).read()
            #expect(record.lines == ["GET /one -> 200 (2)", "GET /two -> 200 (3)"], "\(name)")
        }
    }

    @Test func `a look-alike of Host names no authority`() {
        for name in Self.lookAlikes(of: "Host") {
            let record = Conversation(
                .client("GET /one HTTP/1.1\r\n\(name): wrong\r\nHost: right\r\n\r\n"),
                .server(HoleTests.ok("one"))
            ).read()
            #expect(record.exchanges.first?.request?.authority == "right", "\(name)")
        }
    }

    @Test func `a look-alike of Upgrade holds nothing back`() {
        for name in Self.lookAlikes(of: "Upgrade") {
            let record = Conversation(
                .client("GET /one HTTP/1.1\r\nHost: h\r\n\(name): websocket\r\n\r\n" + HoleTests.get("/two"))
            ).read(ending: .captureEnded)
            #expect(record.exchanges.count == 2, "\(name)")
        }
    }

    @Test func `a look-alike of Expect expects nothing`() {
        for name in Self.lookAlikes(of: "Expect") {
            let content = "GET /phantom HTTP/1.1\r\nHost: h\r\n\r\n"
            let record = Conversation(
                .client(
                    "POST /one HTTP/1.1\r\nHost: h\r\n\(name): 100-continue\r\nContent-Length: \(content.utf8.count)\r\n\r\n"
                ),
                .server("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"),
                .client(content)
            ).read()
            #expect(record.lines == ["POST /one (\(content.utf8.count)) -> 417"], "\(name)")
        }
    }

    @Test func `a look-alike of Content-Encoding names no coding`() {
        for name in Self.lookAlikes(of: "Content-Encoding") {
            let record = Conversation(
                .client(HoleTests.get("/one")),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(name): gzip\r\n\r\n")
            ).read()
            #expect(record.exchanges.first?.response?.contentCoding == nil, "\(name)")
        }
    }

    @Test func `a look-alike of the agent's own marker marks nothing`() {
        for name in Self.lookAlikes(of: "wingmirror-shadow") {
            let record = Conversation(
                .client("GET /one HTTP/1.1\r\nHost: h\r\n\(name): 1\r\n\r\n"),
                .server(HoleTests.ok("one"))
            ).read()
            #expect(record.traits == [[]], "\(name)")
        }
        let marked = Conversation(.client("GET /one HTTP/1.1\r\nHost: h\r\nWingmirror-Shadow: 1\r\n\r\n")).read()
        #expect(marked.traits == [.isShadow])
    }

    @Test(arguments: [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", true), ("Transfer-Encoding: gzip, chunked", true),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", true), ("Transfer-Encoding: identity", true),
        ("Content-Length: 5\r\nContent-Length: 6", true), ("Content-Length: +5", true),
        ("Content-Length: 5\r\nContent-Length: 5", true), ("Content-Length: 5,5", true), ("Content-Length: 5,", true),
        ("Content-Length: 0\r\nContent-Length: 0", true), ("Content-Length: 0,0", true), ("Content-Length: 005", false),
        ("Transfer-Encoding: chunked,", true), ("Transfer-Encoding: ,chunked", true),
        ("Transfer-Encoding: chunked ,", true), ("Transfer-Encoding: chunked, ,", true),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding:", true), ("Transfer-Encoding: chun\r\n ked", true),
        ("Transfer-Encoding: chun\rked", true), ("Content-Length: 1\r2", true), ("Content-Length: 1\r\n 2", true),
        ("Transfer-Encoding:\r\n chunked", false), ("Transfer-Encoding: chunked\r\n\t", false),
        ("Transfer-Encoding: \r chunked\r", false), ("Content-Length:\r\n 5", false), ("Content-Length: \r5\r", false),
        ("Transfer-Encoding: chunked", false), ("Transfer-Encoding: Chunked", false),
        ("Transfer-Encoding:\tchunked ", false), ("Content-Length: 5", false),
        ("Transfer_Encoding: chunked\r\nContent-Length: 5", false), ("Transfer-Encoding:", true),
        ("Transfer-Encoding:\r\nTransfer-Encoding: chunked", false),
        ("Transfer-Encoding: \t\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked", false),
        ("Transfer-Encoding:\r\nTransfer-Encoding: gzip, chunked", true),
        ("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", true),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked", true),
    ])
    func `a request that Envoy refuses for its framing says so`(fields: String, isRefused: Bool) {
        let record = Conversation(.client("POST /one HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n0\r\n\r\n")).read()
        #expect(record.traits.first == (isRefused ? [.isRefusedForFraming] : []), "\(fields)")
    }

    @Test(arguments: [
        ("Connection: close", false), ("connection: Keep-Alive", false), ("CONNECTION: x-a", true),
        ("Connection:", true),
        ("Connection: keep-alive, Upgrade", true), ("Connection: close\r\nConnection: close", true),
        ("Connectio: x-a", false), ("Connections: x-a", false), ("User-Agent: x-a", false), ("Connectiom: x-a", false),
    ])
    func `only a Connection that may name fields says so`(fields: String, hasOptions: Bool) {
        let record = Conversation(.client("GET /one HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n")).read()
        #expect(record.traits.first == (hasOptions ? [.hasConnectionOptions] : []), "\(fields)")
    }

    @Test(arguments: ["Transfer-Encoding", "TRANSFER-ENCODING", "tRANSFER-eNCODING"])
    func `the case of Transfer-Encoding does not matter`(name: String) {
        let record = Conversation(
            .client("POST /form HTTP/1.1\r\nHost: h\r\n\(name): chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            .server(HoleTests.ok("a"))
        ).read()
        #expect(record.lines == ["POST /form (2) -> 200 (1)"])
    }
}
