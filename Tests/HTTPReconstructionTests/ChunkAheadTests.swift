// Wingmirror · Apache-2.0

import Testing

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
}
