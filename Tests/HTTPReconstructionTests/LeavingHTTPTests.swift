// Wingmirror · Apache-2.0
// Upgrade: RFC 9110 §7.8; CONNECT: RFC 9110 §9.3.6; WebSocket: RFC 6455 §4.

import HTTPReconstruction
import TCPReassembly
import Testing
import TrafficModel

@Suite struct LeavingHTTPTests {
    static let upgrade =
        "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    static let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    @Test func `after an accepted upgrade both streams are something else`() {
        let record = Conversation(
            .client(Self.upgrade),
            .server(Self.switching + "\u{1}\u{1}a"),
            .client("GET /not-a-request HTTP/1.1\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /ws -> 101 webSocket [malformed]"])
        #expect(record.protocols == [.http1, .webSocket])
        #expect(record.opaqueOctets == [:])
    }

    @Test func `an upgrade to another protocol is told apart from WebSocket`() {
        let record = Conversation(
            .client("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: tls/1.3\r\n\r\n"),
            .server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: tls/1.3\r\nConnection: upgrade\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET / -> 101 upgraded"])
    }

    @Test func `octets that a client sends before an upgrade is accepted are not read as HTTP`() {
        let record = Conversation(
            .client(Self.upgrade + "early"),
            .server(Self.switching)
        ).readInEveryWay()
        #expect(record.lines == ["GET /ws -> 101 webSocket [malformed]"])
        #expect(record.opaqueOctets == [:])
        #expect(record.failures.isEmpty)
    }

    @Test func `after a refused upgrade the client's next requests are read, also those it sent early`() {
        let record = Conversation(
            .client(Self.upgrade + "GET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            .client(": h\r\n\r\n"),
            .server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /ws -> 200 (2)", "GET /b -> 404", "GET /c -> 204"])
    }

    @Test(arguments: [upgrade, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"])
    func `what was sent early behind a refusal that ends the connection was not taken, and no answer to it is lost`(
        asks: String
    ) {
        let record = Conversation(
            .client(asks + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).readInEveryWay(ending: [.serverFinishes, .clientFinishes, .closes(.finished)])
        #expect(record.lines.last == "GET /b -> - [no_response]")
        #expect(record.exchanges.last?.earlyEnd == "server, unprocessed")
    }

    @Test func `an upgrade that waits for its answer does not stop the answers to requests before it`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + Self.upgrade + "early"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            .server(Self.switching)
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (2)", "GET /ws -> 101 webSocket [malformed]"])
        #expect(record.opaqueOctets == [:])
    }

    @Test func `an interim response decides nothing about an upgrade`() {
        let record = Conversation(
            .client(Self.upgrade + "early"),
            .server("HTTP/1.1 103 Early Hints\r\n\r\n"),
            .server(Self.switching)
        ).readInEveryWay()
        #expect(record.lines == ["GET /ws -> 103 101 webSocket [malformed]"])
        #expect(record.opaqueOctets == [:])
    }

    @Test func `after an accepted CONNECT both streams are a tunnel`() {
        let record = Conversation(
            .client("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n\u{16}\u{3}\u{1}"),
            .server("HTTP/1.1 200 Connection Established\r\nContent-Length: 5\r\n\r\nabc"),
            .client("GET / HTTP/1.1\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["CONNECT h:443 -> 200 tunnel"])
        #expect(record.protocols == [.http1, .opaque(.tunnel)])
        #expect(record.opaqueOctets == [.tunnel: 3 + 3 + 18])
        #expect(record.exchanges.first?.response?.contentOctets == 0)
    }

    @Test func `a tunnel that breaks off is no fault of the exchange that opened it`() {
        let record = Conversation(
            .client("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\n\r\n"),
            .serverHole("lost in the tunnel"),
            .client("abc")
        ).readInEveryWay(ending: .resetByServer)
        #expect(record.lines == ["CONNECT h:443 -> 200 tunnel"])
    }

    @Test func `a hole in what a client sent early is remembered when the upgrade is refused`() {
        let hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
        let record = Conversation(
            .client(Self.upgrade),
            .clientHole(hidden),
            .client("GET /c HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
        ).read()
        #expect(record.lines.first == "GET /ws -> 200")
        #expect(!record.lines.contains { $0.hasPrefix("GET /c -> 404") })
    }

    @Test func `octets held for an upgrade are read once it is the upgrade that is answered`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + Self.upgrade + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 204 No Content\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200", "GET /ws -> 404", "GET /b -> 204"])
    }

    @Test func `more than the limit sent early is given up rather than read in part`() {
        var limits = HTTPLimits()
        limits.headOctets = 128
        let record = Conversation(
            .client(Self.upgrade),
            .client("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n" + String(repeating: "x", count: 200)),
            .client("GET /c HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
            .server("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
            limits: limits
        ).read()
        #expect(record.failures == [.headTooLong])
        #expect(record.lines.first == "GET /ws -> 200")
        #expect(!record.lines.contains { $0.hasPrefix("GET /c -> 201") })
    }
}
