// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing

@testable import HTTPReconstruction

/// What the sink sees of messages beside the exchange.
@Suite struct SinkViewTests {
    @Test func `the sink sees each response head, of interim responses too`() {
        let record = Conversation(
            .client(HoleTests.get("/a")),
            .server("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
            .server("HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nContent-Length: 2\r\n\r\nok")
        ).readInEveryWay()
        #expect(record.responseHeads == ["103 Link=x", "200 Content-Type=application/grpc Content-Length=2"])
    }

    @Test func `the sink sees the trailers of either side`() {
        let record = Conversation(
            .client(
                "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: q\r\n\r\n"
            ),
            .server(HoleTests.chunkedHead + "2\r\nok\r\n0\r\nGrpc-Status: 0\r\nGrpc-Message: fine\r\n\r\n"),
            .client(HoleTests.get("/b")),
            .server(HoleTests.ok("b"))
        ).readInEveryWay()
        #expect(record.lines == ["POST /a (1) +1 -> 200 (2) +2", "GET /b -> 200 (1)"])
        #expect(record.trailerSections == ["request Digest=q", "response Grpc-Status=0 Grpc-Message=fine"])
    }

    @Test func `trailers of a message that belongs to no exchange are shown to nobody`() {
        let record = Conversation(
            .client("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
            .clientHole("A: b\r\n\r\n")
        ).read()
        #expect(record.trailerSections == [])
    }
}

/// What a connection costs that carries something else.
@Suite struct ReaderCostTests {
    private func reconstructor(receiving octets: [UInt8]) -> (readers: Int, connections: Int) {
        var reconstructor = HTTPReconstructor(sink: RecordingSink())
        reconstructor.connectionOpened(.seenFromStart())
        if !octets.isEmpty {
            let position = StreamPosition(
                direction: .fromOriginator,
                offset: 0,
                time: PacketTime(nanoseconds: 0),
                acknowledged: 0,
                startsSegment: true
            )
            reconstructor.octetsArrived(octets.span, at: position, slot: 0)
        }
        #expect(reconstructor.http2.count == (octets.starts(with: "PRI".utf8) ? 1 : 0))
        return (reconstructor.http1.count, reconstructor.shared.connections.count)
    }

    @Test func `a connection without octets, and one with TLS, pay nothing for HTTP`() {
        #expect(reconstructor(receiving: []) == (0, 1))
        #expect(reconstructor(receiving: [22, 3, 1, 0, 5, 1, 0, 0, 1, 0]) == (0, 1))
        #expect(reconstructor(receiving: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)) == (0, 1))
        #expect(reconstructor(receiving: Array("GET / HTTP/1.1\r\n".utf8)) == (1, 1))
    }

    @Test func `what every connection costs is small`() {
        #expect(MemoryLayout<TrackedConnection>.stride <= 48)
        // Three cache lines and a half.
        #expect(MemoryLayout<HTTP1Connection>.stride <= 224)
    }
}
