// Wingmirror · Apache-2.0

internal import COctetScanning

/// Searches that look at eight or sixteen octets at a time.
///
/// The loads are unaligned and unchecked: each is made only where eight octets remain before the end of the span.
extension Span where Element == UInt8 {
    /// Eight octets from `index`, the first in the lowest bits; `index + 8` must not exceed the count.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        assert(index >= 0 && index + 8 <= count)
        // The assertion states the invariant: the callers below loop while eight octets remain.
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
    }

    /// The octets in an array of their own.
    func copied() -> [UInt8] {
        // The buffer is read inside the call only.
        unsafe withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    /// Adds the octets to the end of `array`.
    func append(to array: inout [UInt8]) {
        // The buffer is read inside the call only.
        unsafe withUnsafeBufferPointer { unsafe array.append(contentsOf: $0) }
    }

    /// The index of the first octet at or after `start` that is a control character other than HTAB, or the count.
    ///
    /// These are the octets that end a line or must not stand in one: 0x00…0x1F without 0x09, and 0x7F
    /// (RFC 9110 §5.5).
    @inline(__always)
    func indexOfControl(from start: Int) -> Int {
        unsafe firstIndex(
            from: start,
            marked: { unsafe wingmirror_controls($0) },
            isFound: { $0 == 0x7F || $0 < 0x20 && $0 != 0x09 }
        )
    }

    /// The index of the first SP or HTAB at or after `start`, or the count.
    @inline(__always)
    func indexOfBlank(from start: Int) -> Int {
        unsafe firstIndex(
            from: start,
            marked: { unsafe wingmirror_equals($0, 0x20) | wingmirror_equals($0, 0x09) },
            isFound: { $0 == 0x20 || $0 == 0x09 }
        )
    }

    /// The index of the colon that ends the plain name at `start`: letters, digits, `-` and `_`, one at least.
    ///
    /// - Returns: `nil` when there is no such name, when it is longer than 31 octets, and when fewer than sixteen octets are
    ///   there to look at.
    @inline(__always)
    func plainNameEnd(from start: Int) -> Int? {
        guard count >= 16, start < count else { return nil }
        return unsafe withUnsafeBufferPointer { buffer -> Int? in
            // Invariant: there are sixteen octets, so that a block that ends with the last lies within.
            guard let base = buffer.baseAddress else { return nil }
            var index = start
            while index < count, index &- start < 32 {
                let place = Swift.min(index, count &- 16)
                let passed = UInt32(index &- place)
                let octets = unsafe base + place
                let colons = unsafe wingmirror_equals(octets, 0x3A) &>> passed
                let others = unsafe (wingmirror_names(octets) ^ 0xFFFF) &>> passed
                if colons == 0, others == 0, passed == 0 {
                    index &+= 16
                    continue
                }
                // The lowest mark of both is the colon's, or the octet there has no place in a plain name.
                guard colons != 0, others.trailingZeroBitCount == colons.trailingZeroBitCount else { return nil }
                let end = index &+ colons.trailingZeroBitCount
                return end > start ? end : nil
            }
            return nil
        }
    }

    /// The index of the first octet at or after `start` that is looked for, or the count.
    ///
    /// - Parameters:
    ///   - start: Where to begin.
    ///   - marked: One bit for each of the sixteen octets at a place, the lowest for the first, set where it is looked for.
    ///   - isFound: Whether an octet is looked for, for octets that are fewer than sixteen.
    /// - Returns: Its index.
    @inline(__always)
    private func firstIndex(
        from start: Int,
        marked: (UnsafePointer<UInt8>) -> UInt32,
        isFound: (UInt8) -> Bool
    ) -> Int {
        var index = start
        guard count >= 16 else {
            while index < count {
                if isFound(self[index]) { return index }
                index &+= 1
            }
            return count
        }
        return unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return count }
            while index < count {
                // Invariant: there are sixteen octets; of the last block, those before the index are shifted out.
                let place = Swift.min(index, count &- 16)
                let found = unsafe marked(base + place) &>> UInt32(index &- place)
                if found != 0 { return index &+ found.trailingZeroBitCount }
                index &+= 16
            }
            return count
        }
    }

    /// The index of the first `octet` in `start..<end`, or `end`.
    @inline(__always)
    func firstIndex(of octet: UInt8, from start: Int, to end: Int) -> Int {
        let pattern = UInt64(octet) &* 0x0101_0101_0101_0101
        var index = start
        // Octets behind `end` may be looked at, but what is found there does not count.
        while index < end, index + 8 <= count {
            let difference = word(at: index) ^ pattern
            let found = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if found != 0 { return Swift.min(end, index &+ (found.trailingZeroBitCount &>> 3)) }
            index &+= 8
        }
        while index < end {
            if self[index] == octet { return index }
            index &+= 1
        }
        return end
    }

    /// Whether all octets of `range` may stand in a token (RFC 9110 §5.6.2); true for an empty range.
    @inline(__always)
    func isToken(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let end = range.upperBound
        while index < end, index + 8 <= count {
            var word = word(at: index)
            if end &- index < 8 {
                // Octets behind the range become letters.
                let inside = (UInt64(1) &<< UInt64((end &- index) &* 8)) &- 1
                word = word & inside | 0x6161_6161_6161_6161 & ~inside
            }
            if !isPlainNameWord(word) {
                for position in index..<Swift.min(end, index + 8) where !self[position].isTokenOctet { return false }
            }
            index &+= 8
        }
        while index < end {
            if !self[index].isTokenOctet { return false }
            index &+= 1
        }
        return true
    }

    /// `count` octets of a token from `start` on, but eight at most, with letters in lower case; the first in the lowest
    /// bits.
    ///
    /// Equal words mean equal names: setting the bit that tells the cases apart makes no two octets of a token alike but
    /// letters, `^` and `~`.
    @inline(__always)
    func foldedName(_ start: Int, count length: Int) -> UInt64 {
        let length = Swift.min(length, 8)
        // Shifts out the octets behind the name.
        let outside = UInt64((8 &- length) &* 8)
        return ((loadedWord(at: start, count: length) | 0x2020_2020_2020_2020) &<< outside) &>> outside
    }

    /// At most eight octets from `start` on, and whatever follows them, the first in the lowest bits.
    @inline(__always)
    func loadedWord(at start: Int, count length: Int) -> UInt64 {
        if start + 8 <= count { return word(at: start) }
        var word: UInt64 = 0
        for offset in 0..<length { word |= UInt64(self[start + offset]) &<< UInt64(offset &* 8) }
        return word
    }
}

