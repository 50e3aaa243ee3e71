// Wingmirror · Apache-2.0
// The Internet checksum: RFC 1071.

import PacketDecoding

/// A checksum over octets in which the checksum field is 0.
struct Checksum {
    /// What belongs in the field.
    let value: UInt16

    init(_ octets: [UInt8]) {
        var sum: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            sum += index.isMultiple(of: 2) ? UInt64(octet) << 8 : UInt64(octet)
        }
        while sum > 0xFFFF {
            sum = sum & 0xFFFF + sum >> 16
        }
        value = ~UInt16(sum)
    }

    /// The checksum of TCP or UDP, which covers a pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1).
    init(source: IPAddress, destination: IPAddress, protocolNumber: UInt8, _ segment: [UInt8]) {
        var covered: [UInt8] = []
        for address in [source, destination] {
            if address.isIPv4 {
                covered.append(bigEndian: UInt32(truncatingIfNeeded: address.low))
            } else {
                covered.append(bigEndian: address.high)
                covered.append(bigEndian: address.low)
            }
        }
        covered.append(bigEndian: UInt32(segment.count))
        covered.append(bigEndian: UInt32(protocolNumber))
        self.init(covered + segment)
    }
}
