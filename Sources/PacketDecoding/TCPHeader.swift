// Wingmirror · Apache-2.0
// The TCP header: RFC 9293 §3.1.

/// The fixed part of a TCP header, in host byte order.
struct TCPHeader: Sendable, Hashable {
    /// The sender's port.
    let sourcePort: UInt16
    /// The receiver's port.
    let destinationPort: UInt16
    /// The number of the first payload octet, or of the SYN.
    let sequenceNumber: SequenceNumber
    /// Meaningful only when `flags` contains `.ack`.
    let acknowledgementNumber: SequenceNumber
    /// The control bits.
    let flags: TCPFlags
    /// Octets of the header, with options: the payload starts there.
    let length: Int

    /// Decodes the header at the start of a segment, which may be cut short by the snapshot length.
    @inline(__always)
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 20 else { throw DecodeFailure(.tcp, .truncated) }
        sourcePort = octets.bigEndian16(at: 0)
        destinationPort = octets.bigEndian16(at: 2)
        sequenceNumber = SequenceNumber(octets.bigEndian32(at: 4))
        acknowledgementNumber = SequenceNumber(octets.bigEndian32(at: 8))
        length = Int(octets[12] >> 4) * 4
        flags = TCPFlags(rawValue: octets[13])
        guard length >= 20 else { throw DecodeFailure(.tcp, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.tcp, .truncated) }
    }
}

extension TCPSegment {
    /// Makes a segment of its header and the addresses around it.
    ///
    /// - Parameters:
    ///   - header: The header that `octets` start with.
    ///   - source: The sender.
    ///   - destination: The receiver.
    ///   - identification: The IPv4 identification field.
    ///   - octets: The captured part of the segment.
    ///   - offset: Where that part starts in the frame.
    ///   - missing: Octets after it that were not captured.
    ///   - network: The networks that the tags around it name.
    @inline(__always)
    init(
        _ header: TCPHeader,
        from source: IPAddress,
        to destination: IPAddress,
        identification: UInt16,
        in octets: Span<UInt8>,
        at offset: Int,
        missing: Int = 0,
        network: UInt32 = 0
    ) {
        self.init(
            source: Endpoint(address: source, port: header.sourcePort),
            destination: Endpoint(address: destination, port: header.destinationPort),
            sequenceNumber: header.sequenceNumber,
            acknowledgementNumber: header.acknowledgementNumber,
            flags: header.flags,
            headerLength: UInt8(truncatingIfNeeded: header.length),
            identification: identification,
            payload: offset + header.length..<offset + octets.count,
            truncatedOctets: missing,
            network: network
        )
    }
}
