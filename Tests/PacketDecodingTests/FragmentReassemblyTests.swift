// Wingmirror · Apache-2.0

import OctetText
import TestSupport
import Testing

@testable import PacketDecoding

@Suite struct FragmentReassemblyTests {
    /// A version of IP, and the sample segment in fragments of 32 octets under it.
    enum Version: CaseIterable, Sendable {
        case ipv4
        case ipv6

        var segment: PacketBuilder {
            self == .ipv4 ? SampleSegment.overIPv4 : SampleSegment.overIPv6
        }

        func fragments(of size: Int = 32, identification: UInt16 = 7) -> [PacketBuilder] {
            switch self {
            case .ipv4: segment.ipv4Fragments(of: size, identification: identification)
            case .ipv6: segment.ipv6Fragments(of: size, identification: UInt32(identification))
            }
        }

        func frames(of size: Int = 32, identification: UInt16 = 7) -> [[UInt8]] {
            fragments(of: size, identification: identification).map { $0.ethernet().octets }
        }
    }

    @Test(arguments: Version.allCases)
    func `fragments in every order give the segment with the last of them`(_ version: Version) {
        let frames = version.frames()
        #expect(frames.count == 3)
        for order in permutations(of: Array(frames.indices)) {
            var decoder = PacketDecoder()
            for index in order.dropLast() {
                #expect(decoder.decode(frames[index]).ignored == .fragmentHeld, "\(order)")
            }
            let decoded = decoder.decode(frames[order[order.count - 1]])
            #expect(decoded.isReassembled, "\(order)")
            #expect(decoded.payload == SampleSegment.payload, "\(order)")
            #expect(decoded.segment?.source.port == 51_034, "\(order)")
            #expect(decoded.segment?.truncatedOctets == 0, "\(order)")
            #expect(decoder.fragmentCounts.reassembled == 1, "\(order)")
        }
    }

    @Test func `a reassembled segment has the addresses and the identification of its fragments`() throws {
        var decoder = PacketDecoder()
        let decoded = Version.ipv4.frames(identification: 99).map { decoder.decode($0) }
        let segment = try #require(decoded.last?.segment)
        #expect(segment.source == SampleSegment.client)
        #expect(segment.destination == SampleSegment.server)
        #expect(segment.identification == 99)
    }

    @Test(arguments: Version.allCases)
    func `a fragment seen twice changes nothing`(_ version: Version) {
        let frames = version.frames()
        var decoder = PacketDecoder()
        #expect(decoder.decode(frames[0]).ignored == .fragmentHeld)
        #expect(decoder.decode(frames[0]).ignored == .fragmentHeld)
        #expect(decoder.decode(frames[2]).ignored == .fragmentHeld)
        #expect(decoder.decode(frames[2]).ignored == .fragmentHeld)
        #expect(decoder.decode(frames[1]).payload == SampleSegment.payload)
    }

    @Test func `datagrams of different identification, and of different interfaces, do not mix`() {
        var decoder = PacketDecoder()
        let seven = Version.ipv4.frames(identification: 7)
        let eight = Version.ipv4.frames(identification: 8)
        _ = decoder.decode(seven[0])
        _ = decoder.decode(eight[1])
        _ = decoder.decode(seven[1], interface: 1)
        #expect(decoder.decode(seven[2]).ignored == .fragmentHeld)
        #expect(decoder.decode(seven[1]).payload == SampleSegment.payload)
    }

    @Test func `a frame between two fragments does not disturb them`() {
        var decoder = PacketDecoder()
        let frames = Version.ipv6.frames()
        _ = decoder.decode(frames[0])
        #expect(decoder.decode(SampleSegment.overIPv4.ip().ethernet().octets).segment != nil)
        _ = decoder.decode(frames[1])
        #expect(decoder.decode(frames[2]).payload == SampleSegment.payload)
    }

