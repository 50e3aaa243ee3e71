// Wingmirror · Apache-2.0

internal import TrafficModel

/// Octets that are put together one after another, in memory that is kept when they are thrown away.
typealias OctetBuffer = PlainList<UInt8>

extension PlainList where Element == UInt8 {
    /// Adds the octets of a literal.
    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.octet(at: index)) }
    }
}
