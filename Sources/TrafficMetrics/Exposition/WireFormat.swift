// Wingmirror · Apache-2.0
// Protocol Buffers encoding: varints, fixed 64-bit numbers and length-delimited fields.

/// What an encoder of protocol buffers appends; fields are those of proto2, whose presence counts, so zeros are written.
extension [UInt8] {
    /// Appends a number in base 128, the lowest digits first.
    @inline(__always)
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a field of type `uint64`, `uint32`, `int64` or an enumeration.
    @inline(__always)
    mutating func appendField(_ number: UInt8, varint value: UInt64) {
        appendTag(number, wireType: 0)
        appendVarint(value)
    }

    /// Appends a field of type `sint32` or `sint64`.
    @inline(__always)
    mutating func appendField(_ number: UInt8, zigzag value: Int64) {
        appendField(number, varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Appends a field of type `double`.
    @inline(__always)
    mutating func appendField(_ number: UInt8, double value: Double) {
        appendTag(number, wireType: 1)
        var bits = value.bitPattern
        for _ in 0..<8 {
            append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
        }
    }

    /// Appends a field of type `string` or `bytes`, or a message that is written already.
    @inline(__always)
    mutating func appendField(_ number: UInt8, octets: some Collection<UInt8>) {
        appendTag(number, wireType: 2)
        appendVarint(UInt64(octets.count))
        append(contentsOf: octets)
    }

    /// Numbers up to 15 fit into one octet with the type, 16 takes two.
    @inline(__always)
    private mutating func appendTag(_ number: UInt8, wireType: UInt64) {
        appendVarint(UInt64(number) << 3 | wireType)
    }
}
