// Wingmirror · Apache-2.0

import HTTPReconstruction
import Testing
import TrafficModel

@Suite struct WholeMessageTests {
    static func read(_ text: String, as kind: WholeMessage.Kind = .request) -> WholeMessage.Outcome {
        let octets = Array(text.utf8)
        return WholeMessage.read(octets.span, as: kind)
    }

    static func message(_ text: String, as kind: WholeMessage.Kind = .request) -> WholeMessage? {
        if case .message(let message) = read(text, as: kind) { message } else { nil }
    }

    @Test func `a request is read to its end and no further`() throws {
        let text = "\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET"
        let message = try #require(Self.message(text))
        let octets = Array(text.utf8)
        #expect(String(decoding: octets[message.method], as: UTF8.self) == "POST")
        #expect(String(decoding: octets[message.target], as: UTF8.self) == "/a")
        #expect(message.fields.map { String(decoding: octets[$0.name], as: UTF8.self) } == ["Host", "Content-Length"])
        #expect(message.fields.map { String(decoding: octets[$0.value], as: UTF8.self) } == ["h", "3"])
        #expect(message.content == Array("abc".utf8))
        #expect(message.length == octets.count - 3)
        #expect(!message.endsWithOctets)
    }

    @Test func `chunks and trailers are taken off`() throws {
        let text = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n"
        let message = try #require(Self.message(text))
        #expect(message.content == Array("abcde".utf8))
        #expect(message.trailerCount == 1)
        #expect(message.length == text.utf8.count)
    }

    @Test func `measuring gives the same length without the content`() throws {
        let octets = Array("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
        guard case .message(let message) = WholeMessage.read(octets.span, as: .request, keepsContent: false) else {
            Issue.record("no message")
            return
        }
        #expect(message.length == octets.count)
        #expect(message.content.isEmpty)
        #expect(message.contentOctets == 3)
    }

    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
    ])
    func `every beginning of a message asks for more`(_ text: String) {
        for length in 0..<text.utf8.count {
            guard case .incomplete = Self.read(String(decoding: Array(text.utf8).prefix(length), as: UTF8.self)) else {
                Issue.record("cut at \(length)")
                return
            }
        }
        #expect(Self.message(text) != nil)
    }

    @Test(arguments: [
        (WholeMessage.Kind.response(to: .head), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        (.response(to: .get), "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        (.response(to: .connect), "HTTP/1.1 200 OK\r\n\r\n"),
        (.response(to: .get), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        (.response(to: .get), "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
    ])
    func `responses without content end with their head`(_ kind: WholeMessage.Kind, _ text: String) throws {
        let message = try #require(Self.message(text + "rest", as: kind))
        #expect(message.length == text.utf8.count)
        #expect(message.content.isEmpty)
    }

    @Test func `a response without framing takes all octets, and says so`() throws {
        let message = try #require(Self.message("HTTP/1.0 200 OK\r\n\r\nall of it", as: .response(to: .get)))
        #expect(message.content == Array("all of it".utf8))
        #expect(message.endsWithOctets)
        #expect(message.version == .http10)
    }

    @Test func `framing that contradicts itself is told apart from octets that are no HTTP`() {
        let head = "POST / HTTP/1.1\r\nContent-Length: 3\r\n"
        for second in ["Content-Length: 4", "Transfer-Encoding: chunked"] {
            guard case .conflicting = Self.read(head + second + "\r\n\r\nabc") else {
                Issue.record("not conflicting: \(second)")
                return
            }
        }
        for (text, failure) in [
            ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", ParseFailure.contentLength),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", .transferCoding),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", .chunk), ("GET /\r\n\r\n", .startLine),
        ] {
            guard case .malformed(let reason) = Self.read(text) else {
                Issue.record("not malformed: \(text)")
                return
            }
            #expect(reason == failure)
        }
    }
}
