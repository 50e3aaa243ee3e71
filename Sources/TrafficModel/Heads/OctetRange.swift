// Wingmirror · Apache-2.0

/// A range of octets within a head, in half the room that `Range<Int>` takes; a head has fewer than 2³² octets.
public struct OctetRange: Sendable, Hashable, BitwiseCopyable {
    @usableFromInline let start: UInt32
    @usableFromInline let length: UInt32

    /// Makes a range of one that lies below 2³².
    @inlinable
    @inline(__always)
    public init(_ range: Range<Int>) {
        start = UInt32(range.lowerBound)
        // A range's end is not below its beginning.
        length = UInt32(range.upperBound &- range.lowerBound)
    }

    /// Makes a range of bounds that are in order and lie below 2³².
    @inlinable
    @inline(__always)
    package init(unchecked lowerBound: Int, _ upperBound: Int) {
        start = UInt32(truncatingIfNeeded: lowerBound)
        // Unchecked: what gives the ends has found the one behind the other.
        length = UInt32(truncatingIfNeeded: upperBound &- lowerBound)
    }

    /// The range in the form that collections take.
    @inlinable
    @inline(__always)
    public var range: Range<Int> {
        let lowerBound = Int(start)
        // Both parts come from 32 bits, so the sum does not overflow and is not below the first.
        return unsafe Range(uncheckedBounds: (lowerBound, lowerBound &+ Int(length)))
    }
}
