// Wingmirror · Apache-2.0
// The classic savefile format: pcap-savefile(5).

public import PacketDecoding

/// The packets of a savefile that the tests bring along: little endian, times in microseconds.
///
/// It stands in for `SavefileReader` where a test must not depend on libpcap.
public struct SavefileContent: Sendable, Hashable {
    /// A packet, and what the savefile says of it.
    public struct Packet: Sendable, Hashable {
        /// What the savefile says of it.
        public let description: CapturedPacket
        /// Its captured octets.
        public let octets: [UInt8]
    }

    /// The packets, first to last.
    public let packets: [Packet]

    /// Reads a savefile; `nil` when it is another kind or cut.
    public init?(_ octets: [UInt8]) {
        guard octets.count >= 24, Self.number(octets[0..<4]) == 0xA1B2_C3D4 else { return nil }
        let linkType = LinkType(rawValue: Int32(truncatingIfNeeded: Self.number(octets[20..<24])))
        var packets: [Packet] = []
        var position = 24
        while position < octets.count {
            guard position + 16 <= octets.count else { return nil }
            let fields = (0..<4).map { Self.number(octets[(position + $0 * 4)..<(position + $0 * 4 + 4)]) }
            position += 16
            guard position + fields[2] <= octets.count else { return nil }
            let description = CapturedPacket(
                time: PacketTime(nanoseconds: Int64(fields[0]) * 1_000_000_000 + Int64(fields[1]) * 1000),
                linkType: linkType,
                interface: 0,
                wireLength: fields[3]
            )
            packets.append(Packet(description: description, octets: Array(octets[position..<position + fields[2]])))
            position += fields[2]
        }
        self.packets = packets
    }

    private static func number(_ octets: ArraySlice<UInt8>) -> Int {
        octets.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
