// Wingmirror · Apache-2.0
// The PROXY protocol: haproxy.org/download/2.8/doc/proxy-protocol.txt.

import PacketDecoding
import TCPReassembly
import Testing

@testable import HTTPReconstruction

@Suite struct ProxyHeaderTests {
    private func header(_ octets: [UInt8]) -> (client: Endpoint?, isMalformed: Bool, length: Int)? {
        guard case .header(let header) = ProxyHeader.read(octets.span) else { return nil }
        return (header.client, header.isMalformed, header.length)
    }

    private static let binary: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 12]
        + [203, 0, 113, 7, 198, 51, 100, 20, 0x9C, 0x40, 0x1F, 0x90]

    @Test func `the client of a line is read, of either family`() throws {
        let four = try #require(header(Array("PROXY TCP4 203.0.113.7 198.51.100.20 40000 8080\r\nGET".utf8)))
        #expect(four.client == Endpoint(address: IPAddress(ipv4: 0xCB00_7107), port: 40_000))
        #expect(four.length == 49 && !four.isMalformed)
        let six = try #require(header(Array("PROXY TCP6 2001:db8::1 ::1 1 2\r\n".utf8)))
        #expect(six.client?.address == IPAddress(high: 0x2001_0DB8_0000_0000, low: 1))
        let mapped = try #require(header(Array("PROXY TCP6 ::ffff:203.0.113.7 ::ffff:1.2.3.4 1 2\r\n".utf8)))
        #expect(mapped.client?.address == IPAddress(high: 0, low: 0xFFFF_CB00_7107))
    }

    @Test func `the client of a binary header is read`() throws {
        let found = try #require(header(Self.binary + [0x47]))
        #expect(found.client == Endpoint(address: IPAddress(ipv4: 0xCB00_7107), port: 40_000))
        #expect(found.length == 28 && !found.isMalformed)
    }

    @Test(arguments: ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ::2 1 2\r\n"])
    func `a header without a client is a header`(line: String) throws {
        let found = try #require(header(Array(line.utf8)))
        #expect(found.client == nil && !found.isMalformed && found.length == line.utf8.count)
    }

    @Test(arguments: [
        "PROXY TCP4 203.0.113.700 198.51.100.20 40000 8080\r\n", "PROXY TCP4 203.0.113.7 198.51.100.20 40000\r\n",
        "PROXY TCP4 203.0.113.7 198.51.100.20 70000 8080\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP6 1::2::3 ::1 1 2\r\n",
        "PROXY TCP4  203.0.113.7 198.51.100.20 40000 8080\r\n", "PROXY TCP4 203.0.113.07 198.51.100.20 1 2\r\n",
        "PROXY TCP4 203.0.113.7 198.51.100.20 040000 8080\r\n", "PROXY TCP6 ::ffff:1.2.3 ::1 1 2\r\n",
        "PROXY UDP4 203.0.113.7 198.51.100.20 40000 8080\r\n", "PROXY tcp4 203.0.113.7 198.51.100.20 40000 8080\r\n",
        "PROXY \r\n", "PROXY TCP4 203.0.113.7 198.51.100.20 40000 8080\n",
        "PROXY UNKNOWN \(String(repeating: "a", count: 100))\r\n", "PROXY TCP6 ::+1 ::2 1 2\r\n",
        "PROXY TCP6 ::2 ::-0 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7:1.2.3.4 ::2 1 2\r\n",
    ])
    func `a line that says what cannot be is malformed`(line: String) throws {
        let found = try #require(header(Array(line.utf8)))
        #expect(found.isMalformed && found.client == nil && found.length == line.utf8.count)
    }

    @Test func `every beginning of a header asks for more`() {
        for whole in [Array("PROXY TCP4 203.0.113.7 198.51.100.20 40000 8080\r\n".utf8), Self.binary] {
            for count in 0..<whole.count {
                let part = Array(whole.prefix(count))
                guard case .incomplete = ProxyHeader.read(part.span) else {
                    Issue.record("\(count) octets are enough")
                    continue
                }
            }
        }
    }

    @Test(arguments: ["POST / HTTP/1.1\r\n", "PUT /", "PROXY / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n"])
    func `requests are no header`(text: String) {
        let octets = Array(text.utf8)
        guard case .notOurs = ProxyHeader.read(octets.span) else {
            Issue.record("\(text) was taken for a header")
            return
        }
    }

    @Test func `a header in pieces is taken off the front, however it is cut`() {
        for whole in [Array("PROXY TCP4 203.0.113.7 198.51.100.20 40000 8080\r\n".utf8), Self.binary] {
            let record = Conversation(
                .octets(.fromOriginator, whole + Array(HoleTests.get("/a").utf8), acknowledging: nil),
                .server(HoleTests.ok("a")),
                .client(HoleTests.get("/b")),
                .server(HoleTests.ok("b"))
            ).readInEveryWay()
            #expect(record.lines == ["GET /a -> 200 (1)", "GET /b -> 200 (1)"])
            #expect(record.statistics.proxyHeaders == 1)
        }
    }

    @Test(arguments: [1, 40, 60, 1_000, 30_000])
    func `extensions of any length are passed over`(cut: Int) {
        let extensions = [UInt8(0xE0), 0xEA, 0x60] + [UInt8](repeating: UInt8(ascii: "G"), count: 60_000)
        let length = 12 + extensions.count
        var header = Self.binary + extensions
        header[14] = UInt8(length >> 8)
        header[15] = UInt8(length & 255)
        let whole = header + Array(HoleTests.get("/a").utf8)
        let record = Conversation([
            .octets(.fromOriginator, Array(whole[..<cut]), acknowledging: nil),
            .octets(.fromOriginator, Array(whole[cut...]), acknowledging: nil),
            .server(HoleTests.ok("a")),
            .client(HoleTests.get("/b")),
            .server(HoleTests.ok("bb")),
        ]).read()
        #expect(record.lines == ["GET /a -> 200 (1)", "GET /b -> 200 (2)"])
        #expect(record.statistics.proxyHeaders == 1 && record.statistics.malformedProxyHeaders == 0)
        #expect(record.identities.contains { $0.clientFromProxy?.port == 40_000 })
    }

    @Test(arguments: ["PROXY TCP4 203.0.113.7 198.51.100.20 40000 8080\r\n", ""])
    func `a header in front of a connection whose handshake was not captured is one`(line: String) {
        let header = line.isEmpty ? Self.binary : Array(line.utf8)
        let record = Conversation(
            .octets(.fromOriginator, header + Array(HoleTests.get("/a").utf8), acknowledging: nil),
            .server(HoleTests.ok("a")),
            sawHandshake: false
        ).read()
        #expect(record.exchanges.first?.request?.target == "/a")
        #expect(record.statistics.proxyHeaders == 1)
        #expect(record.identities.contains { $0.clientFromProxy?.port == 40_000 })
    }

    @Test(arguments: [
        "PROXY TCP4 nobody 198.51.100.20 40000 8080\r\n", "PROXY UDP4 203.0.113.7 198.51.100.20 40000 8080\r\n",
        "PROXY TCP4 \(String(repeating: "1", count: 200))\r\n",
    ])
    func `a wrong header marks the first request, and loses none`(line: String) {
        let record = Conversation(
            .client(line + HoleTests.get("/a")),
            .server(HoleTests.ok("a")),
            .client(HoleTests.get("/b")),
            .server(HoleTests.ok("b"))
        ).readInEveryWay()
        #expect(record.lines == ["GET /a -> 200 (1) [malformed]", "GET /b -> 200 (1)"])
        #expect(record.statistics.malformedProxyHeaders == 1)
    }
}
