// Wingmirror · Apache-2.0
// The TCP checksum: RFC 9293 §3.1; that of the IPv4 header: RFC 791 §3.1; their arithmetic: RFC 1071.

/// What the checksum of a captured segment says of it.
public enum TCPChecksum: Sendable, Hashable {
    /// The octets are those that were summed up.
    case right
    /// They are not: every receiver drops the segment.
    case wrong
    /// It says nothing: the segment was not captured whole, or the sum was still to be made when it was.
    case absent
}

extension TCPSegment {
    /// Compares the checksum of a segment with its octets, and that of the IPv4 header right in front of it.
    ///
    /// With checksum offload a host's own segments pass the capture before the network card sums them up. Linux leaves the
    /// sum of the pseudo-header in the field for the card to go on from, and the same in segments that it has joined on
    /// receipt; others leave 0. Neither says anything. What else an offloading sender leaves is a wrong checksum, which only
    /// other segments of that sender can explain.
    ///
    /// Takes about a third of an instruction for each octet.
    /// - Parameter octets: The frame or datagram that `payload` is a range of.
    /// - Returns: Whether the checksum fits them.
    public func checksum(in octets: Span<UInt8>) -> TCPChecksum {
        if hasRightChecksum(in: octets) { return .right }
        guard isWhole(in: octets) else { return .absent }
        let pseudoHeader =
            source.address.checksumPart + destination.address.checksumPart
            + UInt64(6 + Int(headerLength) + payload.count)
        let field = octets.bigEndian16(at: payload.lowerBound - Int(headerLength) + 16)
        return field == 0 || field == pseudoHeader.foldedToWord ? .absent : .wrong
    }

    /// Whether the checksum of a segment fits its octets, and nothing speaks against its IPv4 header: what `checksum(in:)` calls
    /// `.right`.
    ///
    /// Inlinable, because nearly every segment that brings octets is asked.
    /// - Parameter octets: The frame or datagram that `payload` is a range of.
    /// - Returns: `false` also where the checksum says nothing.
    @inlinable
    @inline(__always)
    public func hasRightChecksum(in octets: Span<UInt8>) -> Bool {
        guard isWhole(in: octets) else { return false }
        // The payload begins behind the header.
        let segment = octets.extracting(payload.lowerBound &- Int(headerLength)..<payload.upperBound)
        // All that goes into the sum makes a multiple of 65,535 where the checksum is right, and never 0. In that arithmetic the
        // prefix of an IPv4-mapped address is nothing, and a factor of 256 changes the byte order of words (RFC 1071 §2).
        let isSwapped = UInt16(1).littleEndian == 1
        let sum = isSwapped ? segment.sumOfNativeWords &<< 8 : segment.sumOfNativeWords
        let addresses = source.address.sumOfHalves &+ destination.address.sumOfHalves
        let total = sum &+ addresses &+ UInt64(truncatingIfNeeded: 6 &+ segment.count)
        return total % 0xFFFF == 0 && segment.bigEndian16(at: 16) != 0 && hasIntactIPv4Header(in: octets)
    }

    /// Whether nothing speaks against the IPv4 header in front of a segment; `true` also of one that has options, and where none
    /// is there.
    @inlinable
    @inline(__always)
    func hasIntactIPv4Header(in octets: Span<UInt8>) -> Bool {
        let start = payload.lowerBound &- Int(headerLength) &- 20
        guard start >= 0, octets[start] == 0x45 else { return true }
        let header = octets.extracting(start..<start &+ 20)
        return header.sumOfNativeWords % 0xFFFF == 0 || !isOwn(header)
    }

    /// Whether 20 octets are the IPv4 header of a segment, with a checksum in it: network cards fill in that too.
    @usableFromInline
    @inline(never)
    func isOwn(_ header: Span<UInt8>) -> Bool {
        header[9] == 6 && header.bigEndian16(at: 10) != 0
            && source.address == IPAddress(ipv4: header.bigEndian32(at: 12))
            && destination.address == IPAddress(ipv4: header.bigEndian32(at: 16))
    }

    /// Whether a segment was captured with its header and all that it brings.
    @inlinable
    @inline(__always)
    func isWhole(in octets: Span<UInt8>) -> Bool {
        headerLength >= 20 && truncatedOctets == 0 && payload.lowerBound >= Int(headerLength)
            && payload.upperBound <= octets.count
    }
}

extension IPAddress {
    /// What the address adds to a pseudo-header's sum, which IPv4 and IPv6 make alike: the prefix of an IPv4-mapped address
    /// adds 0xFFFF, which is nothing in ones' complement, and is left out so that an unfinished sum is recognized.
    fileprivate var checksumPart: UInt64 {
        let high = isIPv4 ? 0 : self.high
        let low = isIPv4 ? self.low & 0xFFFF_FFFF : self.low
        return (high & 0xFFFF_FFFF) + (high >> 32) + (low & 0xFFFF_FFFF) + (low >> 32)
    }

    /// The sum of its halves of 32 bits, which differs from `checksumPart` by a multiple of 65,535.
    @inlinable
    @inline(__always)
    var sumOfHalves: UInt64 {
        // Four numbers of 32 bits are far from overflow in 64.
        (high & 0xFFFF_FFFF) &+ (high &>> 32) &+ (low & 0xFFFF_FFFF) &+ (low &>> 32)
    }
}
