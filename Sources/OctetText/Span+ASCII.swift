// Wingmirror · Apache-2.0

/// Questions about octets that are text, asked where they lie and without making a string.
extension Span<UInt8> {
    /// Whether a part of these octets equals a part of `other`, whose letters are in lower case if case is to be ignored.
    @inlinable
    public func equals(
        _ range: Range<Int>,
        _ other: Span<UInt8>,
        _ otherRange: Range<Int>,
        ignoringCase: Bool
    ) -> Bool {
        guard range.count == otherRange.count else { return false }
        for offset in 0..<range.count {
            let octet = self[range.lowerBound + offset]
            guard (ignoringCase ? ASCII.lowered(octet) : octet) == other[otherRange.lowerBound + offset] else {
                return false
            }
        }
        return true
    }

    /// A range without white space at its ends.
    @inlinable
    public func trimmed(_ range: Range<Int>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, ASCII.isWhiteSpace(self[low]) { low += 1 }
        while high > low, ASCII.isWhiteSpace(self[high - 1]) { high -= 1 }
        return low..<high
    }

    /// The first place of an octet in a range; the end of the range where there is none.
    @inlinable
    public func find(_ octet: UInt8, in range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, self[index] != octet { index += 1 }
        return index
    }
}
