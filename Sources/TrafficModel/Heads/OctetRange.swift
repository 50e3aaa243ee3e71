// Wingmirror · Apache-2.0

/// A range of octets within a head, in half the room that `Range<Int>` takes; a head has fewer than 2³² octets.
public struct OctetRange: Sendable, Hashable {
    private let start: UInt32
    private let length: UInt32

    /// Makes a range of one that lies below 2³².
    public init(_ range: Range<Int>) {
        start = UInt32(range.lowerBound)
        length = UInt32(range.upperBound &- range.lowerBound)
    }

    /// The range in the form that collections take.
    public var range: Range<Int> {
        let lowerBound = Int(start)
        // Both parts come from 32 bits, so the sum does not overflow and is not below the first.
        return unsafe Range(uncheckedBounds: (lowerBound, lowerBound &+ Int(length)))
    }
}
