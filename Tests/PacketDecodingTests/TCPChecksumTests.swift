// Wingmirror · Apache-2.0

import OctetText
import TestSupport
import Testing

@testable import PacketDecoding

/// The arithmetic of RFC 1071.
@Suite struct TCPChecksumTests {
    /// The sum as RFC 1071 §4.1 has it, word by word.
    private static func plainSum(_ octets: ArraySlice<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        var index = octets.startIndex
        while index < octets.endIndex {
            let low = index + 1 < octets.endIndex ? octets[index + 1] : 0
            sum += UInt32(octets[index]) << 8 | UInt32(low)
            sum = sum & 0xFFFF + sum >> 16
            index += 2
        }
        return UInt16(sum)
    }

    @Test func `the sum of any number of octets at any place is that of their words`() {
        var generator = SeededGenerator(seed: 7)
        let random = (0..<4_096).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for octets in [random, [UInt8](repeating: 0xFF, count: 4_096), [UInt8](repeating: 0, count: 4_096)] {
            for length in Array(0...300) + [1_460, 1_461, 4_000] {
                for start in 0..<9 {
                    let slice = octets[start..<start + length]
                    #expect(octets.span.extracting(start..<start + length).sumOfWords == Self.plainSum(slice))
                }
            }
        }
    }

    @Test func `a changed octet makes the checksum of a packet wrong, and no field says nothing`() throws {
        let octets = SampleSegment.overIPv4.ip().ethernet().octets
        let segment = try #require(decodeAlone(octets).segment)
        try #require(segment.checksum(in: octets.span) == .right)
        let field = segment.payload.lowerBound - Int(segment.headerLength) + 16
        for index in segment.payload.lowerBound - 4..<segment.payload.upperBound {
            var changed = octets
            changed[index] ^= 0x20
            #expect(segment.checksum(in: changed.span) == .wrong)
        }
        var empty = octets
        empty.replaceSubrange(field..<field + 2, with: [0, 0])
        #expect(segment.checksum(in: empty.span) == .absent)
    }
}
