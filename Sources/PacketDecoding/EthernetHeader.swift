// Wingmirror · Apache-2.0
// Ethernet frames: IEEE 802.3 §3.1.1.

/// An Ethernet header, of which only what follows it is of interest.
struct EthernetHeader: Sendable, Hashable {
    /// Octets of the header.
    static let length = 14

    /// The EtherType, or under 1536 the length of an IEEE 802.2 payload.
    let typeOrLength: UInt16

    /// Decodes the header at the start of a frame.
    @inline(__always)
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.ethernet, .truncated) }
        typeOrLength = octets.bigEndian16(at: 12)
    }

    /// What follows.
    var next: NextHeader {
        NextHeader(HeaderKind(etherType: typeOrLength), at: Self.length)
    }
}
