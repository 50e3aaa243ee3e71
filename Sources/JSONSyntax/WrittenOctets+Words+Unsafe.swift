// Wingmirror · Apache-2.0

/// Text that is looked at and written a word at a time.
extension WrittenOctets {
    /// Adds a text in quotes, behind a comma if `hasComma`, unless an octet of it must be escaped; adds nothing then.
    ///
    /// Each word is looked at and written in one go. The last octets are a word that overlaps with the one before, or smaller
    /// words that overlap.
    ///
    /// - Returns: Whether it was added.
    mutating func append(plain text: Span<UInt8>, hasComma: Bool) -> Bool {
        let length = text.count
        let end = unsafe end(withRoomFor: length + 3)
        var start = 0
        unsafe end[0] = UInt8(ascii: ",")
        if hasComma { start = 1 }
        unsafe end[start] = UInt8(ascii: "\"")
        start &+= 1
        let output = unsafe UnsafeMutableRawPointer(end + start)
        // Invariant: there is room for the text, and each word lies within it, so within the room as well.
        let isPlain = unsafe text.withUnsafeBytes { source in
            unsafe source.baseAddress.map { unsafe Self.copyPlain($0, length, to: output) } ?? true
        }
        guard isPlain else { return false }
        unsafe end[start &+ length] = UInt8(ascii: "\"")
        count &+= start &+ length &+ 1
        return true
    }

    /// Copies octets as long as none of them must be escaped; returns whether all were copied.
    @inline(__always)
    private static func copyPlain(_ source: UnsafeRawPointer, _ length: Int, to output: UnsafeMutableRawPointer) -> Bool
    {
        var index = 0
        while index &+ 8 <= length {
            guard unsafe copyWord(source, at: index, to: output) else { return false }
            index &+= 8
        }
        guard index < length else { return true }
        if length >= 8 { return unsafe copyWord(source, at: length &- 8, to: output) }
        if length >= 4 {
            let first = unsafe source.loadUnaligned(as: UInt32.self)
            let last = unsafe source.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
            unsafe output.storeBytes(of: first, as: UInt32.self)
            unsafe output.storeBytes(of: last, toByteOffset: length &- 4, as: UInt32.self)
            return !JSONText.hasEscaped(UInt64(first) | UInt64(last) << 32)
        }
        // One to three octets: the first, the middle and the last, filled up with zeros in digits' place.
        let first = unsafe source.load(as: UInt8.self)
        let middle = unsafe source.load(fromByteOffset: length &>> 1, as: UInt8.self)
        let last = unsafe source.load(fromByteOffset: length &- 1, as: UInt8.self)
        unsafe output.storeBytes(of: first, as: UInt8.self)
        unsafe output.storeBytes(of: middle, toByteOffset: length &>> 1, as: UInt8.self)
        unsafe output.storeBytes(of: last, toByteOffset: length &- 1, as: UInt8.self)
        let word = UInt64(first) | UInt64(middle) << 8 | UInt64(last) << 16
        return !JSONText.hasEscaped(0x3030_3030_3000_0000 | word)
    }

    @inline(__always)
    private static func copyWord(_ source: UnsafeRawPointer, at index: Int, to output: UnsafeMutableRawPointer) -> Bool
    {
        let word = unsafe source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        unsafe output.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
        return !JSONText.hasEscaped(word)
    }
}
