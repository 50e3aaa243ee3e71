// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport
import Testing

@Suite struct SavefileWriterTests {
    @Test func `a little-endian savefile of microseconds`() {
        var writer = SavefileWriter(linkType: .raw, snapshotLength: 2)
        writer.append([1, 2, 3], at: PacketTime(nanoseconds: 5_000_007_000), wireLength: 9)
        #expect(
            writer.octets == [
                0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0,  // magic, version
                0, 0, 0, 0, 0, 0, 0, 0,  // zone, accuracy
                2, 0, 0, 0, 101, 0, 0, 0,  // snapshot length, link type
                5, 0, 0, 0, 7, 0, 0, 0,  // seconds, microseconds
                2, 0, 0, 0, 9, 0, 0, 0, 1, 2,  // captured, on the wire, octets
            ]
        )
    }

    @Test func `a big-endian savefile of nanoseconds`() {
        var writer = SavefileWriter(resolution: .nanoseconds, byteOrder: .bigEndian)
        writer.append([1], at: PacketTime(nanoseconds: 1_000_000_002))
        #expect(
            writer.octets == [
                0xA1, 0xB2, 0x3C, 0x4D, 0, 2, 0, 4,
                0, 0, 0, 0, 0, 0, 0, 0,
                0, 4, 0, 0, 0, 0, 0, 1,
                0, 0, 0, 1, 0, 0, 0, 2,
                0, 0, 0, 1, 0, 0, 0, 1, 1,
            ]
        )
    }
}
