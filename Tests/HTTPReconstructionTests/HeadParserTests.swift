// Wingmirror · Apache-2.0
// Message heads: RFC 9112 §2 to §5.

import Testing
import TrafficModel

@testable import HTTPReconstruction

@Suite struct HeadParserTests {
    static let request = Array(
        "POST /a?b=c HTTP/1.0\r\nHost: example.com\r\nX-Empty:\r\nX-Folded: one\r\n two\r\nContent-Length: 12\r\n\r\n"
            .utf8
    )
    static let response = Array(
        "HTTP/1.1 404 Not Found\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n".utf8
    )

    @Test func `a request head is taken apart`() {
        var parser = HeadParser()
        guard case .complete = parser.parse(Self.request.span, as: .request) else {
            Issue.record("not complete")
            return
        }
        let head = parser.head
        // A folded line has the whole head written anew.
        let octets = parser.text
        func text(_ range: Range<Int>) -> String { String(decoding: octets[range], as: UTF8.self) }
        let isRewritten = parser.isRewritten
        #expect(isRewritten)
        #expect(head.length == Self.request.count)
        #expect(head.textLength == octets.count)
        #expect(head.version == .http10)
        #expect(text(head.method.range) == "POST")
        #expect(head.knownMethod == .post)
        #expect(text(head.target.range) == "/a?b=c")
        #expect(head.host.map { text($0.range) } == "example.com")
        #expect(head.contentLength == .octets(12))
        let fields = parser.fields.indices.map { parser.fields[$0] }
        #expect(fields.map { text($0.name) } == ["Host", "X-Empty", "X-Folded", "Content-Length"])
        #expect(fields.map { text($0.value) } == ["example.com", "", "one two", "12"])
    }

    @Test(arguments: [MessageKind.request, .response])
    func `every beginning of a head asks for more`(kind: MessageKind) {
        let octets = kind == .request ? Self.request : Self.response
        var parser = HeadParser()
        for count in 0..<octets.count {
            let beginning = Array(octets.prefix(count))
            if case .incomplete = parser.parse(beginning.span, as: kind) { continue }
            Issue.record("\(count) octets")
        }
    }

    @Test func `what follows a head does not change it`() {
        var parser = HeadParser()
        for follower in ["", "\r\n", "x", "GET / HTTP/1.1\r\n\r\n", "\0\u{7F}"] {
            let octets = Self.response + Array(follower.utf8)
            guard case .complete = parser.parse(octets.span, as: .response) else {
                Issue.record("before \(follower)")
                continue
            }
            #expect(parser.head.length == Self.response.count)
            #expect(parser.head.status == 404)
            #expect(parser.head.transferCoding == .chunked)
        }
    }

    struct Malformed: Sendable, CustomTestStringConvertible {
        let line: String
        let failure: ParseFailure
        var testDescription: String { line.debugDescription }
    }

    @Test(arguments: [
        Malformed(line: "GET  / HTTP/1.1", failure: .startLine), Malformed(line: "GET /", failure: .startLine),
        Malformed(line: "GET / HTTP/1.2", failure: .startLine), Malformed(line: "GET / HTTP/1.1 ", failure: .startLine),
        Malformed(line: "GET / http/1.1", failure: .startLine), Malformed(line: " GET / HTTP/1.1", failure: .startLine),
        Malformed(line: "GET /a b HTTP/1.1", failure: .startLine),
        Malformed(line: "G@T / HTTP/1.1", failure: .startLine),
        Malformed(line: "GET\t/\tHTTP/1.1", failure: .startLine),
        Malformed(line: "GET /\u{1} HTTP/1.1", failure: .controlOctet),
        Malformed(line: "GET / HTTP/1.1\rX: 1", failure: .controlOctet),
        Malformed(line: "G\u{7F}T / HTTP/1.1", failure: .startLine),
    ])
    func `a request line that is none is told as that`(row: Malformed) {
        expectFailure(row, as: .request)
    }

    @Test(arguments: [
        Malformed(line: "HTTP/1.1 20 OK", failure: .startLine),
        Malformed(line: "HTTP/1.1 2000 OK", failure: .startLine),
        Malformed(line: "HTTP/1.1 099 OK", failure: .startLine),
        Malformed(line: "HTTP/1.1  200 OK", failure: .startLine),
        Malformed(line: "HTTP/2.0 200 OK", failure: .startLine),
        Malformed(line: "HTTP/1.1\t200 OK", failure: .startLine),
        Malformed(line: "HTTP/1.1 200OK", failure: .startLine), Malformed(line: "ICY 200 OK", failure: .startLine),
        Malformed(line: "HTTP/1.1 200 O\0K", failure: .controlOctet),
        Malformed(line: "http/1.1 200 OK", failure: .startLine),
    ])
    func `a status line that is none is told as that`(row: Malformed) {
        expectFailure(row, as: .response)
    }

    private func expectFailure(_ row: Malformed, as kind: MessageKind) {
        var parser = HeadParser()
        let octets = Array("\(row.line)\r\nHost: h\r\n\r\n".utf8)
        guard case .malformed(let failure) = parser.parse(octets.span, as: kind) else {
            Issue.record("not malformed")
            return
        }
        #expect(failure == row.failure)
    }

    @Test func `every octet is a token octet or not, as RFC 9110 says`() {
        let allowed = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for octet in UInt8.min...UInt8.max {
            #expect(octet.isTokenOctet == allowed.contains(octet), "\(octet)")
            // Eight octets at once are judged like one.
            for index in 0..<8 {
                var word = Array("abcd-XYZ".utf8)
                word[index] = octet
                let isToken = word.span.isToken(0..<8)
                #expect(isToken == allowed.contains(octet), "\(octet) at \(index)")
            }
        }
    }

    @Test func `a search for control octets finds the first, wherever it is`() {
        for octet in UInt8.min...UInt8.max {
            let isControl = octet < 0x20 && octet != 0x09 || octet == 0x7F
            for index in 0..<19 {
                var line = [UInt8](repeating: 0xC3, count: 20)
                line[index] = octet
                line[19] = 0x0A
                let found = line.span.indexOfControl(from: 0)
                #expect(found == (isControl ? index : 19), "\(octet) at \(index)")
            }
        }
    }

    @Test func `a search for one octet finds the first, wherever it is`() {
        for start in 0..<10 {
            for index in 0..<20 {
                var line = Array("aaaaaaaaaaaaaaaaaaaa".utf8)
                line[index] = 0x3A
                let found = line.span.firstIndex(of: 0x3A, from: start, to: 20)
                #expect(found == (index >= start ? index : 20))
                let before = line.span.firstIndex(of: 0x3A, from: start, to: max(start, index))
                #expect(before == max(start, index))
            }
        }
    }

    @Test func `methods are told by their whole name, and case matters`() {
        let names: [(String, RequestMethod)] = [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("CONNECT", .connect),
            ("OPTIONS", .options), ("TRACE", .trace), ("PATCH", .patch), ("QUERY", .query), ("get", .other),
            ("GETS", .other),
            ("GE", .other), ("PURGE", .other),
        ]
        for (name, method) in names {
            let octets = Array(name.utf8)
            let found = RequestMethod(octets.span, 0..<octets.count)
            #expect(found == method, "\(name)")
        }
    }
}
