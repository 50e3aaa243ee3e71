// Wingmirror · Apache-2.0
// Field lines: RFC 9110 §5, RFC 9112 §5.

/// Where one field line lies within the octets of a head.
public struct FieldLine: Sendable, Hashable {
    @usableFromInline let nameRange: OctetRange
    @usableFromInline let valueRange: OctetRange

    /// Makes a field line of its two parts.
    ///
    /// - Parameters:
    ///   - name: The field name, as sent.
    ///   - value: The field value without the white space around it; a folded value includes its line ends.
    @inlinable
    @inline(__always)
    public init(name: Range<Int>, value: Range<Int>) {
        nameRange = OctetRange(name)
        valueRange = OctetRange(value)
    }

    /// The octets of the field name.
    @inlinable
    @inline(__always)
    public var name: Range<Int> { nameRange.range }

    /// The octets of the field value.
    @inlinable
    @inline(__always)
    public var value: Range<Int> { valueRange.range }
}
