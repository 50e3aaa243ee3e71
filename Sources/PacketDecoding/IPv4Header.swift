// Wingmirror · Apache-2.0
// The Internet header: RFC 791 §3.1.

/// An IPv4 header, in host byte order.
struct IPv4Header: Sendable, Hashable {
    /// The sender.
    let source: IPAddress
    /// The receiver.
    let destination: IPAddress
    /// Names the datagram among those of the same addresses and protocol.
    let identification: UInt16
    /// What the payload is.
    let protocolNumber: UInt8
    /// Octets of the header, with options: the payload starts there.
    let headerLength: Int
    /// Octets of header and payload; `nil` where segmentation offload left the field 0, since it cannot tell them.
    let totalLength: Int?
    /// The flags and the fragment offset.
    let fragmentField: UInt16

    /// Decodes the header at the start of a packet, which may be cut short by the snapshot length.
    @inline(__always)
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 20 else { throw DecodeFailure(.ipv4, .truncated) }
        let versionAndLength = octets[0]
        guard versionAndLength >> 4 == 4 else { throw DecodeFailure(.ipv4, .malformed) }
        headerLength = Int(versionAndLength & 0xF) * 4
        guard headerLength >= 20 else { throw DecodeFailure(.ipv4, .malformed) }
        guard octets.count >= headerLength else { throw DecodeFailure(.ipv4, .truncated) }
        let total = Int(octets.bigEndian16(at: 2))
        totalLength = total == 0 ? nil : total
        guard total == 0 || total >= headerLength else { throw DecodeFailure(.ipv4, .malformed) }
        identification = octets.bigEndian16(at: 4)
        fragmentField = octets.bigEndian16(at: 6)
        protocolNumber = octets[9]
        source = IPAddress(ipv4: octets.bigEndian32(at: 12))
        destination = IPAddress(ipv4: octets.bigEndian32(at: 16))
    }

    /// Whether the packet holds less than a whole datagram.
    var isFragment: Bool {
        fragmentField & 0x3FFF != 0
    }

    /// Where the payload of a fragment belongs in the datagram.
    var fragmentPosition: FragmentPosition {
        FragmentPosition(
            offset: Int(fragmentField & 0x1FFF) * 8,
            moreFollow: fragmentField & 0x2000 != 0
        )
    }
}
