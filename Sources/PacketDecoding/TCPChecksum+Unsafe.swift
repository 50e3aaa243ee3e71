// Wingmirror · Apache-2.0

extension Span<UInt8> {
    /// The sum of the octets as numbers of 16 bits in network byte order, its carries added in; the last octet of an odd
    /// number of them is the higher half of one.
    var sumOfWords: UInt16 {
        sumOfNativeWords.foldedToWord.bigEndian
    }

    /// The sum of the octets as numbers of 16 bits in the byte order of the machine, or another that leaves the same when it is
    /// divided by 65,535; under 2^48 for as many octets as a frame can have.
    ///
    /// Longer words may be summed up instead (RFC 1071 §2), here those of 32 bits: four at a time, and sixteen where there are
    /// many. Words of 64 bits are added without their carries, and their upper halves by themselves: the sum of all lower
    /// halves, which is under 2^64, is the difference.
    @inlinable
    @inline(__always)
    var sumOfNativeWords: UInt64 {
        var sums = SIMD2<UInt64>.zero
        var uppers = SIMD2<UInt64>.zero
        var index = 0
        if count >= 256 {
            var wideSums = SIMD8<UInt64>.zero
            var wideUppers = SIMD8<UInt64>.zero
            repeat {
                // Not checked: 64 octets are there.
                let words = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD8<UInt64>.self)
                wideSums &+= words
                wideUppers &+= words &>> 32
                index &+= 64
            } while index <= count &- 64
            let (halfSums, halfUppers) = (
                wideSums.lowHalf &+ wideSums.highHalf, wideUppers.lowHalf &+ wideUppers.highHalf
            )
            sums = halfSums.lowHalf &+ halfSums.highHalf
            uppers = halfUppers.lowHalf &+ halfUppers.highHalf
        }
        while index <= count &- 16 {
            // Not checked: 16 octets are there.
            let words = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD2<UInt64>.self)
            sums &+= words
            uppers &+= words &>> 32
            index &+= 16
        }
        var sum = sums[0] &+ sums[1]
        var upper = uppers[0] &+ uppers[1]
        if index <= count &- 8 {
            // Not checked: 8 octets are there.
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            sum &+= word
            upper &+= word &>> 32
            index &+= 8
        }
        if index < count {
            let last = lastWord(from: index)
            sum &+= last
            upper &+= last &>> 32
        }
        return sum &- (upper &<< 32) &+ upper
    }

    /// The fewer than eight octets from `index` on to the end, with zeros behind them.
    @inlinable
    @inline(__always)
    func lastWord(from index: Int) -> UInt64 {
        if count >= 8 {
            // Not checked: 8 octets are there. Those in front of `index` are shifted out.
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self)
            return (word.littleEndian &>> UInt64(truncatingIfNeeded: (8 &- (count &- index)) &* 8)).littleEndian
        }
        var last: UInt64 = 0
        var place = count
        while place > index {
            place &-= 1
            last = last << 8 | UInt64(self[place])
        }
        return last.littleEndian
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
