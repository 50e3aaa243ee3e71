// Wingmirror · Apache-2.0

extension Span<UInt8> {
    /// The octets as numbers of 16 bits in network byte order, added up; the last octet alone is the higher half of one.
    var sumOfWords: UInt64 {
        // The sum of 16-bit words may be taken from longer words (RFC 1071 §2), and in the machine's byte order.
        var sum: UInt64 = 0
        var index = 0
        let whole = count - count % 32
        while index < whole {
            // Not checked: `index` is a multiple of 32 below `whole`, so 32 octets are there.
            for offset in 0..<4 {
                let place = index &+ offset &* 8
                let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self).bigEndian
                sum &+= (word & 0xFFFF_FFFF) &+ (word >> 32)
            }
            index &+= 32
        }
        while index <= count - 8 {
            let word = bigEndian64(at: index)
            sum &+= (word & 0xFFFF_FFFF) &+ (word >> 32)
            index += 8
        }
        var last: UInt64 = 0
        var shift: UInt64 = 56
        while index < count {
            last |= UInt64(self[index]) << shift
            shift &-= 8
            index += 1
        }
        return sum &+ (last & 0xFFFF_FFFF) &+ (last >> 32)
    }
}
