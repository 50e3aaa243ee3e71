// Wingmirror · Apache-2.0

extension Span<UInt8> {
    /// The sum of the octets as numbers of 16 bits in network byte order, its carries added in; the last octet of an odd
    /// number of them is the higher half of one.
    ///
    /// Longer words may be summed up instead, in another byte order (RFC 1071 §2): here those of 32 bits, eight at a time.
    var sumOfWords: UInt16 {
        let halves = SIMD4<UInt64>(repeating: 0xFFFF_FFFF)
        var sums = SIMD4<UInt64>.zero
        var index = 0
        while index <= count - 32 {
            // Not checked: 32 octets are there.
            let words = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD4<UInt64>.self)
            sums &+= (words & halves) &+ (words &>> 32)
            index &+= 32
        }
        var sum = sums.wrappedSum()
        while index <= count - 8 {
            // Not checked: 8 octets are there.
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            sum &+= (word & 0xFFFF_FFFF) &+ (word >> 32)
            index &+= 8
        }
        if index < count {
            var last: UInt64 = 0
            var place = count
            while place > index {
                place &-= 1
                last = last << 8 | UInt64(self[place])
            }
            last = last.littleEndian
            sum &+= (last & 0xFFFF_FFFF) &+ (last >> 32)
        }
        return sum.foldedToWord.bigEndian
    }
}

extension UInt64 {
    /// A sum of words of 16 bits with its carries added in.
    var foldedToWord: UInt16 {
        var sum = (self & 0xFFFF_FFFF) &+ (self >> 32)
        sum = (sum & 0xFFFF) &+ (sum >> 16 & 0xFFFF) &+ (sum >> 32)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        return UInt16(truncatingIfNeeded: sum)
    }
}
