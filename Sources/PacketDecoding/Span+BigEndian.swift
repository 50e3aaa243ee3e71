// Wingmirror · Apache-2.0

// Numbers in network byte order. After one `guard` for the size of a header the optimiser drops the bounds checks in
// here and joins the octets into one load.
extension Span<UInt8> {
    @inlinable
    @inline(__always)
    func bigEndian16(at index: Int) -> UInt16 {
        UInt16(self[index]) << 8 | UInt16(self[index + 1])
    }

    @inlinable
    @inline(__always)
    func bigEndian32(at index: Int) -> UInt32 {
        UInt32(bigEndian16(at: index)) << 16 | UInt32(bigEndian16(at: index + 2))
    }

    @inlinable
    @inline(__always)
    func bigEndian64(at index: Int) -> UInt64 {
        UInt64(bigEndian32(at: index)) << 32 | UInt64(bigEndian32(at: index + 4))
    }

    /// For the few headers that a machine writes in its own byte order, which today means this one.
    @inline(__always)
    func littleEndian16(at index: Int) -> UInt16 {
        bigEndian16(at: index).byteSwapped
    }
}
