// Wingmirror · Apache-2.0

extension OutputSpan<UInt8> {
    /// Adds octets, all at once.
    ///
    /// Records are for the most part runs of octets that are known already: one copy of a run takes a tenth of the
    /// instructions that adding its octets one by one does. `text` must not be longer than the free capacity.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func append(copying text: Span<UInt8>) {
        precondition(text.count <= freeCapacity, "the run must fit")
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            let start = count
            let length = text.count
            unsafe text.withUnsafeBufferPointer { source in
                // The run was found to fit behind what is initialized, and other storage cannot overlap with this.
                guard let from = source.baseAddress, let base = buffer.baseAddress else { return }
                unsafe (base + start).initialize(from: from, count: length)
            }
            count = start + length
        }
    }
}

extension Span<UInt8> {
    /// Eight octets as one number, the first of them the lowest; `index` must be at most `count - 8`.
    @inlinable
    public func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count - 8, "a word must lie within the octets")
        // The eight octets lie within the span, and any octets are a number.
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }
}
