// Wingmirror · Apache-2.0
// WebSockets, RFC 6455 and RFC 8441.

import TCPReassembly
import Testing

@testable import HTTPReconstruction

/// Frames of a WebSocket.
enum WebSocketFrame {
    static func frame(
        _ opcode: UInt8,
        _ payload: [UInt8],
        isFinal: Bool = true,
        masked: Bool,
        reserved: UInt8 = 0
    ) -> [UInt8] {
        var octets: [UInt8] = [(isFinal ? 0x80 : 0) | reserved | opcode]
        let mask: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case 0..<126: octets.append(mask | UInt8(payload.count))
        case 126..<65_536: octets += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: octets += [mask | 127] + (0..<8).reversed().map { UInt8(payload.count >> (8 * $0) & 0xFF) }
        }
        guard masked else { return octets + payload }
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        return octets + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    static func client(_ opcode: UInt8, _ text: String, isFinal: Bool = true) -> [UInt8] {
        frame(opcode, Array(text.utf8), isFinal: isFinal, masked: true)
    }

    static func server(_ opcode: UInt8, _ text: String, isFinal: Bool = true) -> [UInt8] {
        frame(opcode, Array(text.utf8), isFinal: isFinal, masked: false)
    }

    static func close(_ code: UInt16?, masked: Bool) -> [UInt8] {
        frame(8, code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? [], masked: masked)
    }
}

@Suite struct WebSocketTests {
    private static let upgrade = Array(LeavingHTTPTests.upgrade.utf8)
    private static let switching = Array(LeavingHTTPTests.switching.utf8)

