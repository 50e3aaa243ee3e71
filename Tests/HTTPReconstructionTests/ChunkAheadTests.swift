// Wingmirror · Apache-2.0

import PacketDecoding
import TCPReassembly
import Testing
import TrafficModel

@testable import HTTPReconstruction

/// Content that is passed over from one chunk into the next, by a line that nothing proves.
@Suite struct ChunkAheadTests {
    private static func octets(_ text: String, isBehindData: Bool = true) -> Int {
        let octets = Array(text.utf8)
        return ChunkSizeLine.octetsOfChunk(octets.span, isBehindData: isBehindData)
    }

    @Test func `the line of a chunk is passed over with its data`() {
        #expect(Self.octets("\r\n4000\r\nabcdefgh") == 8 + 0x4000)
        #expect(Self.octets("\r\nfF\r\n") == 6 + 255)
        #expect(Self.octets("\r\n00000a\r\n") == 10 + 10)
        #expect(Self.octets("4000\r\nabcdefghij", isBehindData: false) == 6 + 0x4000)
    }

    @Test(arguments: [
        "\r\n0\r\n\r\n", "\r\n000000\r\n", "\r\n4000;a=1\r\n", "\r\n4000 \r\n", "\r\n0004000\r\n", "\r\n4000\n",
        "\n4000\r\n", "4000\r\n",
        "\r\n40", "\r\n4000\r", "\r\n\r\n", "\r\n 4\r\n", "\r\n-4\r\n", "\r", "",
    ])
    func `where anything else may stand all is looked at`(text: String) {
        #expect(Self.octets(text) == 0)
    }

    @Test func `content that the server refused before it came is looked at: it may be the next request`() {
        var sink = RecordingSink()
        sink.kept = Retention(heads: .whole, contentOctets: 0)
        var reconstructor = HTTPReconstructor(sink: sink)
        reconstructor.connectionOpened(.seenFromStart())
        let request = Array(
            "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n".utf8
        )
        reconstructor.octetsArrived(request.span, at: Self.position(.fromOriginator, acknowledging: 0), slot: 0)
        let announced = reconstructor.octetsNotLookedAt(.fromOriginator, slot: 0)
        #expect(announced == 5000)
        let refusal = Array("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n".utf8)
        let position = Self.position(.fromResponder, acknowledging: Int64(request.count))
        reconstructor.octetsArrived(refusal.span, at: position, slot: 0)
        let refused = reconstructor.octetsNotLookedAt(.fromOriginator, slot: 0)
        let mayGoOn = reconstructor.contentMayGoOn(.fromOriginator, slot: 0)
        #expect(refused == 0 && !mayGoOn)
    }

    private static func position(_ direction: StreamDirection, acknowledging octets: Int64) -> StreamPosition {
        StreamPosition(
            direction: direction,
            offset: 0,
            time: PacketTime(nanoseconds: octets),
            acknowledged: octets,
            startsSegment: true
        )
    }
}
