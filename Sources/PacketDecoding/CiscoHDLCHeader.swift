// Wingmirror · Apache-2.0
// Cisco HDLC: LINKTYPE_C_HDLC of the link type registry.

/// The header of a Cisco HDLC frame: address, control, and an EtherType.
struct CiscoHDLCHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header at the start of a frame.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 4 else { throw DecodeFailure(.link, .truncated) }
        next = NextHeader(HeaderKind(etherType: octets.bigEndian16(at: 2)), at: 4)
    }
}
