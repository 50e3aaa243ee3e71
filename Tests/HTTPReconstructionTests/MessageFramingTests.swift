// Wingmirror · Apache-2.0
// Where messages end: RFC 9112 §6.3 and §7; line ends and folding: RFC 9112 §2.2 and §5.2.

import HTTPReconstruction
import Testing
import TrafficModel

@Suite struct MessageFramingTests {
    /// Exchanges that are read whole, however they are cut into segments.
    struct Row: Sendable, CustomTestStringConvertible {
        let label: String
        let events: [Conversation.Event]
        let lines: [String]
        var testDescription: String { label }

        init(_ label: String, _ events: [Conversation.Event], _ lines: [String]) {
            self.label = label
            self.events = events
            self.lines = lines
        }
    }

    static let next: [Conversation.Event] = [
        .client("GET /next HTTP/1.1\r\nHost: h\r\n\r\n"),
        .server("HTTP/1.1 204 No Content\r\n\r\n"),
    ]

    static let wholeExchanges: [Row] = [
        Row(
            "Content-Length on both sides (rule 6)",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
                .server("HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes"),
            ],
            ["POST /a (5) -> 201 (3)"]
        ),
        Row(
            "the answer to HEAD has no content, whatever it says (rule 1)",
            [
                .client("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n"),
                .client("HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ],
            ["HEAD /a -> 200", "HEAD /b -> 200"]
        ),
        Row(
            "204 and 304 have no content, whatever they say (rule 1)",
            [
                .client("DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n"),
                .server("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"),
                .client("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
                .server("HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: \"1\"\r\n\r\n"),
            ],
            ["DELETE /a -> 204", "GET /b -> 304"]
        ),
        Row(
            "a refused CONNECT is framed like any other (rule 2)",
            [
                .client("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
                .server("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"),
            ],
            ["CONNECT h:443 -> 407 (2)"]
        ),
        Row(
            "chunked content, and what follows it (rule 4)",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n"),
                .client("0123456789abcdef\r\n0\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            ],
            ["POST /a (19) -> 200 (10)"]
        ),
        Row(
            "chunk extensions, leading zeros, padding, upper case and trailers (§7.1)",
            [
                .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"),
                .server("00000000000000000000000000a;name=\"v; x\"; other\r\n0123456789\r\n"),
                .server("0A  \r\n0123456789\r\n000;last\r\nExpires: 0\r\nChecksum: 1\r\n\r\n"),
            ],
            ["GET /a -> 200 (20) +2"]
        ),
        Row(
            "trailers of a request",
            [
                .client(
                    "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nSum: 1\r\n\r\n"
                ),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ],
            ["PUT /a (1) +1 -> 200"]
        ),
        Row(
            "equal Content-Length values are one (rule 5)",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\nContent-Length: 02\r\n\r\nhi"),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n!"),
            ],
            ["POST /a (2) -> 200 (1)"]
        ),
        Row(
            "Transfer-Encoding overrides Content-Length, and is marked (rule 3)",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .client("1\r\nx\r\n0\r\n\r\n"),
                .server(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n2\r\nok\r\n0\r\n\r\n"
                ),
            ],
            ["POST /a (1) -> 200 (2) [framing_conflict]"]
        ),
        Row(
            "LF alone ends a line, in heads, behind chunks and in trailers",
            [
                .client("POST /a HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2\r\nab\n0\r\nSum: 1\n\n"),
                .server("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
            ],
            ["POST /a (2) +1 -> 200 (2)"]
        ),
        Row(
            "empty lines before a message are ignored",
            [
                .client("\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx\r\n\n"),
                .server("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny\r\n"),
            ],
            ["POST /a (1) -> 200 (1)"]
        ),
        Row(
            "a folded line continues the value before it",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n  4\r\nX: one\r\n\ttwo\r\n\r\nbody"),
                .server("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
            ],
            ["POST /a (4) -> 200"]
        ),
        Row(
            "HTTP/1.0 with keep-alive goes on",
            [
                .client("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                .server("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"),
            ],
            ["GET /a -> 200 (2)"]
        ),
        Row(
            "pipelined requests are answered in order",
            [
                .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"),
                .client("POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxGET /d HTTP/1.1\r\nHost: h\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\naaHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
                .server("HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\ncHTTP/1.1 404 Not Found\r\n"),
                .server("Content-Length: 4\r\n\r\ndddd"),
            ],
            ["GET /a -> 200 (2)", "HEAD /b -> 200", "POST /c (1) -> 201 (1)", "GET /d -> 404 (4)"]
        ),
        Row(
            "interim responses belong to the exchange that they precede",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
                .server("HTTP/1.1 100 Continue\r\n\r\n"),
                .client("body"),
                .server("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"),
                .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            ],
            ["POST /a (4) -> 100 103 102 200 (2)"]
        ),
        Row(
            "a final response before the request has ended",
            [
                .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n1234"),
                .server("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"),
                .client("5678"),
            ],
            ["POST /a (8) -> 413 (2)"]
        ),
    ]

    @Test(arguments: wholeExchanges)
    func `every kind of message is read whole, and the next one after it`(row: Row) {
        let record = Conversation(row.events + Self.next).readInEveryWay()
        #expect(record.lines == row.lines + ["GET /next -> 204"])
        #expect(record.failures.isEmpty)
        #expect(record.protocols == [.http1])
    }

    @Test func `content without a length ends with the connection, and that is no mark`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHTTP/1.1 404 is only"),
            .server(" content")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (28)"])
    }

    @Test func `a response with a coding other than chunked ends with the connection`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (8)"])
    }

    @Test func `a reset in close-delimited content is marked`() {
        let events: [Conversation.Event] = [
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), .server("HTTP/1.1 200 OK\r\n\r\nsome"),
        ]
        #expect(
            Conversation(events).readInEveryWay(ending: .resetByServer).lines
                == ["GET /a -> 200 (4) [reset_by_server]"]
        )
        #expect(
            Conversation(events).readInEveryWay(ending: .resetByClient).lines
                == ["GET /a -> 200 (4) [reset_by_client]"]
        )
        #expect(
            Conversation(events).readInEveryWay(ending: .captureEnded).lines == ["GET /a -> 200 (4) [interrupted]"]
        )
    }

    @Test func `a close before the promised length is marked`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (4) [closed_early]"])
    }

    @Test func `a close inside chunked content is marked`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (4) [closed_early]"])
    }

    @Test func `a close inside a request is marked`() {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nsome")
        ).readInEveryWay()
        #expect(record.lines == ["POST /a (4) -> - [no_response closed_early]"])
    }

    @Test func `a request without an answer is told when the connection is over`() {
        let events: [Conversation.Event] = [.client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")]
        #expect(Conversation(events).readInEveryWay().lines == ["GET /a -> - [no_response]"])
        #expect(
            Conversation(events).readInEveryWay(ending: .resetByServer).lines
                == ["GET /a -> - [no_response reset_by_server]"]
        )
        #expect(
            Conversation(events).readInEveryWay(ending: .captureEnded).lines == [
                "GET /a -> - [interrupted]"
            ]
        )
    }

    @Test(arguments: ["100 Continue", "102 Processing"])
    func `an interim response that comes when no request is open belongs to the next final one`(status: String) {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" + "HTTP/1.1 \(status)\r\n\r\n"),
            .client("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbb")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (1)", "GET /b -> \(status.prefix(3)) 200 (2)"])
    }

    @Test func `a client whose expectation was refused may leave out the content`() {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n"),
            .server("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"),
            .client("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        ).read()
        #expect(record.lines == ["POST /a -> 417", "GET /b -> 200"])
    }

    @Test func `a client whose expectation was refused may send the content all the same`() {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
            .server("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"),
            .client("bodyGET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["POST /a (4) -> 417", "GET /b -> 200"])
    }

    @Test(arguments: ["Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1, 2"])
    func `a request with differing lengths is marked, and nothing after it is believed`(fields: String) {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\nxGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        ).read()
        #expect(record.lines == ["POST /a -> 400 [malformed framing_conflict]"])
        #expect(record.failures == [.contentLength])
    }

    @Test(arguments: ["-1", "+1", "1 2", "0x1", "", "99999999999999999999", "18446744073709551616"])
    func `a length that is no number is malformed`(value: String) {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(value)\r\n\r\nx"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["POST /a -> 400 [malformed]"])
        #expect(record.failures == [.contentLength])
    }

    @Test func `a request whose coding does not end in chunked is malformed`() {
        let record = Conversation(
            .client("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
            .server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["POST /a -> 400 [malformed]"])
        #expect(record.failures == [.transferCoding])
    }

    @Test(arguments: ["g", "", "-1", "0x5", ";x", " 5", "5 5", "10000000000000000", "ffffffffffffffffffff"])
    func `a chunk size that is no hexadecimal number of 63 bits is malformed`(size: String) {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n\(size)\r\nhello\r\n0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (2) [malformed]"])
        #expect(record.failures == [.chunk])
    }

    @Test func `chunk data that is longer than its size is malformed`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (2) [malformed]"])
        #expect(record.failures == [.chunk])
    }

    @Test func `a response that is none is malformed, and was not lost`() {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            .client("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200ok\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200", "GET /b -> - [malformed]"])
        #expect(record.failures == [.startLine])
    }

    @Test(arguments: ["Bad Name: 1", "NoColon", ": 1", "Name : 1", "X: a\u{0}b", "X: a\rb", "N\u{7F}: 1", "Né: 1"])
    func `a field line that is none makes the head malformed`(line: String) {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\n\(line)\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> - [malformed]"])
        #expect(record.failures.count == 1)
    }

    @Test func `octets beyond ASCII may stand in values, targets and reasons`() {
        let record = Conversation(
            .client("GET /é HTTP/1.1\r\nHost: h\r\nX: Düsseldorf\t1\r\n\r\n"),
            .server("HTTP/1.1 404 Nicht gefünden\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /é -> 404"])
        #expect(record.exchanges.first?.request?.value(of: "x") == "Düsseldorf\t1")
    }

    @Test(arguments: [("No colon", ParseFailure.fieldLine), ("X: a\u{0}b", .controlOctet)])
    func `a trailer line that is none makes the message malformed`(line: String, failure: ParseFailure) {
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: 1\r\n\(line)\r\n\r\n")
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (1) [malformed]"])
        #expect(record.failures == [failure])
    }

    @Test func `a trailer section longer than the limit is given up`() {
        var limits = HTTPLimits()
        limits.headOctets = 100
        let record = Conversation(
            .client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"),
            .server("T: \(String(repeating: "x", count: 200))"),
            limits: limits
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (1) [limit_reached]"])
        #expect(record.failures == [.headTooLong])
    }

    @Test(arguments: ["9223372036854775807", "9223372036854775808", "18446744073709551615"])
    func `the largest length that a number can hold is taken, and nothing overflows`(length: String) {
        let record = Conversation(
            .client("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\nabc"),
            .server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3ffffffffffffff\r\nabc")
        ).readInEveryWay(ending: .captureEnded)
        #expect(record.lines == ["PUT /a (3) -> 200 (3) [interrupted]"])
    }

    @Test func `field lines are counted as sent, and trailers apart from them`() {
        let record = Conversation(
            .client(
                "POST /a HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\n\tfolded\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: 1\r\n\r\n"
            ),
            .server("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")
        ).readInEveryWay()
        let exchange = record.exchanges.first
        #expect(exchange?.request?.fields.map(\.name) == ["Host", "X", "X", "Transfer-Encoding"])
        #expect(exchange?.request?.fields.map(\.value) == ["h", "1", "2\tfolded", "chunked"])
        #expect(exchange?.request?.trailerCount == 1)
        #expect(exchange?.request?.authority == "h")
        #expect(exchange?.response?.contentCoding == "gzip")
        #expect(exchange?.version == .http11)
    }
}
