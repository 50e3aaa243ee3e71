// Wingmirror · Apache-2.0
// Headers that capturing software puts before packets: the link type registry, and radiotap.org.

/// Radiotap, before IEEE 802.11 frames.
struct RadiotapHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the length, and of the fields the one that tells of padding.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.link, .truncated) }
        guard octets[0] == 0 else { throw DecodeFailure(.link, .malformed) }
        let length = Int(octets.littleEndian16(at: 2))
        guard length >= 8 else { throw DecodeFailure(.link, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.link, .truncated) }

        // The word of present fields goes on while its highest bit is set; the fields follow, each at its own alignment.
        var fields = 8
        while octets[fields - 1] & 0x80 != 0 {
            fields += 4
            guard fields <= length else { throw DecodeFailure(.link, .malformed) }
        }
        let present = octets[4]
        if present & 0x01 != 0 { fields = (fields + 7) / 8 * 8 + 8 }  // TSFT
        let hasFlags = present & 0x02 != 0 && fields < length
        let isPadded = hasFlags && octets[fields] & 0x20 != 0
        next = NextHeader(isPadded ? .wlanPadded : .wlan, at: length)
    }
}

/// The Prism and AVS headers, which share a link type, before IEEE 802.11 frames.
struct PrismHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the length, which Prism has in the byte order of the machine that captured.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.link, .truncated) }
        let isAVS = octets.bigEndian32(at: 0) & 0xFFFF_F000 == 0x8021_1000
        let word = octets.bigEndian32(at: 4)
        let length = isAVS || word <= 0xFFFF ? word : word.byteSwapped
        guard length >= 8, length <= 4096 else { throw DecodeFailure(.link, .malformed) }
        guard octets.count >= Int(length) else { throw DecodeFailure(.link, .truncated) }
        next = NextHeader(.wlan, at: Int(length))
    }
}

/// Per-packet information (PPI), which names the link type that follows.
struct PPIHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the fixed part, and steps over the fields.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 8 else { throw DecodeFailure(.link, .truncated) }
        let length = Int(octets.littleEndian16(at: 2))
        guard octets[0] == 0, length >= 8 else { throw DecodeFailure(.link, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.link, .truncated) }
        let linkType = LinkType(rawValue: Int32(bitPattern: octets.bigEndian32(at: 4).byteSwapped))
        next = NextHeader(HeaderKind(inner: linkType), at: length)
    }
}

/// The header of macOS (PKTAP), which names the link type that follows.
struct PacketTapHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the length and the link type, which are in the byte order of the machine that captured.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 12 else { throw DecodeFailure(.link, .truncated) }
        let isBigEndian = octets.bigEndian32(at: 0) <= 0xFFFF
        func number(at offset: Int) -> UInt32 {
            let word = octets.bigEndian32(at: offset)
            return isBigEndian ? word : word.byteSwapped
        }
        let length = Int(number(at: 0))
        guard length >= 12, length <= 4096 else { throw DecodeFailure(.link, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.link, .truncated) }
        guard number(at: 4) == 1 else {
            next = NextHeader(.ignored(.otherLogicalLink), at: length)
            return
        }
        let linkType = LinkType(dataLinkType: Int32(bitPattern: number(at: 8)))
        next = NextHeader(HeaderKind(inner: linkType), at: length)
    }
}

extension HeaderKind {
    /// What begins a packet of a link type that a header names.
    fileprivate init(inner linkType: LinkType) {
        let format = UndecodedFormat(.linkType, UInt32(bitPattern: linkType.rawValue))
        self = HeaderKind(linkType: linkType) ?? .unknown(format)
    }
}

/// Linux netfilter's NFLOG, a list of attributes of which one is the packet.
struct NFLOGHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the fixed part, and looks for the attribute that holds the packet.
    ///
    /// Attributes are in the byte order of the machine that captured, which libpcap turns into that of this one, and pcapng, which it
    /// does not read here, leaves. Their types are small numbers, so one look tells the order.
    init(decoding octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 4 else { throw DecodeFailure(.link, .truncated) }
        guard octets[1] == 0 else { throw DecodeFailure(.link, .unsupported) }
        let isBigEndian = octets.count >= 8 && octets[6] == 0 && octets[7] != 0
        var offset = 4
        while true {
            guard octets.count >= offset + 4 else { throw DecodeFailure(.link, .truncated) }
            let first = isBigEndian ? octets.bigEndian16(at: offset) : octets.littleEndian16(at: offset)
            let type = isBigEndian ? octets.bigEndian16(at: offset + 2) : octets.littleEndian16(at: offset + 2)
            let length = Int(first)
            guard length >= 4 else { throw DecodeFailure(.link, .malformed) }
            if type == Self.payloadAttribute { break }
            offset += (length + 3) / 4 * 4
        }
        next = NextHeader(HeaderKind(addressFamily: UInt32(octets[0])), at: offset + 4)
    }

    private static let payloadAttribute: UInt16 = 9
}

/// The headers of the BSD packet filter's log (pflog) and of its IPsec interface (enc).
struct PacketFilterHeader: Sendable, Hashable {
    /// What follows.
    let next: NextHeader

    /// Decodes the header of a packet that was logged, whose length leaves out its padding.
    init(decodingLog octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 2 else { throw DecodeFailure(.link, .truncated) }
        let length = (Int(octets[0]) + 3) / 4 * 4
        guard length >= 4 else { throw DecodeFailure(.link, .malformed) }
        guard octets.count >= length else { throw DecodeFailure(.link, .truncated) }
        next = NextHeader(HeaderKind(addressFamily: UInt32(octets[1])), at: length)
    }

    /// Decodes the header of a packet inside an IPsec tunnel.
    init(decodingTunnel octets: Span<UInt8>) throws(DecodeFailure) {
        guard octets.count >= 12 else { throw DecodeFailure(.link, .truncated) }
        let word = octets.bigEndian32(at: 0)
        next = NextHeader(HeaderKind(addressFamily: word > 0xFFFF ? word.byteSwapped : word), at: 12)
    }
}
