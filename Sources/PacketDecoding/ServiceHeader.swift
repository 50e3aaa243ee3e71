// Wingmirror · Apache-2.0
// The network service header: RFC 8300 §2.

/// A network service header (NSH), which stands between a transport and the packet that services are to see.
struct ServiceHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header with its metadata.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.link, .truncated) }
        guard octets[0] >> 6 == 0 else { throw DecodeFailure(.link, .unsupported) }
        let length = Int(octets[1] & 0x3F) * 4
        guard length >= 8 else { throw DecodeFailure(.link, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.link, .truncated) }
        let isManagement = octets[0] & 0x20 != 0
        let kind: HeaderKind =
            switch octets[3] {
            case _ where isManagement: .ignored(.tunnelControl)
            case 1: .ipv4
            case 2: .ipv6
            case 3: .ethernet
            case 4: .service
            case 5: .mpls
            default: .ignored(.tunnelControl)
            }
        next = NextHeader(kind, at: length)
    }
}
