// Wingmirror · Apache-2.0

import OctetText
import PacketDecoding
import TestSupport
import Testing

@Suite struct EncapsulationTests {
    @Test(arguments: Encapsulation.all)
    func `the segment is found whole, with the innermost addresses`(_ encapsulation: Encapsulation) throws {
        let decoded = decodeAlone(encapsulation.octets, linkType: encapsulation.linkType)
        let segment = try #require(decoded.segment, "\(decoded)")
        let isIPv4 = segment.source.address.isIPv4
        #expect(segment.source == (isIPv4 ? SampleSegment.client : SampleSegment.client6))
        #expect(segment.destination == (isIPv4 ? SampleSegment.server : SampleSegment.server6))
        #expect(segment.sequenceNumber == SequenceNumber(0xFEDC_BA98))
        #expect(segment.acknowledgementNumber == SequenceNumber(0x0102_0304))
        #expect(segment.flags == [.psh, .ack])
        #expect(segment.truncatedOctets == 0)
        #expect(decoded.payload == SampleSegment.payload)
    }

    @Test(arguments: Encapsulation.all)
    func `a packet cut at any octet is a shorter payload or a truncation, and no octet is lost from the count`(
        _ encapsulation: Encapsulation
    ) {
        let whole = encapsulation.octets
        for length in 0..<whole.count {
            let decoded = decodeAlone(
                Array(whole[..<length]),
                linkType: encapsulation.linkType,
                wireLength: whole.count
            )
            if let segment = decoded.segment {
                #expect(
                    segment.payload.count + segment.truncatedOctets == SampleSegment.payload.count,
                    "cut at \(length)"
                )
                #expect(decoded.payload == Array(SampleSegment.payload[..<segment.payload.count]), "cut at \(length)")
            } else if decoded.ignored == nil {
                #expect(decoded.failure?.reason == .truncated, "cut at \(length)")
            }
        }
    }

    @Test(arguments: Encapsulation.all)
    func `a packet that was no longer on the wire is malformed where its link layer ends too early`(
        _ encapsulation: Encapsulation
    ) {
        for length in 0..<min(4, encapsulation.octets.count) {
            let decoded = decodeAlone(Array(encapsulation.octets[..<length]), linkType: encapsulation.linkType)
            #expect(decoded.segment == nil)
            #expect(decoded.failure?.reason != .truncated, "cut at \(length)")
        }
    }

    @Test(arguments: Encapsulation.all)
    func `whatever octets change, a payload lies within the packet`(_ encapsulation: Encapsulation) {
        let seed: UInt64 = 0x5EED_0001
        var generator = SeededGenerator(seed: seed)
        var decoder = PacketDecoder()
        for round in 0..<2000 {
            var octets = encapsulation.octets
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                octets[Int.random(in: 0..<octets.count, using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
            }
            octets = Array(octets.prefix(Int.random(in: 0...octets.count * 2, using: &generator)))
            let decoded = decoder.decode(
                octets,
                linkType: encapsulation.linkType,
                wireLength: Int.random(in: 0...70_000, using: &generator),
                seconds: Int64(round)
            )
            guard let segment = decoded.segment else { continue }
            #expect(segment.truncatedOctets >= 0, "seed \(seed), round \(round)")
            #expect(decoded.payload.count == segment.payload.count, "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: Encapsulation.all)
    func `the common path finds what the walk over headers finds`(_ encapsulation: Encapsulation) {
        let seed: UInt64 = 0x5EED_0003
        var generator = SeededGenerator(seed: seed)
        for round in 0..<500 {
            var octets = encapsulation.octets
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                octets[Int.random(in: 0..<octets.count, using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
            }
            // One octet more on the wire keeps a packet off the common path, and is padding where IP tells its length.
            let common = decodeAlone(octets, linkType: encapsulation.linkType)
            let walked = decodeAlone(octets, linkType: encapsulation.linkType, wireLength: octets.count + 1)
            guard common.segment != nil else { continue }
            #expect(walked.payload == common.payload, "seed \(seed), round \(round)")
            #expect(walked.segment?.source == common.segment?.source, "seed \(seed), round \(round)")
            #expect(walked.segment?.destination == common.segment?.destination, "seed \(seed), round \(round)")
            #expect(walked.segment?.sequenceNumber == common.segment?.sequenceNumber, "seed \(seed), round \(round)")
            #expect(walked.segment?.identification == common.segment?.identification, "seed \(seed), round \(round)")
            #expect(walked.segment?.flags == common.segment?.flags, "seed \(seed), round \(round)")
        }
    }

    @Test func `octets at random never trap, under any link type`() {
        let seed: UInt64 = 0x5EED_0002
        var generator = SeededGenerator(seed: seed)
        var decoder = PacketDecoder()
        for linkType in Int32(0)...300 {
            for round in 0..<100 {
                let octets = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                let decoded = decoder.decode(octets, linkType: LinkType(rawValue: linkType), seconds: Int64(round))
                #expect(decoded.payload.count <= octets.count || decoded.isReassembled, "seed \(seed)")
            }
        }
    }
}
