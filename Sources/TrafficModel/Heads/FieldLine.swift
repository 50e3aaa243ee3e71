// Wingmirror · Apache-2.0
// Field lines: RFC 9110 §5, RFC 9112 §5.

/// Where one field line lies within the octets of a head.
public struct FieldLine: Sendable, Hashable, BitwiseCopyable {
    @usableFromInline let nameRange: OctetRange
    @usableFromInline let valueStart: UInt32
    /// The length of the value in 31 bits, and in the highest one whether the value is secret.
    @usableFromInline let valueLength: UInt32

    /// Makes a field line of its two parts.
    ///
    /// - Parameters:
    ///   - name: The field name, as sent.
    ///   - value: The field value without the white space around it; a folded value includes its line ends. It is shorter
    ///     than 2³¹ octets.
    ///   - isNeverIndexed: Whether the sender wants the value in no table of HPACK.
    @inlinable
    @inline(__always)
    public init(name: Range<Int>, value: Range<Int>, isNeverIndexed: Bool = false) {
        nameRange = OctetRange(name)
        valueStart = UInt32(value.lowerBound)
        // A range's end is not below its beginning.
        valueLength = UInt32(value.upperBound &- value.lowerBound) | (isNeverIndexed ? 1 << 31 : 0)
    }

    /// Makes a field line of bounds that are in order and lie below 2³¹: of the name, and of the value.
    @inlinable
    @inline(__always)
    package init(unchecked nameStart: Int, _ nameEnd: Int, _ valueStart: Int, _ valueEnd: Int) {
        nameRange = OctetRange(unchecked: nameStart, nameEnd)
        self.valueStart = UInt32(truncatingIfNeeded: valueStart)
        // Unchecked: what gives the ends has found the one behind the other.
        valueLength = UInt32(truncatingIfNeeded: valueEnd &- valueStart)
    }

    /// The octets of the field name.
    @inlinable
    @inline(__always)
    public var name: Range<Int> { nameRange.range }

    /// The octets of the field value.
    @inlinable
    @inline(__always)
    public var value: Range<Int> {
        let lowerBound = Int(valueStart)
        // Both parts come from 32 bits, so the sum does not overflow and is not below the first.
        return unsafe Range(uncheckedBounds: (lowerBound, lowerBound &+ Int(valueLength & 0x7FFF_FFFF)))
    }

    /// Whether the sender calls the value a secret, as HPACK lets it (RFC 7541 §7.1.3).
    public var isNeverIndexed: Bool { valueLength >> 31 == 1 }
}
