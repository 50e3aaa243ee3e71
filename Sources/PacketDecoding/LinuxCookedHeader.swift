// Wingmirror · Apache-2.0
// Linux cooked captures: LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the link type registry.

/// The pseudo-header of packets captured on the `any` device, in either version.
struct LinuxCookedHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes version 1: 16 octets.
    init(decodingVersion1 octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 16 else { throw DecodeFailure(.link, .truncated) }
        next = Self.next(hardwareType: octets.bigEndian16(at: 2), protocolType: octets.bigEndian16(at: 14), at: 16)
    }

    /// Decodes version 2: 20 octets, and the interface among them.
    init(decodingVersion2 octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 20 else { throw DecodeFailure(.link, .truncated) }
        next = Self.next(hardwareType: octets.bigEndian16(at: 8), protocolType: octets.bigEndian16(at: 0), at: 20)
    }

    /// The protocol is an EtherType, but for the hardware types that say otherwise and the numbers that Linux made up.
    private static func next(hardwareType: UInt16, protocolType: UInt16, at offset: Int) -> NextHeader {
        let kind: HeaderKind =
            switch (hardwareType, protocolType) {
            case (801, _): .wlan
            case (802, _): .prism
            case (803, _): .radiotap
            case (824, _): .ignored(.otherEtherType)  // netlink
            case (_, 0x0004): .logicalLink
            case (_, ..<0x0600): .ignored(.otherLogicalLink)
            default: HeaderKind(etherType: protocolType)
            }
        return NextHeader(kind, at: offset)
    }
}
