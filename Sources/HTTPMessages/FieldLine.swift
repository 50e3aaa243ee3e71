// Wingmirror · Apache-2.0
// Field lines: RFC 9110 §5, RFC 9112 §5.

/// Where one field line lies within the octets of a head.
public struct FieldLine: Sendable, Hashable {
    private let nameStart: UInt32
    private let nameCount: UInt32
    private let valueStart: UInt32
    private let valueCount: UInt32

    /// - Parameters:
    ///   - name: The field name, as sent.
    ///   - value: The field value without the white space around it; a folded value includes its line ends.
    public init(name: Range<Int>, value: Range<Int>) {
        nameStart = UInt32(name.lowerBound)
        nameCount = UInt32(name.count)
        valueStart = UInt32(value.lowerBound)
        valueCount = UInt32(value.count)
    }

    /// The octets of the field name.
    public var name: Range<Int> {
        Int(nameStart)..<Int(nameStart) + Int(nameCount)
    }

    /// The octets of the field value.
    public var value: Range<Int> {
        Int(valueStart)..<Int(valueStart) + Int(valueCount)
    }
}
