// Wingmirror · Apache-2.0

public import PacketDecoding

/// A packet under construction, from the inside out: each method puts a header before what is there.
///
///     let frame = PacketBuilder
///         .tcp(from: client, to: server, sequence: 1, flags: [.ack], payload: request)
///         .ip()
///         .vlan(7)
///         .ethernet()
///         .octets
///
/// Lengths and checksums are filled in, so that other tools read the packet as well; a test that wants them wrong changes
/// the octets afterwards.
public struct PacketBuilder: Sendable, Hashable {
    /// The packet so far.
    public var octets: [UInt8]
    /// What an IP header before it says that it is.
    public var protocolNumber: UInt8
    /// What a link-layer header before it says that it is.
    public var etherType: UInt16
    /// The sender and receiver that an IP header takes when it is told none.
    private var source = IPAddress(ipv4: 0x0A00_0001)
    private var destination = IPAddress(ipv4: 0x0A00_0002)

    /// Begins with octets that are the whole payload.
    public init(_ octets: [UInt8], protocolNumber: UInt8 = 253, etherType: UInt16 = 0x88B5) {
        self.octets = octets
        self.protocolNumber = protocolNumber
        self.etherType = etherType
    }

    /// Puts a header before the octets; the result is announced by `protocolNumber` and `etherType`.
    public func encapsulated(
        in header: [UInt8],
        protocolNumber: UInt8 = 253,
        etherType: UInt16 = 0x88B5
    ) -> PacketBuilder {
        var result = self
        result.octets = header + octets
        result.protocolNumber = protocolNumber
        result.etherType = etherType
        return result
    }

    /// Adds octets after the end, as Ethernet does to short frames.
    public func padded(to count: Int, with octet: UInt8 = 0) -> PacketBuilder {
        var result = self
        result.octets += Array(repeating: octet, count: max(0, count - octets.count))
        return result
    }

    func with(source: IPAddress, destination: IPAddress) -> PacketBuilder {
        var result = self
        result.source = source
        result.destination = destination
        return result
    }
}

// MARK: - TCP and UDP

extension PacketBuilder {
    /// A TCP segment (RFC 9293 §3.1).
    ///
    /// - Parameters:
    ///   - source: The sender.
    ///   - destination: The receiver.
    ///   - sequence: The number of the first payload octet, or of the SYN.
    ///   - acknowledgement: The acknowledgement number.
    ///   - flags: The control bits.
    ///   - window: The window field.
    ///   - options: Options, padded here to a multiple of four octets.
    ///   - payload: What the segment carries.
    /// - Returns: The segment, whose addresses an IP header takes.
    public static func tcp(
        from source: Endpoint,
        to destination: Endpoint,
        sequence: UInt32,
        acknowledgement: UInt32 = 0,
        flags: TCPFlags = [.ack],
        window: UInt16 = 65_535,
        options: [UInt8] = [],
        payload: [UInt8] = []
    ) -> PacketBuilder {
        let paddedOptions = options + Array(repeating: 0, count: (4 - options.count % 4) % 4)
        var header: [UInt8] = []
        header.append(bigEndian: source.port)
        header.append(bigEndian: destination.port)
        header.append(bigEndian: sequence)
        header.append(bigEndian: acknowledgement)
        header.append(UInt8(5 + paddedOptions.count / 4) << 4)
        header.append(flags.rawValue)
        header.append(bigEndian: window)
        header += [0, 0, 0, 0]  // checksum, urgent pointer
        var segment = header + paddedOptions + payload
        let sum = Checksum(source: source.address, destination: destination.address, protocolNumber: 6, segment)
        segment.replace(bigEndian: sum.value, at: 16)
        return PacketBuilder(segment, protocolNumber: 6).with(source: source.address, destination: destination.address)
    }

    /// Puts a UDP header (RFC 768) before the octets, without a checksum.
    public func udp(from sourcePort: UInt16 = 49_152, to destinationPort: UInt16) -> PacketBuilder {
        var header: [UInt8] = []
        header.append(bigEndian: sourcePort)
        header.append(bigEndian: destinationPort)
        header.append(bigEndian: UInt16(truncatingIfNeeded: 8 + octets.count))
        header += [0, 0]
        return encapsulated(in: header, protocolNumber: 17)
    }
}

// MARK: - IP

extension PacketBuilder {
    /// Puts the IP header of the addresses' version before the octets.
    public func ip(identification: UInt16 = 0) -> PacketBuilder {
        source.isIPv4 ? ipv4(identification: identification) : ipv6()
    }