    @Test func `frames are counted by side and kind, messages by their last frame`() {
        let record = Conversation(
            .client(Self.upgrade),
            .server(Self.switching + WebSocketFrame.server(1, "hello")),
            .client(WebSocketFrame.client(1, "one") + WebSocketFrame.client(2, "frag", isFinal: false)),
            .client(WebSocketFrame.client(9, "beat") + WebSocketFrame.client(0, "ment")),
            .server(
                WebSocketFrame.server(10, "beat") + WebSocketFrame.server(2, String(repeating: "x", count: 70_000))
            ),
            .client(WebSocketFrame.close(1000, masked: true)),
            .server(WebSocketFrame.close(1000, masked: false))
        ).readInEveryWay()
        #expect(record.lines == ["GET /ws -> 101 webSocket"])
        #expect(
            record.exchanges.first?.webSocket
                == "client 1.1.1.1.1.0 (1+1) 17 server 1.1.0.1.0.1 (1+1) 70011 close 1000 by client pings 1"
        )
    }

    @Test func `a continuation of nothing is no message, nor may one message interrupt another`() {
        func read(_ frames: [UInt8]) -> SeenExchange? {
            Conversation(.client(Self.upgrade), .server(Self.switching), .client(frames)).readInEveryWay().exchanges
                .first
        }
        let orphan = read(WebSocketFrame.client(0, "abc") + WebSocketFrame.client(1, "x"))
        #expect(orphan?.webSocket?.hasPrefix("client 1.0.1.0.0.0 (1+0) 4! ") == true)
        #expect(orphan?.integrity == [.malformed])
        let interrupted = read(WebSocketFrame.client(1, "x", isFinal: false) + WebSocketFrame.client(2, "yz"))
        #expect(interrupted?.webSocket?.hasPrefix("client 1.1.0.0.0.0 (0+1) 3! ") == true)
        let whole = read(
            WebSocketFrame.client(1, "x", isFinal: false) + WebSocketFrame.client(9, "")
                + WebSocketFrame.client(0, "y", isFinal: false) + WebSocketFrame.client(0, "z")
                + WebSocketFrame.client(2, "")
        )
        #expect(whole?.webSocket?.hasPrefix("client 1.1.2.0.1.0 (1+1) 3 ") == true)
        #expect(whole?.integrity == [])
    }

    @Test(arguments: [(UInt16?.none, "-"), (1001, "1001"), (3999, "3999"), (4000, "4000")])
    func `the code of the first close is told, whoever says it`(code: UInt16?, text: String) {
        let record = Conversation(
            .client(Self.upgrade),
            .server(Self.switching + WebSocketFrame.close(code, masked: false)),
            .client(WebSocketFrame.close(1000, masked: true))
        ).readInEveryWay()
        #expect(
            record.exchanges.first?.webSocket?.hasSuffix("close \(text) by server") == true
        )
    }

    @Test func `what a client sends before the upgrade is accepted belongs to the WebSocket`() {
        let record = Conversation(
            .client(Self.upgrade + WebSocketFrame.client(1, "early")),
            .server(Self.switching)
        ).readInEveryWay()
        #expect(record.exchanges.first?.webSocket == "client 1.0.0.0.0.0 (1+0) 5 server 0.0.0.0.0.0 (0+0) 0")
    }

    @Test func `a WebSocket over HTTP/2 is read like one over HTTP/1`() {
        var script = HTTP2Script()
        let fields: HTTP2Script.Fields = [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "shop.example.com"),
        ]
        func data(_ octets: [UInt8], ends: Bool = false) -> [UInt8] { TestFrame.frame(0, ends ? 1 : 0, 1, octets) }
        let text = WebSocketFrame.client(1, "split over frames")
        let record = Conversation(
            .client(HTTP2Script.opening + script.request(1, fields, ends: false)),
            .server(HTTP2Script.serverOpening + script.response(1, [(":status", "200")])),
            .client(data(Array(text.prefix(7))) + data(Array(text.dropFirst(7)))),
            .server(data(WebSocketFrame.server(2, "b") + WebSocketFrame.close(1011, masked: false), ends: true)),
            .client(data([], ends: true))
        ).readInEveryWay()
        #expect(record.lines == ["CONNECT /chat -> 200 webSocket"])
        #expect(
            record.exchanges.first?.webSocket
                == "client 1.0.0.0.0.0 (1+0) 17 server 0.1.0.1.0.0 (0+1) 3 close 1011 by server"
        )
    }

    @Test func `a hole inside a payload is passed over, and the counts are marked`() {
        let long = WebSocketFrame.client(2, String(repeating: "a", count: 1000))
        let record = Conversation(
            .client(Self.upgrade),
            .server(Self.switching),
            .client(Array(long[..<100])),
            .clientHole(Array(long[100..<900])),
            .client(Array(long[900...]) + WebSocketFrame.client(1, "next"))
        ).read()
        #expect(record.exchanges.first?.webSocket == "client 1.1.0.0.0.0 (1+1) 1004? server 0.0.0.0.0.0 (0+0) 0")
        #expect(record.exchanges.first?.integrity == [.requestGap])
    }

    @Test func `behind a hole a client's frames are found again where three fill a segment, a server's are not`() {
        let lost = WebSocketFrame.client(1, "lost")
        let chain = (0..<3).flatMap { WebSocketFrame.client(1, "text \($0)") }
        let record = Conversation(
            .client(Self.upgrade),
            .server(Self.switching),
            .clientHole(lost),
            .client(WebSocketFrame.client(1, "not enough")),
            .client(chain),
            .client(WebSocketFrame.close(1000, masked: true)),
            .serverHole(WebSocketFrame.server(1, "lost")),
            .server((0..<3).flatMap { WebSocketFrame.server(1, "text \($0)") })
        ).read()
        #expect(
            record.exchanges.first?.webSocket
                == "client 3.0.0.1.0.0 (3+0) 20? server 0.0.0.0.0.0 (0+0) 0? close 1000 by client"
        )
    }

    @Test func `a frame that contradicts its side ends the reading of that side`() {
        let record = Conversation(
            .client(Self.upgrade),
            .server(Self.switching),
            .client(WebSocketFrame.server(1, "unmasked")),
            .server(WebSocketFrame.server(1, "fine"))
        ).readInEveryWay()
        #expect(record.exchanges.first?.webSocket == "client 0.0.0.0.0.0 (0+0) 0?! server 1.0.0.0.0.0 (1+0) 4")
        #expect(record.exchanges.first?.integrity == [.malformed])
    }
}
