// Wingmirror · Apache-2.0

extension OctetText {
    /// Whether part of `octets` is `word`, which is in lower case, whatever case the part has.
    ///
    /// Asked of most field names of each request that a policy looks at, so the word is compared where it lies: going through
    /// a `String` octet by octet takes several times as long.
    static func matches(_ octets: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        var expected = unsafe word.utf8Start
        for index in range {
            // The range has as many octets as the word, so this stays within the word.
            guard unsafe lowered(octets[index]) == expected.pointee else { return false }
            unsafe expected += 1
        }
        return true
    }
}
