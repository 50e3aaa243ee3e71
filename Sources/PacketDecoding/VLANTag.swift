// Wingmirror · Apache-2.0
// VLAN tags: IEEE 802.1Q §9.

/// A VLAN tag after its tag protocol identifier, which has been read as an EtherType.
struct VLANTag: Sendable, Hashable {
    /// Octets of the tag control information and the EtherType after it.
    static let length = 4

    /// The VLAN that the frame belongs to.
    let network: NetworkTag
    /// The EtherType of what is tagged, or under 1536 its length.
    let typeOrLength: UInt16

    /// Decodes the tag that starts at the tag control information.
    @inline(__always)
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.vlan, .truncated) }
        network = .vlan(octets.bigEndian16(at: 0) & 0xFFF)
        typeOrLength = octets.bigEndian16(at: 2)
    }

    /// What follows.
    var next: NextHeader {
        NextHeader(HeaderKind(etherType: typeOrLength), at: Self.length)
    }
}
