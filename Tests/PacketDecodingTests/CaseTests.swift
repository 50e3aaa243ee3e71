// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import TestSupport
import Testing

/// Situations that people were in, from savefiles in `Fixtures`.
@Suite struct CaseTests {
    private func content(_ name: String) throws -> SavefileContent {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/case-\(name).pcap")
        return try #require(SavefileContent(Array(Data(contentsOf: file))))
    }

    @Test(arguments: ["cmd8909", "vntag8926", "ttag8988"])
    func `a tag of a switch does not hide the segment behind it`(_ name: String) throws {
        var decoder = PacketDecoder()
        for packet in try content(name).packets {
            let decoded = decoder.decode(packet.octets.span, of: packet.description)
            guard case .segment = decoded else {
                Issue.record("\(decoded)")
                return
            }
        }
        #expect(decoder.undecoded.isEmpty)
    }

    @Test func `packets of a link type that is not known are counted by its number`() throws {
        var decoder = PacketDecoder()
        let packets = try content("user0").packets
        for packet in packets {
            #expect(
                decoder.decode(packet.octets.span, of: packet.description)
                    == .failed(DecodeFailure(.link, .unsupported))
            )
        }
        #expect(decoder.undecoded == [UndecodedFormat(.linkType, 147): packets.count])
        #expect(decoder.undecoded.keys.map(\.text) == ["link type 147"])
    }

    @Test func `formats that are not known are counted apart, up to a limit`() {
        var limits = DecodingLimits()
        limits.undecodedFormats = 2
        var decoder = PacketDecoder(limits: limits)
        for etherType: UInt16 in [0x88B5, 0x88B5, 0x1234, 0xABCD] {
            _ = decoder.decode(PacketBuilder([1, 2, 3], etherType: etherType).ethernet().octets)
        }
        #expect(
            decoder.undecoded == [UndecodedFormat(.etherType, 0x88B5): 2, UndecodedFormat(.etherType, 0x1234): 1]
        )
        #expect(decoder.undecoded.keys.sorted().map(\.text) == ["EtherType 0x1234", "EtherType 0x88b5"])
    }

    @Test func `packets with an IP header inside another are counted as those of tunnels, once each`() {
        var decoder = PacketDecoder()
        let frame = SampleSegment.overIPv4.ip()
        let plain = frame.ethernet().octets
        let tunnelled = [
            frame.ethernet().vxlan(1).ipv4().ethernet().octets, frame.ethernet().geneve(3).ipv4().ethernet().octets,
            frame.ethernet().vxlan(1).ipv4().ethernet().vxlan(2).ipv4().ethernet().octets,
        ]
        for octets in [plain] + tunnelled {
            let decoded = decoder.decode(octets)
            #expect(decoded.segment != nil)
        }
        #expect(decoder.tunnelledPackets == 3)
    }

    @Test func `VXLAN is decoded on the ports that are named, and on no other`() {
        let packet = SampleSegment.overIPv4.ip().ethernet().vxlan(42, port: 14_789).ipv4().ethernet().octets
        #expect(decodeAlone(packet).ignored == .udp)
        var limits = DecodingLimits()
        limits.vxlanPorts = [4789, 1, 2, 3, 4, 14_789]
        var decoder = PacketDecoder(limits: limits)
        #expect(decoder.decode(packet).payload == SampleSegment.payload)
    }

    @Test func `tags of networks are told apart, and none is 0`() throws {
        let frame = SampleSegment.overIPv4.ip()
        func network(_ packet: PacketBuilder) throws -> UInt32 {
            try #require(decodeAlone(packet.octets).segment).network
        }
        // A frame that ERSPAN mirrors bears its VLAN in the mirror header, of type II or III.
        func mirrored(vlan: UInt8, hasTypeIII: Bool = false) throws -> UInt32 {
            let header = [hasTypeIII ? 0x20 : 0x10, vlan] + [UInt8](repeating: 0, count: hasTypeIII ? 10 : 6)
            let type: UInt16 = hasTypeIII ? 0x22EB : 0x88BE
            return try network(
                frame.ethernet().encapsulated(in: header).gre(sequence: 1, protocolType: type).ipv4().ethernet()
            )
        }
        let mirroredWithout = try mirrored(vlan: 0)
        #expect(try mirrored(vlan: 10) == mirrored(vlan: 10, hasTypeIII: true))
        let networks = try [
            network(frame.ethernet()), network(frame.vlan(0).ethernet()), network(frame.vlan(1).ethernet()),
            network(frame.vlan(2).ethernet()), network(frame.vlan(1).vlan(2, protocolIdentifier: 0x88A8).ethernet()),
            network(frame.ethernet().vxlan(1).ipv4().ethernet()), network(frame.ethernet().vxlan(2).ipv4().ethernet()),
            network(frame.vlan(1).ethernet().vxlan(1).ipv4().ethernet()), network(frame.geneve(3).ipv4().ethernet()),
            network(frame.ethernet().gre(key: 4 << 8).ipv4().ethernet()),
            mirrored(vlan: 15), mirrored(vlan: 20, hasTypeIII: true),
            network(frame.gre(key: 4 << 8).ipv4().ethernet()),
        ]
        #expect(mirroredWithout == 0)
        #expect(networks[0] == 0 && networks[1] == 0 && networks.last == 0)
        #expect(Set(networks).count == networks.count - 2)
    }
}
