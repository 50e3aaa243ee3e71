// Wingmirror · Apache-2.0

import PacketDecoding
import TestSupport
import Testing

@Suite struct HeaderTests {
    // MARK: - What is no TCP segment

    /// A packet that holds no segment of its own, and how it is counted.
    struct Ignored: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let packet: PacketBuilder
        let reason: IgnoredReason
        var linkType = LinkType.ethernet
    }

    static let filler = Array(repeating: UInt8(0), count: 60)

    static let ignored: [Ignored] = [
        Ignored(testDescription: "ARP: RFC 826", packet: other(etherType: 0x0806), reason: .arp),
        Ignored(testDescription: "LLDP", packet: other(etherType: 0x88CC), reason: .otherEtherType),
        Ignored(testDescription: "MACsec: IEEE 802.1AE", packet: other(etherType: 0x88E5), reason: .encrypted),
        Ignored(
            testDescription: "spanning tree: IEEE 802.1D §9",
            packet: other(etherType: 38),
            reason: .otherLogicalLink
        ),
        Ignored(testDescription: "PPPoE discovery: RFC 2516 §5", packet: other(etherType: 0x8863), reason: .otherPPP),
        Ignored(
            testDescription: "LCP: RFC 1661 §5",
            packet: PacketBuilder(filler).encapsulated(in: [0xC0, 0x21]),
            reason: .otherPPP,
            linkType: .ppp
        ),
        Ignored(
            testDescription: "UDP: RFC 768",
            packet: PacketBuilder(filler).udp(to: 53).ipv4().ethernet(),
            reason: .udp
        ),
        Ignored(
            testDescription: "UDP on the port of VXLAN, without its flag",
            packet: PacketBuilder(filler).udp(to: 4789).ipv4().ethernet(),
            reason: .udp
        ),
        Ignored(
            testDescription: "a Teredo bubble: RFC 4380 §2.8",
            packet: PacketBuilder([], protocolNumber: 59).ipv6().udp(to: 3544).ipv4().ethernet(),
            reason: .otherProtocol
        ),
        Ignored(
            testDescription: "Geneve control: RFC 8926 §3.4",
            packet: PacketBuilder(filler).encapsulated(in: [0, 0x80, 0x65, 0x58, 0, 0, 0, 0]).udp(to: 6081).ipv4()
                .ethernet(),
            reason: .tunnelControl
        ),
        Ignored(testDescription: "ICMP: RFC 792", packet: other(protocolNumber: 1).ipv4().ethernet(), reason: .icmp),
        Ignored(
            testDescription: "ICMPv6: RFC 4443",
            packet: other(protocolNumber: 58).ipv6().ethernet(),
            reason: .icmp
        ),
        Ignored(
            testDescription: "ESP: RFC 4303",
            packet: other(protocolNumber: 50).ipv6().ethernet(),
            reason: .encrypted
        ),
        Ignored(testDescription: "SCTP", packet: other(protocolNumber: 132).ipv4().ethernet(), reason: .otherProtocol),
        Ignored(
            testDescription: "no next header: RFC 8200 §4.7",
            packet: other(protocolNumber: 59).ipv6().ethernet(),
            reason: .otherProtocol
        ),
        Ignored(
            testDescription: "GRE keepalive",
            packet: PacketBuilder([]).gre(protocolType: 0).ipv4().ethernet(),
            reason: .tunnelControl
        ),
        Ignored(
            testDescription: "MPLS associated channel: RFC 4385 §5",
            packet: PacketBuilder([0x10] + filler).mpls().ethernet(),
            reason: .tunnelControl
        ),
        Ignored(
            testDescription: "IEEE 802.11 beacon: §9.3.3.2",
            packet: PacketBuilder([0x80, 0] + filler),
            reason: .wlanControl,
            linkType: .wlan
        ),
        Ignored(
            testDescription: "IEEE 802.11 protected data: §9.2.4.1.9",
            packet: PacketBuilder([0x08, 0x41] + filler),
            reason: .encrypted,
            linkType: .wlan
        ),
    ]

    private static func other(etherType: UInt16) -> PacketBuilder {
        PacketBuilder(filler, etherType: etherType).ethernet()
    }

    private static func other(protocolNumber: UInt8) -> PacketBuilder {
        PacketBuilder(filler, protocolNumber: protocolNumber)
    }

    @Test(arguments: ignored)
    func `what holds no segment is counted for what it is`(_ row: Ignored) {
        #expect(decodeAlone(row.packet.octets, linkType: row.linkType) == Decoded(ignored: row.reason))
    }

    // MARK: - What contradicts itself

    /// A packet whose octets contradict themselves or are not decoded.
    struct Failing: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let octets: [UInt8]
        let failure: DecodeFailure
        var linkType = LinkType.ethernet
    }

    static let failing: [Failing] = [
        Failing(testDescription: "no octets", octets: [], failure: DecodeFailure(.ethernet, .malformed)),
        Failing(
            testDescription: "IPv4 with a version of 5",
            octets: changed(SampleSegment.overIPv4.ip().ethernet(), 14, to: 0x55),
            failure: DecodeFailure(.ipv4, .malformed)
        ),
        Failing(
            testDescription: "IPv4 header of 16 octets: RFC 791 §3.1",
            octets: changed(SampleSegment.overIPv4.ip().ethernet(), 14, to: 0x44),
            failure: DecodeFailure(.ipv4, .malformed)
        ),
        Failing(
            testDescription: "IPv4 length within the header: RFC 791 §3.1",
            octets: SampleSegment.overIPv4.ipv4(totalLength: 19).ethernet().octets,
            failure: DecodeFailure(.ipv4, .malformed)
        ),
        Failing(
            testDescription: "IPv4 length that ends within the TCP header",
            octets: SampleSegment.overIPv4.ipv4(totalLength: 39).ethernet().octets,
            failure: DecodeFailure(.tcp, .malformed)
        ),
        Failing(
            testDescription: "TCP data offset of 16 octets: RFC 9293 §3.1",
            octets: changed(SampleSegment.overIPv4.ip().ethernet(), 14 + 20 + 12, to: 0x40),
            failure: DecodeFailure(.tcp, .malformed)
        ),
        Failing(
            testDescription: "TCP data offset beyond the segment: RFC 9293 §3.1",
            octets: changed(
                PacketBuilder.tcp(from: SampleSegment.client, to: SampleSegment.server, sequence: 1).ip().ethernet(),
                14 + 20 + 12,
                to: 0xF0
            ),
            failure: DecodeFailure(.tcp, .malformed)
        ),
        Failing(
            testDescription: "authentication header of 8 octets: RFC 4302 §2",
            octets: SampleSegment.overIPv6.encapsulated(in: [6, 0] + filler, protocolNumber: 51).ipv6().ethernet()
                .octets,
            failure: DecodeFailure(.ipv6, .malformed)
        ),
        Failing(
            testDescription: "GRE version 2: RFC 2784 §2.3",
            octets: SampleSegment.overIPv4.ip().encapsulated(in: [0, 2, 8, 0], protocolNumber: 47).ipv4().ethernet()
                .octets,
            failure: DecodeFailure(.gre, .malformed)
        ),
        Failing(
            testDescription: "Geneve version 1: RFC 8926 §3.4",
            octets: PacketBuilder([0x40] + filler).udp(to: 6081).ipv4().ethernet().octets,
            failure: DecodeFailure(.geneve, .unsupported)
        ),
        Failing(
            testDescription: "compressed TCP in PPP: RFC 1144",
            octets: [0x00, 0x2D] + filler,
            failure: DecodeFailure(.ppp, .unsupported),
            linkType: .ppp
        ),
        Failing(
            testDescription: "a link type that is not decoded",
            octets: filler,
            failure: DecodeFailure(.link, .unsupported),
            linkType: LinkType(rawValue: 147)
        ),
        Failing(
            testDescription: "an EtherType that is not known",
            octets: other(etherType: 0x88B5).octets,
            failure: DecodeFailure(.ethernet, .unsupported)
        ),
        Failing(
            testDescription: "several frames in one of IEEE 802.11: §9.3.2.2",
            octets: [0x88, 0x01] + Array(repeating: 0, count: 22) + [0x80, 0] + filler,
            failure: DecodeFailure(.wlan, .unsupported),
            linkType: .wlan
        ),
        Failing(
            testDescription: "NFLOG attribute of no length",
            octets: [2, 0, 0, 0, 0, 0, 0, 0],
            failure: DecodeFailure(.link, .malformed),
            linkType: .nflog
        ),
    ]

    private static func changed(_ packet: PacketBuilder, _ index: Int, to octet: UInt8) -> [UInt8] {
        var octets = packet.octets
        octets[index] = octet
        return octets
    }

    @Test(arguments: failing)
    func `what cannot be decoded is counted by layer and reason`(_ row: Failing) {
        #expect(decodeAlone(row.octets, linkType: row.linkType) == Decoded(failure: row.failure))
    }

    // MARK: - Lengths

    @Test func `octets that were on the wire and not captured are told`() throws {
        let frame = SampleSegment.overIPv4.ip().ethernet().octets
        let decoded = decodeAlone(Array(frame.dropLast(10)), wireLength: frame.count)
        let segment = try #require(decoded.segment)
        #expect(segment.truncatedOctets == 10)
        #expect(decoded.payload == SampleSegment.payload.dropLast(10))
    }

    @Test func `a cut within a tunnel is told by the length of the inner IP header`() throws {
        let frame = SampleSegment.overIPv6.ip().ethernet().vxlan(1).ipv4().ethernet().octets
        let segment = try #require(decodeAlone(Array(frame.dropLast(3)), wireLength: frame.count).segment)
        #expect(segment.truncatedOctets == 3)
    }

    @Test func `without an IP length, the length on the wire tells what was not captured`() throws {
        let frame = SampleSegment.overIPv4.ipv4(totalLength: 0).ethernet().octets
        let segment = try #require(decodeAlone(Array(frame.dropLast(3)), wireLength: frame.count).segment)
        #expect(segment.truncatedOctets == 3)
    }

    @Test func `a TCP header that the snapshot length cut is truncated`() {
        let frame = SampleSegment.overIPv4.ip().ethernet().octets
        for length in 14 + 20..<14 + 20 + 32 {
            let decoded = decodeAlone(Array(frame[..<length]), wireLength: frame.count)
            #expect(decoded.failure == DecodeFailure(.tcp, .truncated), "cut at \(length)")
        }
    }

    @Test func `the identification of IPv4 is told, and 0 for IPv6`() {
        #expect(
            decodeAlone(SampleSegment.overIPv4.ipv4(identification: 77).ethernet().octets).segment?.identification == 77
        )
        #expect(decodeAlone(SampleSegment.overIPv6.ipv6().ethernet().octets).segment?.identification == 0)
        let inner6 = SampleSegment.overIPv6.ipv6().ipv4(identification: 77).ethernet().octets
        #expect(decodeAlone(inner6).segment?.identification == 0)
    }

    @Test(arguments: [Int.min, -1, 0, Int.max])
    func `a length on the wire that makes no sense does no harm`(_ wireLength: Int) {
        let frame = SampleSegment.overIPv4.ip().ethernet().octets
        #expect(decodeAlone(frame, wireLength: wireLength).payload == SampleSegment.payload)
    }

    // MARK: - Limits

    @Test func `a packet of too many headers is given up`() {
        var limits = DecodingLimits()
        limits.headersPerPacket = 6
        var decoder = PacketDecoder(limits: limits)
        var tagged = SampleSegment.overIPv4.ip()
        for identifier in 1...4 as ClosedRange<UInt16> {
            tagged = tagged.vlan(identifier)
        }
        #expect(decoder.decode(tagged.ethernet().octets).payload == SampleSegment.payload)
        let tooMany = decoder.decode(tagged.vlan(5).ethernet().octets)
        #expect(tooMany.failure == DecodeFailure(.ipv4, .limitReached))
    }

    @Test func `tunnels in tunnels end at the limit`() {
        var packet = SampleSegment.overIPv4.ip()
        for _ in 0..<20 {
            packet = packet.gre().ipv4()
        }
        #expect(decodeAlone(packet.ethernet().octets).failure?.reason == .limitReached)
    }

    // MARK: - Link types

    @Test func `the numbers that libpcap gives become those of savefiles`() {
        #expect(LinkType(dataLinkType: 1) == .ethernet)
        #expect(LinkType(dataLinkType: 11) == .atmRFC1483)
        #expect(LinkType(dataLinkType: 12) == .raw)
        #expect(LinkType(dataLinkType: 14) == .raw)
        #expect(LinkType(dataLinkType: 276) == .linuxCooked2)
    }

    @Test func `a cooked packet of a wireless interface has no EtherType`() {
        let wlan = SampleSegment.overIPv4.ip().subnetworkAccess()
            .encapsulated(in: [0x08, 0x01] + Array(repeating: 0, count: 22))
        let radiotap = wlan.encapsulated(in: [0, 0, 8, 0, 0, 0, 0, 0])
        for (hardwareType, frame) in [(801 as UInt16, wlan), (803, radiotap)] {
            var version1 = frame.linuxCooked().octets
            version1.replace(bigEndian: hardwareType, at: 2)
            #expect(decodeAlone(version1, linkType: .linuxCooked).payload == SampleSegment.payload)
            var version2 = frame.linuxCooked2().octets
            version2.replace(bigEndian: hardwareType, at: 8)
            #expect(decodeAlone(version2, linkType: .linuxCooked2).payload == SampleSegment.payload)
        }
    }

    // MARK: - Labels

    @Test func `labels are words that metrics can carry, each its own`() {
        let layers = ProtocolLayer.allCases.map(\.label)
        let reasons = DecodeFailure.Reason.allCases.map(\.label)
        let ignored = IgnoredReason.allCases.map(\.label)
        for labels in [layers, reasons, ignored] {
            #expect(Set(labels).count == labels.count)
            #expect(labels.allSatisfy { $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" } })
        }
    }
}
