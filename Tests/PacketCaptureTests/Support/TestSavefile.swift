// Wingmirror · Apache-2.0
// Savefiles: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng.

/// Builds the octets of savefiles, field by field.
struct TestSavefile {
    /// A packet as a savefile has it.
    struct Packet {
        var seconds: UInt32 = 1_700_000_000
        /// In the file's own unit.
        var fraction: UInt32 = 0
        var octets: [UInt8]
        /// Octets on the wire; `nil` for as many as were captured.
        var wireLength: Int?
    }

    var isBigEndian = false
    private(set) var octets: [UInt8] = []

    // MARK: pcap

    /// A pcap file.
    static func pcap(
        _ packets: [Packet],
        isBigEndian: Bool = false,
        isNanoseconds: Bool = false,
        linkType: UInt32 = 1,
        snapshotLength: UInt32 = 262_144
    ) -> [UInt8] {
        var file = TestSavefile(isBigEndian: isBigEndian)
        file.append((isNanoseconds ? 0xA1B2_3C4D : 0xA1B2_C3D4) as UInt32)  // magic number
        file.append(2 as UInt16)  // version
        file.append(4 as UInt16)
        file.append(0 as UInt32)  // reserved
        file.append(0 as UInt32)
        file.append(snapshotLength)
        file.append(linkType)
        for packet in packets {
            file.append(record: packet)
        }
        return file.octets
    }

    private mutating func append(record packet: Packet) {
        append(packet.seconds)
        append(packet.fraction)
        append(UInt32(packet.octets.count))
        append(UInt32(packet.wireLength ?? packet.octets.count))
        octets += packet.octets
    }

    // MARK: pcapng

    /// A pcapng file with one section and as many interfaces as link types, whose packets are all of the first, or of each in turn;
    /// its key log, if any, stands behind them.
    static func pcapng(
        _ packets: [Packet],
        isBigEndian: Bool = false,
        linkTypes: [UInt16] = [1],
        statisticsBeforePacket: Int? = nil,
        options: [UInt8] = [],
        ticks: UInt64? = nil,
        takesTurns: Bool = false,
        keyLog: String? = nil
    ) -> [UInt8] {
        var file = TestSavefile(isBigEndian: isBigEndian)
        file.append(block: 0x0A0D_0D0A) { section in
            section.append(0x1A2B_3C4D as UInt32)  // byte-order magic
            section.append(1 as UInt16)  // version
            section.append(0 as UInt16)
            section.append(UInt32.max)  // section length: not given
            section.append(UInt32.max)
        }
        for linkType in linkTypes {
            file.append(block: 1) { interface in
                interface.append(linkType)
                interface.append(0 as UInt16)  // reserved
                interface.append(262_144 as UInt32)  // snapshot length
                interface.octets += options
            }
        }
        for (index, packet) in packets.enumerated() {
            if index == statisticsBeforePacket {
                file.append(block: 5) { statistics in
                    statistics.append(0 as UInt32)  // interface
                    statistics.append(0 as UInt32)  // time
                    statistics.append(0 as UInt32)
                }
            }
            file.append(block: 6) { enhanced in
                let time = ticks ?? UInt64(packet.seconds) * 1_000_000 + UInt64(packet.fraction)
                enhanced.append(takesTurns ? UInt32(index % linkTypes.count) : 0)  // interface
                enhanced.append(UInt32(time >> 32))
                enhanced.append(UInt32(truncatingIfNeeded: time))
                enhanced.append(UInt32(packet.octets.count))
                enhanced.append(UInt32(packet.wireLength ?? packet.octets.count))
                enhanced.octets += packet.octets
                enhanced.octets += [UInt8](repeating: 0, count: -packet.octets.count & 3)
            }
        }
        if let keyLog {
            file.append(block: 10) { secrets in
                secrets.append(0x544C_534B as UInt32)  // a key log of TLS
                secrets.append(UInt32(keyLog.utf8.count))
                secrets.octets += keyLog.utf8
                secrets.octets += [UInt8](repeating: 0, count: -keyLog.utf8.count & 3)
            }
        }
        return file.octets
    }

    /// An IPv4 header with nothing after it.
    static let emptyPacket: [UInt8] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]

    private mutating func append(block type: UInt32, _ build: (inout TestSavefile) -> Void) {
        var body = TestSavefile(isBigEndian: isBigEndian)
        build(&body)
        append(type)
        append(UInt32(body.octets.count + 12))
        octets += body.octets
        append(UInt32(body.octets.count + 12))
    }

    private mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        let bigEndian = (0..<MemoryLayout<Number>.size).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        octets += isBigEndian ? bigEndian : bigEndian.reversed()
    }

    // MARK: gzip

    /// One gzip member with the octets in stored blocks (RFC 1951 §3.2.4, RFC 1952 §2.3).
    static func gzip(_ octets: [UInt8]) -> [UInt8] {
        var file = TestSavefile()
        file.octets = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = octets[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            file.octets.append(rest.isEmpty ? 1 : 0)  // whether it is the last block, and its type: stored
            file.append(UInt16(block.count))
            file.append(~UInt16(block.count))
            file.octets += block
        } while !rest.isEmpty
        file.append(checksum(octets))
        file.append(UInt32(octets.count))
        return file.octets
    }

    /// CRC-32 as gzip has it (RFC 1952 §8).
    private static func checksum(_ octets: [UInt8]) -> UInt32 {
        ~octets.reduce(~0 as UInt32) { sum, octet in
            (0..<8).reduce(sum ^ UInt32(octet)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }
}
