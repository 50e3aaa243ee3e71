// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

/// Content that is passed over from one DATA frame into the next, by a header that nothing proves.
@Suite struct ContentAheadTests {
    /// The server's side of a connection whose client has asked for one thing on stream 1.
    private struct Server: ~Copyable {
        private var reconstructor: HTTPReconstructor<RecordingSink>
        private var sent: Int64 = 0
        var script = HTTP2Script()

        init(_ fields: HTTP2Script.Fields = [], keepsContent: Bool = false) {
            var sink = RecordingSink()
            sink.kept = Retention(heads: .whole, contentOctets: keepsContent ? 1 << 20 : 0)
            reconstructor = HTTPReconstructor(sink: sink)
            reconstructor.connectionOpened(.seenFromStart())
            let request = HTTP2Script.opening + script.request(1, HTTP2Script.head("/") + fields)
            reconstructor.octetsArrived(request.span, at: Self.position(.fromOriginator, 0), slot: 0)
        }

        /// The server sends its SETTINGS and the head of the answer.
        mutating func answers(_ fields: HTTP2Script.Fields = []) {
            sends(HTTP2Script.serverOpening + script.response(1, [(":status", "200")] + fields))
        }

        mutating func sends(_ octets: [UInt8]) {
            reconstructor.octetsArrived(octets.span, at: Self.position(.fromResponder, sent), slot: 0)
            sent += Int64(octets.count)
        }

        var contentAhead: Int { reconstructor.octetsNotLookedAt(.fromResponder, slot: 0) }

        var mayGoOn: Bool { reconstructor.contentMayGoOn(.fromResponder, slot: 0) }

        func passesOver(behind header: [UInt8], after count: Int) -> Int {
            reconstructor.octetsNotLookedAt(behind: header.span, after: count, .fromResponder, slot: 0)
        }

        private static func position(_ direction: StreamDirection, _ offset: Int64) -> StreamPosition {
            StreamPosition(
                direction: direction,
                offset: offset,
                time: PacketTime(nanoseconds: offset),
                acknowledged: nil,
                startsSegment: true
            )
        }
    }

    /// A DATA frame of 100 octets that is not the last, of which 40 came.
    private static let begun = Array(HTTP2Script.data(1, String(repeating: "a", count: 100), ends: false).prefix(49))

    /// The header of a DATA frame.
    private static func header(_ length: Int, flags: UInt8 = 0, stream: UInt8 = 1) -> [UInt8] {
        [UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), 0, flags, 0, 0, 0, stream]
    }

    @Test func `of a header that nothing proves only a length that may be is believed`() {
        var server = Server()
        server.answers()
        server.sends(Self.begun)
        #expect(server.contentAhead == 60 && server.mayGoOn)
        let header = Self.header(8_192)
        #expect(server.passesOver(behind: header, after: 60) == 8_192 + 9)
        #expect(server.passesOver(behind: Array(header.prefix(8)), after: 60) == 0)
        for bit in 0..<72 {
            var forged = header
            forged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            let length = Int(forged[0]) << 16 | Int(forged[1]) << 8 | Int(forged[2])
            // The client has announced no other limit than that of RFC 9113 §6.5.2.
            let expected = bit < 24 && length <= 16_384 ? length + 9 : 0
            #expect(server.passesOver(behind: forged, after: 60) == expected, "bit \(bit)")
        }
    }

    @Test func `a header may stand where a frame has ended`() {
        var server = Server()
        server.answers()
        server.sends(HTTP2Script.data(1, "abc", ends: false))
        #expect(server.contentAhead == 0 && server.mayGoOn)
        #expect(server.passesOver(behind: Self.header(5), after: 0) == 14)
        // Behind anything else than content of the same stream all is looked at.
        server.sends(TestFrame.frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(!server.mayGoOn && server.passesOver(behind: Self.header(5), after: 0) == 0)
    }

    @Test func `no more content is believed than was announced`() {
        var server = Server()
        server.answers([("content-length", "200")])
        server.sends(Self.begun)
        #expect(server.passesOver(behind: Self.header(100), after: 60) == 109)
        #expect(server.passesOver(behind: Self.header(101), after: 60) == 0)
    }

    @Test(arguments: [UInt8(0x01), 0x08])
    func `behind the last frame of a stream, or a padded one, all is looked at`(flags: UInt8) {
        var server = Server()
        server.answers()
        server.sends(Array(TestFrame.frame(0, flags, 1, [UInt8](repeating: 0, count: 100)).prefix(49)))
        #expect(server.contentAhead > 0 && !server.mayGoOn)
        #expect(server.passesOver(behind: Self.header(100), after: server.contentAhead) == 0)
    }

    @Test func `content that is kept, and that of gRPC, is looked at`() {
        var keeping = Server(keepsContent: true)
        keeping.answers()
        keeping.sends(Self.begun)
        #expect(keeping.contentAhead == 0 && !keeping.mayGoOn)
        #expect(keeping.passesOver(behind: Self.header(100), after: 60) == 0)
        var call = Server([("content-type", "application/grpc")])
        call.answers([("content-type", "application/grpc")])
        call.sends(Self.begun)
        #expect(call.contentAhead == 0 && !call.mayGoOn)
        #expect(call.passesOver(behind: Self.header(100), after: 60) == 0)
    }
}
