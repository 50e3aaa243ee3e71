// Wingmirror · Apache-2.0
// IPv6 extension headers: RFC 8200 §4, RFC 6564; the authentication header: RFC 4302 §2.

/// An extension header that can be stepped over by its length alone.
struct IPv6ExtensionHeader: Sendable, Hashable {
    /// What follows.
    let nextHeader: UInt8
    /// Octets of this header.
    let length: Int

    /// Decodes a hop-by-hop, routing, destination options, mobility, HIP or Shim6 header.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.ipv6, .truncated) }
        nextHeader = octets[0]
        length = 8 + Int(octets[1]) * 8
        guard octets.count >= length else { throw DecodeFailure(.ipv6, .truncated) }
    }

    /// Decodes an authentication header, which counts its length in other units.
    init(decodingAuthentication octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 12 else { throw DecodeFailure(.ipv6, .truncated) }
        nextHeader = octets[0]
        length = 8 + Int(octets[1]) * 4
        guard length >= 12 else { throw DecodeFailure(.ipv6, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.ipv6, .truncated) }
    }

    /// What follows.
    var next: NextHeader {
        NextHeader(HeaderKind(protocolNumber: nextHeader), at: length)
    }
}
