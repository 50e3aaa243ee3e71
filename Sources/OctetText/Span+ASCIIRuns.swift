// Wingmirror · Apache-2.0

extension Span<UInt8> {
    /// Whether all octets are ASCII, looked at eight at a time.
    @inlinable
    public var isASCII: Bool {
        var index = 0
        while index <= count - 8 {
            guard word(at: index) & 0x8080_8080_8080_8080 == 0 else { return false }
            index += 8
        }
        // The last octets are a word again, with some before them.
        if index < count, count >= 8 { return word(at: count - 8) & 0x8080_8080_8080_8080 == 0 }
        while index < count {
            guard self[index] < 0x80 else { return false }
            index += 1
        }
        return true
    }
}
