// Wingmirror · Apache-2.0
// GRE: RFC 2784 §2, RFC 2890 §2, RFC 1701; version 1: RFC 2637 §4.1; ERSPAN: draft-foschiano-erspan.

/// A GRE header, with the mirror header that ERSPAN puts after it.
struct GREHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader
    /// The network of NVGRE, which is GRE with a key around Ethernet frames, or the VLAN that ERSPAN mirrors.
    let network: NetworkTag

    /// Decodes the header with all its optional fields.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 4 else { throw DecodeFailure(.gre, .truncated) }
        let flags = Flags(rawValue: octets.bigEndian16(at: 0))
        let protocolType = octets.bigEndian16(at: 2)
        switch flags.version {
        case 0:
            let length = try Self.length(flags, of: octets)
            next = try Self.next(protocolType, hasSequence: flags.contains(.sequence), after: length, in: octets)
            network = Self.network(protocolType, flags, after: length, in: octets)
        case 1:
            let length =
                8 + (flags.contains(.sequence) ? 4 : 0) + (flags.contains(.acknowledgement) ? 4 : 0)
            guard octets.count >= length else { throw DecodeFailure(.gre, .truncated) }
            // Without a sequence number there is no payload: the packet acknowledges only (RFC 2637 §4.1).
            next = NextHeader(flags.contains(.sequence) ? .ppp : .ignored(.tunnelControl), at: length)
            network = .virtualNetwork(0)
        default:
            throw DecodeFailure(.gre, .malformed)
        }
    }

    private struct Flags: OptionSet {
        let rawValue: UInt16

        static let checksum = Flags(rawValue: 0x8000)
        static let routing = Flags(rawValue: 0x4000)
        static let key = Flags(rawValue: 0x2000)
        static let sequence = Flags(rawValue: 0x1000)
        static let acknowledgement = Flags(rawValue: 0x0080)

        var version: UInt16 { rawValue & 7 }
    }

    /// NVGRE is GRE with a key and nothing else; the mirror header of ERSPAN II and III has the VLAN in its first two octets.
    private static func network(
        _ protocolType: UInt16,
        _ flags: Flags,
        after length: Int,
        in octets: Span<UInt8>
    ) -> NetworkTag {
        switch protocolType {
        case 0x6558 where flags == .key: return .virtualNetwork(octets.bigEndian32(at: 4) >> 8)
        case 0x88BE where flags.contains(.sequence), 0x22EB:
            return .vlan(octets.count >= length + 2 ? octets.bigEndian16(at: length) & 0x0FFF : 0)
        default: return .virtualNetwork(0)
        }
    }

    private static func length(_ flags: Flags, of octets: Span<UInt8>) throws(DecodeFailure) -> Int {
        var length = 4
        if flags.contains(.checksum) || flags.contains(.routing) { length += 4 }
        if flags.contains(.key) { length += 4 }
        if flags.contains(.sequence) { length += 4 }
        guard octets.count >= length else { throw DecodeFailure(.gre, .truncated) }
        guard flags.contains(.routing) else { return length }
        // Source route entries, the last of which is empty (RFC 1701).
        while true {
            guard octets.count >= length + 4 else { throw DecodeFailure(.gre, .truncated) }
            let isLast = octets.bigEndian16(at: length) == 0 && octets[length + 3] == 0
            length += 4 + Int(octets[length + 3])
            if isLast { break }
        }
        guard octets.count >= length else { throw DecodeFailure(.gre, .truncated) }
        return length
    }

    private static func next(
        _ protocolType: UInt16,
        hasSequence: Bool,
        after length: Int,
        in octets: Span<UInt8>
    ) throws(DecodeFailure) -> NextHeader {
        switch protocolType {
        case 0x88BE:
            // Type II is told from type I, which has no header of its own, by the sequence number.
            return NextHeader(.ethernet, at: hasSequence ? length + 8 : length)
        case 0x22EB:
            guard octets.count >= length + 12 else { throw DecodeFailure(.gre, .truncated) }
            let hasPlatformHeader = octets[length + 11] & 1 != 0
            // The frame type: 0 is Ethernet, 2 is IP.
            let isPacket = octets[length + 10] >> 2 & 0x1F == 2
            return NextHeader(isPacket ? .internetProtocol : .ethernet, at: length + (hasPlatformHeader ? 20 : 12))
        case 0:
            return NextHeader(.ignored(.tunnelControl), at: length)  // a keepalive
        default:
            return NextHeader(HeaderKind(etherType: protocolType), at: length)
        }
    }
}
