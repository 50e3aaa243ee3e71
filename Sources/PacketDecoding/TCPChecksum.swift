// Wingmirror · Apache-2.0
// The TCP checksum: RFC 9293 §3.1; its arithmetic: RFC 1071.

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
    /// Compares the checksum of a segment with its octets.
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
        let start = payload.lowerBound - Int(headerLength)
        guard headerLength >= 20, truncatedOctets == 0, start >= 0, payload.upperBound <= octets.count else {
            return .absent
        }
        let segment = octets.extracting(start..<payload.upperBound)
        let pseudoHeader =
            source.address.checksumPart + destination.address.checksumPart + UInt64(6 + segment.count)
        if (pseudoHeader &+ UInt64(segment.sumOfWords)).foldedToWord == 0xFFFF, segment.bigEndian16(at: 16) != 0 {
            return .right
        }
        let field = segment.bigEndian16(at: 16)
        return field == 0 || field == pseudoHeader.foldedToWord ? .absent : .wrong
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
}
