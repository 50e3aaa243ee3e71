// Wingmirror · Apache-2.0
// First octets: RFC 9112 §2.1, RFC 9113 §3.4, RFC 8446 §5.1.

import HTTPReconstruction
import Testing
import TrafficModel

@Suite struct ProtocolDetectionTests {
    @Test(arguments: ["GET", "HEAD", "POST", "H", "HTTP", "PRIORITIZE", "PATCH", "QUERY", "M-SEARCH", "get", "x"])
    func `any method begins a request, however little of it comes first`(method: String) {
        let record = Conversation(
            .client("\(method) / HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 204 No Content\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["\(method) / -> 204"])
        #expect(record.protocols == [.http1])
        #expect(record.opaqueOctets == [:])
    }

    @Test func `a request of HTTP/0.9 is told, though nothing can be told of its answer`() {
        let record = Conversation(.client("GET /old\r\n\r\n"), .server("<html>")).readInEveryWay()
        #expect(record.lines.map { $0.prefix(11) } == ["GET /old ->"])
        #expect(record.exchanges.first?.version == .http09)
        // Without the empty line too little tells it from other text.
        #expect(Conversation(.client("GET /old\r\n"), .server("<html>")).readInEveryWay().lines.isEmpty)
    }

    @Test func `empty lines before the first request do not hide it`() {
        let record = Conversation(
            .client("\r\n"),
            .client("\n"),
            .client("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("\r\n"),
            .server("HTTP/1.1 204 No Content\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET / -> 204"])
    }

    @Test func `TLS is counted and not read`() {
        let record = Conversation(
            .client("\u{16}\u{3}\u{1}\u{2}\u{0}hello GET / HTTP/1.1\r\n\r\n"),
            .server("\u{16}\u{3}\u{3}\u{0}\u{4}hey!")
        ).readInEveryWay()
        #expect(record.lines == [])
        #expect(record.protocols == [.opaque(.tls)])
        #expect(record.opaqueOctets == [.tls: 29 + 9])
    }

    @Test func `HTTP/2 by prior knowledge is recognised by its preface`() {
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let record = Conversation(
            .client(preface + "\0\0\0\u{4}\0\0\0\0\0"),
            .server("\0\0\0\u{4}\0\0\0\0\0")
        ).readInEveryWay()
        #expect(record.lines == [])
        #expect(record.protocols == [.http2])
        #expect(record.opaqueOctets == [:])
        #expect(record.failures == [])
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.6\r\n", "220 mail.example.com ESMTP\r\n", "HTTQ", "\u{0}\u{1}binary"])
    func `a server that speaks first, and not HTTP, makes the connection opaque`(greeting: String) {
        let record = Conversation(
            .server(greeting),
            .client("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\n\r\n")
        ).read()
        #expect(record.lines == [])
        #expect(record.protocols == [.opaque(.unknown)])
        #expect(record.opaqueOctets == [.unknown: greeting.utf8.count + 27 + 19])
    }

    @Test func `octets that nobody understands are counted once each`() {
        let record = Conversation(
            .client("\u{5}\u{1}\u{2}garbage"),
            .client("more\r\n"),
            .server("\u{5}\u{0}"),
            .client("and more")
        ).readInEveryWay()
        #expect(record.lines == [])
        #expect(record.protocols == [.opaque(.unknown)])
        #expect(record.opaqueOctets == [.unknown: 10 + 6 + 2 + 8])
    }

    @Test func `octets that get no answer are counted when the connection is over`() {
        let record = Conversation(.client("\u{5}garbage"), .client("more\r\n")).readInEveryWay()
        #expect(record.protocols == [.opaque(.unknown)])
        #expect(record.opaqueOctets == [.unknown: 8 + 6])
    }

    @Test func `an answer to garbage is kept, and says that its request was malformed`() {
        let record = Conversation(
            .client("\u{1}\u{2}garbage\r\n\r\n"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad")
        ).readInEveryWay()
        #expect(record.lines == ["- -> 400 (3) [malformed]"])
        #expect(record.protocols == [.http1])
    }

    @Test func `a request line that is none is refused, and the refusal is kept`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            .client("GET /with space HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200", "- -> 400 [malformed]"])
        #expect(record.failures == [.startLine])
    }

    @Test func `a server may give up waiting for a request`() {
        let record = Conversation(
            .server("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["- -> 408 [malformed]"])
        #expect(record.protocols == [.http1])
    }

    @Test func `a connection without octets tells nothing`() {
        let record = Conversation().readInEveryWay()
        #expect(record.protocols.isEmpty)
        #expect(record.opaqueOctets.isEmpty)
    }

    @Test func `octets behind a hole at the start are counted, whatever they are`() {
        let record = Conversation(.clientHole("lost"), .client("garbage"), .client("and more")).readInEveryWay()
        #expect(record.lines == [])
        #expect(record.protocols == [.opaque(.unknown)])
        #expect(record.opaqueOctets == [.unknown: 15])
    }
}
