// Wingmirror · Apache-2.0

import PacketDecoding

// MARK: - Other link layers

extension PacketBuilder {
    /// Puts a Linux cooked header, version 1, before the octets.
    public func linuxCooked() -> PacketBuilder {
        var header: [UInt8] = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]
        header.append(bigEndian: etherType)
        return encapsulated(in: header)
    }

    /// Puts a Linux cooked header, version 2, before the octets.
    public func linuxCooked2() -> PacketBuilder {
        var header: [UInt8] = []
        header.append(bigEndian: etherType)
        header += [0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]
        return encapsulated(in: header)
    }

    /// Puts an address family in network byte order before the octets.
    public func loopback(family: UInt32 = 2) -> PacketBuilder {
        var header: [UInt8] = []
        header.append(bigEndian: family)
        return encapsulated(in: header)
    }

    /// Puts a PPP protocol (RFC 1661 §2) before the octets.
    ///
    /// - Parameter withAddress: Whether address and control (RFC 1662 §3.1) precede it.
    /// - Returns: The packet with that header in front.
    public func ppp(withAddress: Bool = false) -> PacketBuilder {
        let number: UInt16 =
            switch etherType {
            case 0x0800: 0x0021
            case 0x86DD: 0x0057
            default: 0x0281
            }
        var header: [UInt8] = withAddress ? [0xFF, 0x03] : []
        header.append(bigEndian: number)
        return encapsulated(in: header, etherType: 0x880B)
    }

    /// Puts a PPPoE session header (RFC 2516 §4) before the octets.
    public func pppoe() -> PacketBuilder {
        var header: [UInt8] = [0x11, 0, 0, 7]
        header.append(bigEndian: UInt16(truncatingIfNeeded: octets.count))
        return encapsulated(in: header, etherType: 0x8864)
    }

    /// Puts LLC and SNAP headers (RFC 1042) before the octets.
    public func subnetworkAccess() -> PacketBuilder {
        var header: [UInt8] = [0xAA, 0xAA, 0x03, 0, 0, 0]
        header.append(bigEndian: etherType)
        return encapsulated(in: header, etherType: UInt16(truncatingIfNeeded: header.count + octets.count))
    }

    /// Puts a label stack (RFC 3032 §2.1) before the octets, which are its bottom.
    ///
    /// - Parameter labels: From the top of the stack.
    /// - Returns: The packet with that header in front.
    public func mpls(_ labels: [UInt32] = [16]) -> PacketBuilder {
        var header: [UInt8] = []
        for (index, label) in labels.enumerated() {
            let bottom: UInt32 = index == labels.count - 1 ? 0x100 : 0
            header.append(bigEndian: label << 12 | bottom | 64)
        }
        return encapsulated(in: header, protocolNumber: 137, etherType: 0x8847)
    }
}

// MARK: - Tunnels

extension PacketBuilder {
    /// Puts a GRE header (RFC 2784, RFC 2890) before the octets.
    ///
    /// - Parameters:
    ///   - key: The key field, if there is to be one.
    ///   - sequence: The sequence number field, if there is to be one.
    ///   - hasChecksum: Whether there is a checksum field, which is left 0.
    ///   - protocolType: The protocol, where it is not to be the EtherType of what follows.
    /// - Returns: The packet with that header in front.
    public func gre(
        key: UInt32? = nil,
        sequence: UInt32? = nil,
        hasChecksum: Bool = false,
        protocolType: UInt16? = nil
    ) -> PacketBuilder {
        var header: [UInt8] = [(hasChecksum ? 0x80 : 0) | (key == nil ? 0 : 0x20) | (sequence == nil ? 0 : 0x10), 0]
        header.append(bigEndian: protocolType ?? etherType)
        if hasChecksum { header += [0, 0, 0, 0] }
        if let key { header.append(bigEndian: key) }
        if let sequence { header.append(bigEndian: sequence) }
        return encapsulated(in: header, protocolNumber: 47)
    }

    /// Puts VXLAN (RFC 7348 §5) and UDP headers before an Ethernet frame.
    ///
    /// - Parameters:
    ///   - identifier: The VXLAN network identifier.
    ///   - port: The receiver's UDP port.
    /// - Returns: The packet with that header in front.
    public func vxlan(_ identifier: UInt32, port: UInt16 = 4789) -> PacketBuilder {
        var header: [UInt8] = [0x08, 0, 0, 0]
        header.append(bigEndian: identifier << 8)
        return encapsulated(in: header).udp(to: port)
    }

    /// Puts Geneve (RFC 8926 §3.4) and UDP headers before the octets.
    ///
    /// - Parameters:
    ///   - identifier: The virtual network identifier.
    ///   - options: Whole options, a multiple of four octets.
    /// - Returns: The packet with that header in front.
    public func geneve(_ identifier: UInt32, options: [UInt8] = []) -> PacketBuilder {
        var header: [UInt8] = [UInt8(options.count / 4), 0]
        header.append(bigEndian: etherType)
        header.append(bigEndian: identifier << 8)
        return encapsulated(in: header + options).udp(to: 6081)
    }
}

// MARK: - Fragments

extension PacketBuilder {
    /// Cuts the payload of an IPv4 packet into fragments, each with an IPv4 header of its own.
    ///
    /// - Parameters:
    ///   - size: Octets of payload in each but the last: a multiple of eight.
    ///   - identification: The identification field.
    /// - Returns: The fragments in order.
    public func ipv4Fragments(of size: Int, identification: UInt16) -> [PacketBuilder] {
        pieces(of: size).map { piece, offset, moreFollow in
            piece.ipv4(
                identification: identification,
                fragmentField: UInt16(offset / 8) | (moreFollow ? 0x2000 : 0)
            )
        }
    }

    /// Cuts the payload of an IPv6 packet into fragments, each with an IPv6 and a fragment header of its own.
    ///
    /// - Parameters:
    ///   - size: Octets of payload in each but the last: a multiple of eight.
    ///   - identification: The identification field.
    /// - Returns: The fragments in order.
    public func ipv6Fragments(of size: Int, identification: UInt32) -> [PacketBuilder] {
        pieces(of: size).map { piece, offset, moreFollow in
            piece.ipv6Fragment(identification: identification, offset: UInt16(offset), moreFollow: moreFollow).ipv6()
        }
    }

    private func pieces(of size: Int) -> [(piece: PacketBuilder, offset: Int, moreFollow: Bool)] {
        stride(from: 0, to: octets.count, by: size).map { offset in
            let end = min(offset + size, octets.count)
            var piece = self
            piece.octets = Array(octets[offset..<end])
            return (piece, offset, end < octets.count)
        }
    }
}
