// Wingmirror · Apache-2.0

import Foundation
import PacketDecoding
import Testing

/// One recording in many wrappings: see the fixtures' README.
@Suite struct RecordedEncapsulationTests {
    @Test(arguments: [
        "geneve", "gre-key-seq", "gretap", "ipip", "ipv4", "ipv6-exthdr", "loop", "mpls", "null", "pppoe", "qinq",
        "qinq-9100",
        "raw", "sll", "sll2", "vlan", "vxlan",
    ])
    func `a recording holds the same segments whatever it is wrapped in`(_ name: String) throws {
        let plain = try segments(of: "ethernet")
        #expect(plain.count == 38)
        #expect(plain.map(\.payload.count).reduce(0, +) == 2242)
        #expect(try segments(of: name) == plain)
    }

    /// What the segments of a savefile are, without where they lie in their frames.
    private func segments(of name: String) throws -> [Segment] {
        let file = try Savefile(fixture: name)
        var decoder = PacketDecoder()
        return try file.packets.map { octets in
            let decoded = decoder.decode(octets, linkType: file.linkType)
            let segment = try #require(decoded.segment, "\(decoded)")
            return Segment(
                source: segment.source.description,
                destination: segment.destination.description,
                sequenceNumber: segment.sequenceNumber,
                flags: segment.flags,
                payload: decoded.payload
            )
        }
    }

    private struct Segment: Equatable {
        let source: String
        let destination: String
        let sequenceNumber: SequenceNumber
        let flags: TCPFlags
        let payload: [UInt8]
    }

    /// A little-endian savefile of the classic format.
    private struct Savefile {
        let linkType: LinkType
        private(set) var packets: [[UInt8]] = []

        init(fixture name: String) throws {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
            let octets = [UInt8](try Data(contentsOf: folder.appending(path: name + ".pcap")))
            func number(at index: Int) -> Int {
                (0..<4).reduce(0) { $0 | Int(octets[index + $1]) << (8 * $1) }
            }
            try #require(number(at: 0) == 0xA1B2_C3D4)
            linkType = LinkType(rawValue: Int32(number(at: 20)))
            var offset = 24
            while offset < octets.count {
                let length = number(at: offset + 8)
                packets.append(Array(octets[offset + 16..<offset + 16 + length]))
                offset += 16 + length
            }
        }
    }
}