    @Test func `a datagram in fragments whose fragments are in a fragmented tunnel is found`() {
        var decoder = PacketDecoder()
        var last = Decoded()
        for (index, inner) in Version.ipv4.fragments(of: 40).enumerated() {
            for outer in inner.ipv4Fragments(of: 24, identification: UInt16(100 + index)) {
                last = decoder.decode(outer.ethernet().octets)
            }
        }
        #expect(last.isReassembled)
        #expect(last.payload == SampleSegment.payload)
    }

    @Test func `fragments of UDP are reassembled before they are told to be no TCP`() {
        var decoder = PacketDecoder()
        let datagram = PacketBuilder(Array(repeating: 1, count: 60)).udp(to: 53)
        let outcomes = datagram.ipv4Fragments(of: 40, identification: 1).map {
            decoder.decode($0.ethernet().octets).ignored
        }
        #expect(outcomes == [.fragmentHeld, .udp])
    }

    // MARK: - Overlap

    @Test func `an IPv4 fragment that came before, as part of others, is left out`() {
        var decoder = PacketDecoder()
        let segment = SampleSegment.overIPv4
        _ = decoder.decode(piece(of: segment, 0..<40))
        _ = decoder.decode(piece(of: segment, 40..<56))
        var forged = segment
        forged.octets = forged.octets.map { $0 ^ 0xFF }
        #expect(decoder.decode(piece(of: forged, 32..<48)).ignored == .fragmentHeld)
        #expect(decoder.decode(piece(of: segment, 56..<segment.octets.count)).payload == SampleSegment.payload)
    }

    @Test(arguments: [32..<48, 8..<72])
    func `IPv4 fragments that overlap in part are refused with all their datagram, as Linux does`(range: Range<Int>) {
        var decoder = PacketDecoder()
        let segment = SampleSegment.overIPv4
        let refused = Decoded(failure: DecodeFailure(.fragment, .malformed))
        _ = decoder.decode(piece(of: segment, 0..<40))
        #expect(decoder.decode(piece(of: segment, range)) == refused)
        #expect(decoder.decode(piece(of: segment, 40..<segment.octets.count)) == refused)
    }

    @Test func `datagrams that are not whole at the end of the capture are counted`() {
        var decoder = PacketDecoder()
        _ = decoder.decode(piece(of: SampleSegment.overIPv4, 0..<40))
        decoder.captureEnded()
        #expect(decoder.fragmentCounts.timedOut == 1)
        #expect(decoder.heldFragmentOctets == 0)
    }

    @Test func `fragments at random give what a model of one octet at a time gives`() {
        let seed: UInt64 = 0x5EED_0004
        var generator = SeededGenerator(seed: seed)
        let segment = SampleSegment.overIPv4
        let count = segment.octets.count
        for round in 0..<300 {
            var decoder = PacketDecoder()
            var model = [UInt8?](repeating: nil, count: count)
            var decoded = Decoded()
            while decoded.segment == nil {
                let start = Int.random(in: 0..<(count + 7) / 8, using: &generator) * 8
                let end = min(start + Int.random(in: 1...6, using: &generator) * 8, count)
                guard start > 0 || end < count else { continue }
                var copy = segment
                for index in max(start, 32)..<max(end, 32) {  // the payload only, so that it stays a segment
                    copy.octets[index] = UInt8.random(in: 0...255, using: &generator)
                }
                let held = model[start..<end].count { $0 != nil }
                guard held == 0 || held == end - start else { continue }
                for index in start..<end where model[index] == nil {
                    model[index] = copy.octets[index]
                }
                decoded = decoder.decode(piece(of: copy, start..<end))
                #expect((decoded.segment != nil) == !model.contains(nil), "seed \(seed), round \(round)")
                #expect(decoded.failure == nil, "seed \(seed), round \(round)")
            }
            #expect(decoded.payload == model.dropFirst(32).map { $0 ?? 0 }, "seed \(seed), round \(round)")
            #expect(decoder.heldFragmentOctets == 0, "seed \(seed), round \(round)")
        }
    }

