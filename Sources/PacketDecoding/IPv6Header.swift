// Wingmirror · Apache-2.0
// The IPv6 header: RFC 8200 §3.

/// The fixed IPv6 header, in host byte order.
struct IPv6Header: Sendable, Hashable {
    /// Octets of the header.
    static let length = 40

    /// The sender.
    let source: IPAddress
    /// The receiver, or the next of them that a routing header names.
    let destination: IPAddress
    /// What follows.
    let nextHeader: UInt8
    /// Octets after this header; `nil` where the field is 0.
    ///
    /// That is so for a jumbogram (RFC 2675), whose length stands in an option, and for what segmentation offload makes of
    /// it in a capture. Both are greater than any frame that needs padding, so the rest of the frame is the payload.
    let payloadLength: Int?

    /// Decodes the header at the start of a packet, which may be cut short by the snapshot length.
    @inline(__always)
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= Self.length else { throw DecodeFailure(.ipv6, .truncated) }
        guard octets[0] >> 4 == 6 else { throw DecodeFailure(.ipv6, .malformed) }
        let length = Int(octets.bigEndian16(at: 4))
        payloadLength = length == 0 ? nil : length
        nextHeader = octets[6]
        source = IPAddress(high: octets.bigEndian64(at: 8), low: octets.bigEndian64(at: 16))
        destination = IPAddress(high: octets.bigEndian64(at: 24), low: octets.bigEndian64(at: 32))
    }
}
