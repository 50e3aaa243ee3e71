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

    @Test func `a segment of any length between any addresses has one right checksum`() {
        var generator = SeededGenerator(seed: 11)
        func randomOctets(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        for addressOctets in [4, 16] {
            for count in Array(20...160) + [1_480, 9_216] {
                let ends = [randomOctets(addressOctets), randomOctets(addressOctets)]
                let endpoints = ends.map { end in
                    let numbers = (Array(repeating: 0, count: 16 - end.count) + end).map(UInt64.init)
                    let high = numbers[..<8].reduce(0) { $0 << 8 | $1 }
                    let low = numbers[8...].reduce(0) { $0 << 8 | $1 }
                    let address =
                        addressOctets == 4
                        ? IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) : IPAddress(high: high, low: low)
                    return Endpoint(address: address, port: 80)
                }
                // The segment begins at an odd place of the frame, and does not end with it.
                var octets = randomOctets(3 + count + 2)
                octets.replaceSubrange(19..<21, with: [0, 0])
                let segment = TCPSegment(
                    source: endpoints[0],
                    destination: endpoints[1],
                    sequenceNumber: SequenceNumber(1),
                    acknowledgementNumber: SequenceNumber(1),
                    flags: [.ack],
                    headerLength: 20,
                    payload: 23..<3 + count
                )
                // RFC 9293 §3.1, and RFC 8200 §8.1, whose wider numbers make the same sum.
                let pseudoHeader = ends[0] + ends[1] + [0, 6, UInt8(count >> 8), UInt8(count & 0xFF)]
                let checksum = ~Self.plainSum((pseudoHeader + octets[3..<3 + count])[...])
                for field in [checksum, checksum ^ 1] where field != 0 {
                    octets.replaceSubrange(19..<21, with: [UInt8(field >> 8), UInt8(field & 0xFF)])
                    #expect(segment.hasRightChecksum(in: octets.span) == (field == checksum))
                    #expect((segment.checksum(in: octets.span) == .right) == (field == checksum))
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

    @Test func `an IPv4 header whose checksum does not fit makes that of the segment wrong, and no field says nothing`()
        throws
    {
        let octets = SampleSegment.overIPv4.ip().ethernet().octets
        let segment = try #require(decodeAlone(octets).segment)
        let header = segment.payload.lowerBound - Int(segment.headerLength) - 20
        // Type of service, lengths, identification, fragmentation and time to live, which the segment's own checksum leaves out.
        for place in 1...8 {
            var changed = octets
            changed[header + place] ^= 0x20
            #expect(segment.checksum(in: changed.span) == .wrong, "octet \(place)")
        }
        var unfinished = octets
        unfinished.replaceSubrange(header + 10..<header + 12, with: [0, 0])
        #expect(segment.checksum(in: unfinished.span) == .right)
    }
}
