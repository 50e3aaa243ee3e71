// Wingmirror · Apache-2.0

/// The control bits that reassembly looks at (RFC 9293 §3.1).
public struct TCPFlags: OptionSet, Sendable, Hashable {
    /// The control bits as they stand in the header, CWR and ECE included.
    public let rawValue: UInt8

    /// Makes flags of the octet in the header.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// No more data from the sender.
    public static let fin = TCPFlags(rawValue: 0x01)
    /// Synchronize sequence numbers.
    public static let syn = TCPFlags(rawValue: 0x02)
    /// Reset the connection.
    public static let rst = TCPFlags(rawValue: 0x04)
    /// Push: the sender's buffer was empty after this segment.
    public static let psh = TCPFlags(rawValue: 0x08)
    /// The acknowledgement number is meaningful.
    public static let ack = TCPFlags(rawValue: 0x10)
}

/// A TCP segment with the addresses of the innermost IP header around it.
public struct TCPSegment: Sendable, Hashable {
    /// The sender's address and port.
    public let source: Endpoint
    /// The receiver's address and port.
    public let destination: Endpoint
    /// The number of the first payload octet, or of the SYN.
    public let sequenceNumber: SequenceNumber
    /// Meaningful only when `flags` contains `.ack`.
    public let acknowledgementNumber: SequenceNumber
    /// The control bits.
    public let flags: TCPFlags
    /// Octets of the TCP header, which end where `payload` begins; 0 where the segment was not decoded from octets.
    public let headerLength: UInt8
    /// The IPv4 identification field, 0 for IPv6: tells a packet seen twice from one sent twice.
    public let identification: UInt16
    /// Where the captured part of the payload lies within the octets that were decoded; empty for a bare ACK.
    public let payload: Range<Int>
    /// Payload octets that were on the wire but not captured, because the snapshot length cut the packet.
    public let truncatedOctets: Int
    /// Stands for the networks that the tags around the segment name, VLANs and virtual networks; 0 without any.
    ///
    /// Equal tags give equal numbers; see `NetworkTag`.
    public let network: UInt32

    /// Makes a segment of its parts.
    @inlinable
    public init(
        source: Endpoint,
        destination: Endpoint,
        sequenceNumber: SequenceNumber,
        acknowledgementNumber: SequenceNumber,
        flags: TCPFlags,
        headerLength: UInt8 = 0,
        identification: UInt16 = 0,
        payload: Range<Int>,
        truncatedOctets: Int = 0,
        network: UInt32 = 0
    ) {
        self.source = source
        self.destination = destination
        self.sequenceNumber = sequenceNumber
        self.acknowledgementNumber = acknowledgementNumber
        self.flags = flags
        self.headerLength = headerLength
        self.identification = identification
        self.payload = payload
        self.truncatedOctets = truncatedOctets
        self.network = network
    }
}
