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
}
