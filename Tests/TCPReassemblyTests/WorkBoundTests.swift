// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import TCPReassembly

/// What senders choose cannot make the agent do more than a little work for each packet.
@Suite struct WorkBoundTests {
    /// Halves of addresses that senders might choose for what they do to the hash: its constants, and ends of the range.
    private static let halves: [UInt64] = [
        0, 1, .max, 0xE703_7ED1_A0B4_28DB, 0xA076_1D64_78BD_642F, 0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9,
        0x94D0_49BB_1331_11EB, 0x2001_0DB8_0000_0000,
    ]

    @Test(arguments: halves)
    func `addresses of one network are spread, whichever it is`(half: UInt64) {
        let index = ConnectionIndex(seed: .random(in: .min ... .max))
        let server = Endpoint(address: IPAddress(high: 1, low: 2), port: 443)
        var (byHigh, byLow) = (Set<UInt32>(), Set<UInt32>())
        for number in 0..<10_000 as Range<UInt64> {
            let one = Endpoint(address: IPAddress(high: half, low: number), port: 40_000)
            let other = Endpoint(address: IPAddress(high: number, low: half), port: 40_000)
            byHigh.insert(UInt32(truncatingIfNeeded: index.hash(one, server)))
            byLow.insert(UInt32(truncatingIfNeeded: index.hash(other, server)))
        }
        // By chance 12 of so many share a number with another.
        #expect(byHigh.count > 9_900 && byLow.count > 9_900)
    }

    @Test func `what comes in single bytes is parsed again a few times only`() {
        var limit = LookLimit()
        var parsed = 0
        for count in 1...100_000 where limit.mayLook(at: count) { parsed += 1 }
        #expect(parsed < 16 + 8 * 17)
    }

    @Test func `what comes in a few segments is parsed with each`() {
        var limit = LookLimit()
        let looked = (1...17).map { count in limit.mayLook(at: 1024 + count) }
        #expect(looked == [Bool](repeating: true, count: 16) + [false])
        let isLooked = limit.mayLook(at: 1200)
        #expect(isLooked)
    }
}