    /// Puts an IPv4 header (RFC 791 §3.1) before the octets.
    ///
    /// - Parameters:
    ///   - source: The sender; without one, that of the segment.
    ///   - destination: The receiver; without one, that of the segment.
    ///   - identification: The identification field.
    ///   - fragmentField: The flags and the fragment offset in units of eight octets.
    ///   - options: Options, padded here to a multiple of four octets.
    ///   - totalLength: The length field, where it is not to be the right one.
    /// - Returns: The packet with that header in front.
    public func ipv4(
        from source: IPAddress? = nil,
        to destination: IPAddress? = nil,
        identification: UInt16 = 0,
        fragmentField: UInt16 = 0,
        options: [UInt8] = [],
        totalLength: UInt16? = nil
    ) -> PacketBuilder {
        let paddedOptions = options + Array(repeating: 0, count: (4 - options.count % 4) % 4)
        let headerLength = 20 + paddedOptions.count
        var header: [UInt8] = [0x40 | UInt8(headerLength / 4), 0]
        header.append(bigEndian: totalLength ?? UInt16(truncatingIfNeeded: headerLength + octets.count))
        header.append(bigEndian: identification)
        header.append(bigEndian: fragmentField)
        header += [64, protocolNumber, 0, 0]
        header.append(bigEndian: UInt32(truncatingIfNeeded: (source ?? self.source).low))
        header.append(bigEndian: UInt32(truncatingIfNeeded: (destination ?? self.destination).low))
        header += paddedOptions
        header.replace(bigEndian: Checksum(header).value, at: 10)
        return encapsulated(in: header, protocolNumber: 4, etherType: 0x0800)
    }

    /// Puts an IPv6 header (RFC 8200 §3) before the octets.
    ///
    /// - Parameters:
    ///   - source: The sender; without one, that of the segment.
    ///   - destination: The receiver; without one, that of the segment.
    ///   - payloadLength: The length field, where it is not to be the right one.
    /// - Returns: The packet with that header in front.
    public func ipv6(
        from source: IPAddress? = nil,
        to destination: IPAddress? = nil,
        payloadLength: UInt16? = nil
    ) -> PacketBuilder {
        var header: [UInt8] = [0x60, 0, 0, 0]
        header.append(bigEndian: payloadLength ?? UInt16(truncatingIfNeeded: octets.count))
        header += [protocolNumber, 64]
        for address in [source ?? self.source, destination ?? self.destination] {
            header.append(bigEndian: address.high)
            header.append(bigEndian: address.low)
        }
        return encapsulated(in: header, protocolNumber: 41, etherType: 0x86DD)
    }

    /// Puts an IPv6 extension header (RFC 8200 §4) before the octets.
    ///
    /// - Parameters:
    ///   - number: Its protocol number, such as 0 for hop-by-hop options.
    ///   - content: What follows its length octet, padded here to a multiple of eight octets with the first two.
    /// - Returns: The packet with that header in front.
    public func ipv6Extension(_ number: UInt8, content: [UInt8] = []) -> PacketBuilder {
        let padding = (8 - (content.count + 2) % 8) % 8
        let length = UInt8((content.count + 2 + padding) / 8 - 1)
        let header = [protocolNumber, length] + content + Array(repeating: 0, count: padding)
        return encapsulated(in: header, protocolNumber: number)
    }

    /// Puts an IPv6 fragment header (RFC 8200 §4.5) before the octets, which are one fragment's.
    public func ipv6Fragment(identification: UInt32, offset: UInt16, moreFollow: Bool) -> PacketBuilder {
        var header: [UInt8] = [protocolNumber, 0]
        header.append(bigEndian: offset & 0xFFF8 | (moreFollow ? 1 : 0))
        header.append(bigEndian: identification)
        return encapsulated(in: header, protocolNumber: 44)
    }
}

// MARK: - Link layer

extension PacketBuilder {
    /// Puts an Ethernet header (IEEE 802.3) before the octets.
    public func ethernet() -> PacketBuilder {
        var header: [UInt8] = [0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1]
        header.append(bigEndian: etherType)
        return encapsulated(in: header, etherType: 0x6558)
    }

    /// Puts a VLAN tag (IEEE 802.1Q §9) before the octets.
    ///
    /// - Parameters:
    ///   - identifier: The VLAN.
    ///   - protocolIdentifier: The tag protocol identifier.
    /// - Returns: The packet with that header in front.
    public func vlan(_ identifier: UInt16, protocolIdentifier: UInt16 = 0x8100) -> PacketBuilder {
        var tag: [UInt8] = []
        tag.append(bigEndian: identifier & 0xFFF)
        tag.append(bigEndian: etherType)
        return encapsulated(in: tag, etherType: protocolIdentifier)
    }
}
