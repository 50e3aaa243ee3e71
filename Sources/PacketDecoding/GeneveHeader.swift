// Wingmirror · Apache-2.0
// Geneve: RFC 8926 §3.4.

/// A Geneve header, with its options.
struct GeneveHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader
    /// The network that the packet inside belongs to.
    let network: NetworkTag

    /// Decodes the header at the start of a datagram's payload.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.geneve, .truncated) }
        guard octets[0] >> 6 == 0 else { throw DecodeFailure(.geneve, .unsupported) }
        let length = 8 + Int(octets[0] & 0x3F) * 4
        guard octets.count >= length else { throw DecodeFailure(.geneve, .truncated) }
        network = .virtualNetwork(octets.bigEndian32(at: 4) >> 8)
        let isControl = octets[1] & 0x80 != 0
        let kind = isControl ? .ignored(.tunnelControl) : HeaderKind(etherType: octets.bigEndian16(at: 2))
        next = NextHeader(kind, at: length)
    }
}
