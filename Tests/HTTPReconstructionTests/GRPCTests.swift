// Wingmirror · Apache-2.0
// gRPC: PROTOCOL-HTTP2 and PROTOCOL-WEB.

import Foundation
import TCPReassembly
import Testing

@testable import HTTPReconstruction

@Suite struct GRPCTests {
    private static func call(_ type: String) -> HTTP2Script.Fields {
        HTTP2Script.head("/a.B/C", method: "POST") + [("content-type", type)]
    }

    private static func message(_ text: String, flag: UInt8 = 0) -> [UInt8] {
        [flag, 0, 0, UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 0xFF)] + Array(text.utf8)
    }

    private static func data(_ octets: [UInt8], ends: Bool = false) -> [UInt8] {
        TestFrame.frame(0, ends ? 1 : 0, 1, octets)
    }

    @Test func `messages are counted each way, however frames cut them`() {
        var script = HTTP2Script()
        let request = Self.message("one") + Self.message("") + Self.message(String(repeating: "x", count: 300))
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call("application/grpc"), ends: false)),
            .client(Self.data(Array(request[..<4])) + Self.data(Array(request[4...]), ends: true)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .server(Self.data(Self.message("a", flag: 1) + Self.message("b"))),
            .server(script.response(1, [("grpc-status", "0")], ends: true))
        ).readInEveryWay()
        #expect(record.exchanges.first?.messages == [3, 2])
        #expect(record.exchanges.first?.grpcStatus == 0)
    }

    @Test(arguments: [
        ("application/grpc", ContentKind.grpc), ("application/grpc+proto", .grpc), ("application/grpc;a=b", .grpc),
        ("Application/gRPC", .grpc), ("application/grpc-web", .grpcWeb), ("application/grpc-web+proto", .grpcWeb),
        ("application/grpc-web-text", .grpcWebText), ("application/grpc-web-text+proto", .grpcWebText),
        ("application/grpcfoo", .other), ("application/grpc-webs", .other), ("application/json", .other),
        ("text/event-stream; charset=utf-8", .eventStream), ("text/event-streams", .other), ("", .other),
    ])
    func `a media type is compared to its end`(text: String, kind: ContentKind) {
        let octets = Array(text.utf8)
        #expect(ContentKind(octets.span) == kind)
    }

    @Test func `a hole inside a message of known length is passed over, one beyond makes the count unknown`() {
        var script = HTTP2Script()
        let long = Self.message(String(repeating: "x", count: 400))
        let frame = Self.data(long)
        let first = HTTP2Script.opening + script.request(1, Self.call("application/grpc"), ends: false)
        let events: [Conversation.Event] = [
            .client(first + frame[..<100]), .clientHole(Array(frame[100..<300])), .client(Array(frame[300...])),
            .client(Self.data(Self.message("two"), ends: true)),
            .server(
                HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("grpc-status", "7")], ends: true)
            ),
        ]
        let record = Conversation(events).read()
        #expect(record.exchanges.first?.messages == [2, 0])
        var lossy = events
        lossy[3] = .clientHole(Self.data(Self.message("two")))
        lossy.insert(.client(Self.data(Self.message("three"), ends: true)), at: 4)
        #expect(Conversation(lossy).read().exchanges.first?.messages == [-1, 0])
    }

    @Test(arguments: [false, true])
    func `the status of gRPC-Web is in its content`(isText: Bool) {
        var script = HTTP2Script()
        let type = isText ? "application/grpc-web-text" : "application/grpc-web+proto"
        let body = [Self.message("hello"), Self.message("grpc-message:no\r\nGRPC-Status: 5\r\n", flag: 0x80)]
        func coded(_ octets: [UInt8]) -> [UInt8] {
            isText ? Array(Data(octets).base64EncodedString().utf8) : octets
        }
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call(type), ends: false)),
            .client(Self.data(coded(Self.message("x")), ends: true)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("content-type", type)])),
            .server(Self.data(coded(body[0])) + Self.data(coded(body[1]), ends: true))
        ).readInEveryWay()
        #expect(record.exchanges.first?.grpcStatus == 5)
        #expect(record.exchanges.first?.messages == [1, 1])
    }

    @Test(arguments: [false, true])
    func `the status of gRPC-Web over HTTP/1 is read where the content is kept`(isText: Bool) {
        let type = isText ? "application/grpc-web-text" : "application/grpc-web"
        let octets = Self.message("hello") + Self.message("grpc-status:13\r\n", flag: 0x80)
        let body = isText ? Array(Data(octets).base64EncodedString().utf8) : octets
        let record = Conversation(
            .client("POST /a.B/C HTTP/1.1\r\nHost: h\r\nContent-Type: \(type)\r\nContent-Length: 0\r\n\r\n"),
            .server(
                Array("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
            )
        ).readInEveryWay()
        #expect(record.exchanges.first?.grpcStatus == 13)
        #expect(record.exchanges.first?.messages == [0, 1])
    }

    // MARK: - Trailers of gRPC-Web

    /// A response of gRPC-Web on stream 1, with a trailer section of its own length, cut into frames.
    private static func web(_ trailers: String, frames: Int = 1) -> Record {
        var script = HTTP2Script()
        let body = message("hello") + message(trailers, flag: 0x80)
        let size = (body.count + frames - 1) / frames
        let pieces = stride(from: 0, to: body.count, by: size).map { data(Array(body[$0...].prefix(size))) }
        return Conversation(
            .client(HTTP2Script.opening + script.request(1, call("application/grpc-web"), ends: false)),
            .client(data(message("x"), ends: true)),
            .server(
                HTTP2Script.serverOpening
                    + script.response(1, [(":status", "200"), ("content-type", "application/grpc-web")])
            ),
            .server(pieces.flatMap(\.self) + data([], ends: true))
        ).read()
    }

    @Test(arguments: [0, 998, 999, 1_000, 2_000, 60_000], [1, 7, 900])
    func `the status of gRPC-Web is found behind other trailers of any length`(length: Int, frames: Int) {
        let details = "grpc-status-details-bin:" + String(repeating: "A", count: length) + "\r\n"
        let record = Self.web(details + "grpc-status:13\r\ngrpc-message:x\r\n", frames: frames)
        #expect(record.exchanges.first?.grpcStatus == 13)
        #expect(record.exchanges.first?.messages == [1, 1])
    }

    @Test(arguments: [
        ("grpc-status: 5 \r\n", Int8?.some(5)), ("grpc-status:13", 13), ("GRPC-Status:\t0\r\n", 0),
        ("grpc-status:1 3\r\n", 17), ("grpc-status:\r\n", 17), ("grpc-status:99\r\n", 17), ("grpc-status:013\r\n", 17),
        ("grpc-status:-1\r\n", 17), ("x-grpc-status:3\r\n", nil), ("grpc-statu:3\r\n", nil), ("grpc-status", nil),
        ("", nil),
        ("a:b\r\ngrpc-status:16\r\ngrpc-status:2\r\n", 16), ("\r\n\ngrpc-status:4\n", 4),
    ])
    func `a line of trailers is read to its end, wherever it is cut`(trailers: String, status: Int8?) {
        let octets = Array(trailers.utf8)
        for cut in 0...octets.count {
            var scan = TrailerScan()
            scan.octetsArrived(octets.span.extracting(first: cut))
            scan.octetsArrived(octets.span.extracting(cut...))
            scan.ended()
            #expect(scan.code == status, "cut after \(cut)")
        }
    }

    @Test func `a status that is cut off says nothing`() {
        var script = HTTP2Script()
        let trailers = Self.message("grpc-status:13\r\n", flag: 0x80)
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call("application/grpc-web"))),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .server(Self.data(Array(trailers.dropLast(3))) + HTTP2Script.reset(1, 2))
        ).readInEveryWay()
        #expect(record.exchanges.first?.grpcStatus == nil)
    }

    @Test(arguments: [
        ("application/grpc-web", "application/grpc-web-text"), ("application/grpc-web-text", "application/grpc-web"),
    ])
    func `a response of gRPC-Web is read by its own media type`(asked: String, answered: String) {
        func coded(_ octets: [UInt8], _ type: String) -> [UInt8] {
            type.hasSuffix("text") ? Array(Data(octets).base64EncodedString().utf8) : octets
        }
        var script = HTTP2Script()
        let body = Self.message("hello") + Self.message("grpc-status:5\r\n", flag: 0x80)
        let request = coded(Self.message("x"), asked)
        let response = coded(body, answered)
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call(asked), ends: false)),
            .client(Self.data(request, ends: true)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200"), ("content-type", answered)])),
            .server(Self.data(response, ends: true)),
            .client(script.request(3, HTTP2Script.head("/next")))
        ).readInEveryWay()
        #expect(record.exchanges.first?.grpcStatus == 5)
        #expect(record.exchanges.first?.messages == [1, 1])
        let old = Conversation(
            .client(
                Array(
                    "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: \(asked)\r\nContent-Length: \(request.count)\r\n\r\n"
                        .utf8
                ) + request
            ),
            .server(
                Array("HTTP/1.1 200 OK\r\nContent-Type: \(answered)\r\nContent-Length: \(response.count)\r\n\r\n".utf8)
                    + response
            )
        ).readInEveryWay()
        #expect(old.exchanges.first?.grpcStatus == 5)
        #expect(old.exchanges.first?.messages == [1, 1])
    }

    @Test(arguments: [
        ("application/grpc-web", Int?.some(7)), ("application/grpc-web+proto", 7), ("application/grpc", nil),
    ])
    func `a status in a head that nothing follows is that of a call of gRPC-Web`(type: String, status: Int?) {
        var script = HTTP2Script()
        let head = [(":status", "200"), ("content-type", type), ("grpc-status", "7")]
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call(type))),
            .server(HTTP2Script.serverOpening + script.response(1, head) + Self.data([], ends: true)),
            .client(script.request(3, Self.call(type))),
            .server(script.response(3, head) + TestFrame.frame(0, 1, 3, Self.message("one")))
        ).readInEveryWay()
        #expect(record.exchanges.map(\.grpcStatus) == [status, nil])
    }

    // MARK: - What is not counted

    @Test func `messages in content with a coding are not known, in HTTP 2 and in HTTP 1`() {
        var script = HTTP2Script()
        let head = [(":status", "200"), ("content-type", "application/grpc-web"), ("content-encoding", "gzip")]
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call("application/grpc-web"), ends: false)),
            .client(Self.data(Self.message("x"), ends: true)),
            .server(HTTP2Script.serverOpening + script.response(1, head)),
            .server(Self.data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], ends: true))
        ).readInEveryWay()
        #expect(record.exchanges.first?.messages == [1, -1])
        let type = "Content-Type: application/grpc-web\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"
        let old = Conversation(
            .client("POST /a.B/C HTTP/1.1\r\nHost: h\r\n" + type + "abcde"),
            .server("HTTP/1.1 200 OK\r\n" + type + "abcde")
        ).readInEveryWay()
        #expect(old.exchanges.first?.messages == [-1, -1])
    }

    @Test func `messages of gRPC-Web over HTTP 1 are not known where content is not kept`() {
        var limits = HTTPLimits()
        limits.retainedOctets = 0
        let message = String(decoding: Self.message("ab"), as: UTF8.self)
        let type = "Content-Type: application/grpc-web\r\nContent-Length: 7\r\n\r\n"
        let record = Conversation(
            .client("POST /a.B/C HTTP/1.1\r\nHost: h\r\n" + type + message),
            .server("HTTP/1.1 200 OK\r\n" + type + message),
            limits: limits
        ).read()
        #expect(record.exchanges.first?.messages == [-1, -1])
    }

    @Test func `messages of a request that was missed are not known`() {
        var script = HTTP2Script()
        let request =
            script.request(1, Self.call("application/grpc"), ends: false) + Self.data(Self.message("x"), ends: true)
        let record = Conversation(
            .client(HTTP2Script.opening),
            .server(HTTP2Script.serverOpening),
            .clientHole(request),
            .server(script.response(1, [(":status", "200"), ("content-type", "application/grpc")])),
            .server(Self.data(Self.message("y"))),
            .server(script.response(1, [("grpc-status", "0")], ends: true))
        ).read()
        #expect(record.exchanges.first?.messages == [-1, 1])
        #expect(record.exchanges.first?.grpcStatus == 0)
    }

    @Test func `a page in place of a call's answer has no messages`() {
        var script = HTTP2Script()
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, Self.call("application/grpc"), ends: false)),
            .client(Self.data(Self.message("x"), ends: true)),
            .server(
                HTTP2Script.serverOpening + script.response(1, [(":status", "503"), ("content-type", "text/html")])
            ),
            .server(Self.data([0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0], ends: true))
        ).readInEveryWay()
        #expect(record.exchanges.first?.messages == [1, 0])
    }
}
