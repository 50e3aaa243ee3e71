// Wingmirror · Apache-2.0

extension Span<UInt8> {
    /// Whether a part of these octets is `word`, which is in lower case, whatever case the part has.
    ///
    /// Asked of most field names of each request that a policy looks at, so the word is compared where it lies: going through
    /// a `String` octet by octet takes several times as long.
    @inlinable
    public func matches(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        var expected = unsafe word.utf8Start
        for index in range {
            // The range has as many octets as the word, so this stays within the word.
            guard unsafe ASCII.lowered(self[index]) == expected.pointee else { return false }
            unsafe expected += 1
        }
        return true
    }
}
