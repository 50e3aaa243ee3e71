// Wingmirror · Apache-2.0
// Tags of switches: IEEE 802.1BR (E-tag), 802.1ah (I-tag), 802.1CB (R-tag), IEC 62439-3 (HSR), RFC 6325 (TRILL); VN-tag, Cisco metadata,
// time stamp and FabricPath tags as their dissectors have them.

/// A tag that a switch put between the Ethernet addresses and what they carry; what it says is of no interest here.
enum ShimHeader: Sendable, Hashable {
    /// VN-tag: which port of a virtual machine.
    case virtualPort
    /// E-tag: which port of a port extender.
    case extendedPort
    /// Cisco's time stamp tag.
    case timeStamp
    /// Cisco's metadata: security groups.
    case metadata
    /// High-availability seamless redundancy.
    case redundancy
    /// Frame replication and elimination: R-tag.
    case replication
    /// The service instance of a provider's backbone, before a customer's frame.
    case backbone
    /// FabricPath, before a frame.
    case fabricPath
    /// TRILL, before a frame.
    case trill

    /// The tag that an EtherType announces.
    init?(etherType: UInt16) {
        switch etherType {
        case 0x8926: self = .virtualPort
        case 0x893F: self = .extendedPort
        case 0x8988: self = .timeStamp
        case 0x8909: self = .metadata
        case 0x892F: self = .redundancy
        case 0xF1C1: self = .replication
        case 0x88E7: self = .backbone
        case 0x8903: self = .fabricPath
        case 0x22F3: self = .trill
        default: return nil
        }
    }

    /// What follows the tag that starts at the first of `octets`, which is the one after its EtherType.
    func next(in octets: Span<UInt8>) throws(DecodeFailure) -> NextHeader {
        switch self {
        case .virtualPort, .timeStamp, .redundancy, .replication: return try Self.typed(octets, after: 4)
        case .extendedPort: return try Self.typed(octets, after: 6)
        case .metadata:
            guard octets.count >= 2 else { throw DecodeFailure(.vlan, .truncated) }
            return try Self.typed(octets, after: 2 + Int(octets[1]) * 4)
        case .backbone: return try Self.frame(octets, after: 4)
        case .fabricPath: return try Self.frame(octets, after: 2)
        case .trill:
            guard octets.count >= 2 else { throw DecodeFailure(.vlan, .truncated) }
            let optionWords = Int(octets.bigEndian16(at: 0) >> 6 & 0x1F)
            return try Self.frame(octets, after: 6 + optionWords * 4)
        }
    }

    private static func typed(_ octets: Span<UInt8>, after length: Int) throws(DecodeFailure) -> NextHeader {
        guard octets.count >= length + 2 else { throw DecodeFailure(.vlan, .truncated) }
        return NextHeader(HeaderKind(etherType: octets.bigEndian16(at: length)), at: length + 2)
    }

    private static func frame(_ octets: Span<UInt8>, after length: Int) throws(DecodeFailure) -> NextHeader {
        guard octets.count >= length else { throw DecodeFailure(.vlan, .truncated) }
        return NextHeader(.ethernet, at: length)
    }
}