    @Test func `overlapping IPv6 fragments are refused with all their datagram, also those yet to come: RFC 5722 §4`() {
        var decoder = PacketDecoder()
        let segment = SampleSegment.overIPv6
        let refused = Decoded(failure: DecodeFailure(.fragment, .malformed))
        #expect(decoder.decode(piece6(of: segment, 0..<40)).ignored == .fragmentHeld)
        #expect(decoder.decode(piece6(of: segment, 32..<48)) == refused)
        #expect(decoder.decode(piece6(of: segment, 40..<segment.octets.count)) == refused)
        #expect(decoder.decode(piece6(of: segment, 0..<40)) == refused)
    }

    // MARK: - Contradictions

    @Test func `fragments that disagree where the datagram ends are refused`() {
        var decoder = PacketDecoder()
        let segment = SampleSegment.overIPv4
        let refused = Decoded(failure: DecodeFailure(.fragment, .malformed))
        _ = decoder.decode(piece(of: segment, 64..<segment.octets.count))
        #expect(decoder.decode(piece(of: segment, 72..<segment.octets.count - 1, isLast: true)) == refused)

        var other = PacketDecoder()
        _ = other.decode(piece(of: segment, 32..<64))
        #expect(other.decode(piece(of: segment, 8..<40, isLast: true)) == refused)
    }

    @Test func `a fragment that is not the last must be a multiple of eight octets`() {
        var decoder = PacketDecoder()
        let decoded = decoder.decode(piece(of: SampleSegment.overIPv4, 0..<33, isLast: false))
        #expect(decoded.failure == DecodeFailure(.fragment, .malformed))
        #expect(decoder.fragmentCounts == FragmentCounts())
    }

    @Test func `a fragment beyond 65535 octets is refused`() {
        var decoder = PacketDecoder()
        let octets = PacketBuilder(Array(repeating: 0, count: 64), protocolNumber: 6)
            .ipv4(fragmentField: 0x1FFF).ethernet().octets
        #expect(decoder.decode(octets).failure == DecodeFailure(.fragment, .malformed))
    }

    // MARK: - Captures cut short

    @Test(arguments: Version.allCases)
    func `a fragment that the snapshot length cut ends the payload there`(_ version: Version) throws {
        let frames = version.frames()
        var decoder = PacketDecoder()
        _ = decoder.decode(frames[0])
        _ = decoder.decode(Array(frames[1].dropLast(4)), wireLength: frames[1].count)
        let decoded = decoder.decode(frames[2])
        let segment = try #require(decoded.segment)
        let captured = 32 - 4  // the first fragment of 32 octets is the TCP header
        #expect(decoded.payload == Array(SampleSegment.payload[..<captured]))
        #expect(segment.truncatedOctets == SampleSegment.payload.count - captured)
    }

    // MARK: - Limits

    @Test(arguments: Version.allCases)
    func `a datagram that is not whole after the timeout is given up, and what comes late begins anew`(
        _ version: Version
    ) {
        let frames = version.frames()
        var decoder = PacketDecoder()
        _ = decoder.decode(frames[0], seconds: 100)
        _ = decoder.decode(frames[1], seconds: 130)
        #expect(decoder.fragmentCounts.timedOut == 0)
        #expect(decoder.decode(frames[2], seconds: 131).ignored == .fragmentHeld)
        #expect(decoder.fragmentCounts.timedOut == 1)
        _ = decoder.decode(frames[0], seconds: 132)
        #expect(decoder.decode(frames[1], seconds: 133).payload == SampleSegment.payload)
    }