/// Whether eight octets are all letters or hyphens, the usual stuff of field names.
///
/// Letters are folded to lower case first; each comparison leaves its answer in the top bit of its octet, which no
/// octet under 0x80 disturbs.
@inline(__always)
private func isPlainNameWord(_ word: UInt64) -> Bool {
    let tops: UInt64 = 0x8080_8080_8080_8080
    if word & tops != 0 { return false }
    let folded = word | 0x2020_2020_2020_2020
    let atLeastA = folded &+ 0x1F1F_1F1F_1F1F_1F1F
    let beyondZ = folded &+ 0x0505_0505_0505_0505
    let letters = atLeastA & ~beyondZ & tops
    let hyphens = ~((word ^ 0x2D2D_2D2D_2D2D_2D2D) &+ 0x7F7F_7F7F_7F7F_7F7F) & tops
    return letters | hyphens == tops
}

extension UInt8 {
    /// Whether the octet may stand in a token (RFC 9110 §5.6.2).
    @inline(__always)
    var isTokenOctet: Bool {
        // One bit for each octet under 0x80 that is a tchar.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        guard self < 0x80 else { return false }
        return (self < 0x40 ? low : high) &>> UInt64(self & 0x3F) & 1 == 1
    }

    /// Whether the octet is a decimal digit.
    @inline(__always)
    var isDigit: Bool {
        self &- 0x30 < 10
    }
}