    @Test func `the oldest datagram gives way when there are too many`() {
        var limits = DecodingLimits()
        limits.fragmentedDatagrams = 2
        var decoder = PacketDecoder(limits: limits)
        let datagrams = (1...3).map { Version.ipv4.frames(identification: $0) }
        for frames in datagrams {
            _ = decoder.decode(frames[0])
            _ = decoder.decode(frames[1])
        }
        #expect(decoder.fragmentCounts.evicted == 1)
        #expect(decoder.decode(datagrams[1][2]).payload == SampleSegment.payload)
        #expect(decoder.decode(datagrams[2][2]).payload == SampleSegment.payload)
        #expect(decoder.decode(datagrams[0][2]).ignored == .fragmentHeld)
    }

    @Test func `the oldest datagram gives way when there are too many octets`() {
        var limits = DecodingLimits()
        limits.fragmentOctets = 4096
        var decoder = PacketDecoder(limits: limits)
        let payload = PacketBuilder(Array(repeating: 0, count: 2048), protocolNumber: 6)
        for identification in 1...3 as ClosedRange<UInt16> {
            _ = decoder.decode(payload.ipv4Fragments(of: 1600, identification: identification)[0].ethernet().octets)
        }
        #expect(decoder.fragmentCounts.evicted == 1)
    }

    @Test func `a datagram in too many fragments is refused`() {
        var limits = DecodingLimits()
        limits.fragmentsPerDatagram = 4
        var decoder = PacketDecoder(limits: limits)
        let outcomes = Version.ipv4.frames(of: 8).map { decoder.decode($0) }
        #expect(outcomes.prefix(4).allSatisfy { $0.ignored == .fragmentHeld })
        #expect(outcomes.dropFirst(4).allSatisfy { $0.failure == DecodeFailure(.fragment, .limitReached) })
    }

    @Test func `a flood of first fragments is held within the limits`() {
        var limits = DecodingLimits()
        limits.fragmentedDatagrams = 100
        var decoder = PacketDecoder(limits: limits)
        for identification in 0..<5000 as Range<UInt16> {
            _ = decoder.decode(Version.ipv4.frames(identification: identification)[0])
        }
        #expect(decoder.fragmentCounts.evicted == 4900)
    }

    @Test(arguments: Version.allCases)
    func `what is completed, refused or given up is no longer held`(_ version: Version) {
        var decoder = PacketDecoder()
        for identification in 0..<1000 as Range<UInt16> {
            for frame in version.frames(identification: identification) {
                _ = decoder.decode(frame)
            }
        }
        #expect(decoder.fragmentCounts.reassembled == 1000)
        #expect(decoder.heldFragmentOctets == 0)

        _ = decoder.decode(version.frames()[0], seconds: 1)
        #expect(decoder.heldFragmentOctets > 32)
        _ = decoder.decode(version.frames(identification: 8)[0], seconds: 100)
        let oneDatagram = decoder.heldFragmentOctets
        _ = decoder.decode(version.frames(identification: 9)[0], seconds: 200)
        #expect(decoder.heldFragmentOctets == oneDatagram)
        #expect(decoder.fragmentCounts.timedOut == 2)
    }

    // MARK: - Helpers

    private func piece(of datagram: PacketBuilder, _ range: Range<Int>, isLast: Bool? = nil) -> [UInt8] {
        var piece = datagram
        piece.octets = Array(datagram.octets[range])
        let moreFollow = !(isLast ?? (range.upperBound == datagram.octets.count))
        let field = UInt16(range.lowerBound / 8) | (moreFollow ? 0x2000 : 0)
        return piece.ipv4(identification: 7, fragmentField: field).ethernet().octets
    }

    private func piece6(of datagram: PacketBuilder, _ range: Range<Int>) -> [UInt8] {
        var piece = datagram
        piece.octets = Array(datagram.octets[range])
        let moreFollow = range.upperBound < datagram.octets.count
        return piece.ipv6Fragment(identification: 7, offset: UInt16(range.lowerBound), moreFollow: moreFollow)
            .ipv6().ethernet().octets
    }

    private func permutations(of elements: [Int]) -> [[Int]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { index in
            var rest = elements
            let first = rest.remove(at: index)
            return permutations(of: rest).map { [first] + $0 }
        }
    }
}
