// Wingmirror · Apache-2.0

/// How often octets that are collected are parsed again from their beginning, because more of them came.
///
/// Segments of one octet would make that the square of what is collected. The first few times it is done with each segment,
/// which is what real conversations come to; then each time an eighth has been added.
package struct LookLimit: BitwiseCopyable, Sendable {
    private var looks: UInt8 = 0
    /// The size at the latest look, in steps of an eighth.
    private var step: UInt8 = 0

    private static var freeLooks: UInt8 { 16 }

    package init() {}

    /// Whether they may be parsed now that there are `count`.
    package mutating func mayLook(at count: Int) -> Bool {
        let before = step
        step = Self.step(count)
        guard looks >= Self.freeLooks else {
            looks += 1
            return true
        }
        return step != before
    }

    /// The exponent of a count, and the three bits behind its first.
    private static func step(_ count: Int) -> UInt8 {
        let exponent = max(Int.bitWidth - 1 - count.leadingZeroBitCount, 3)
        return UInt8(truncatingIfNeeded: exponent << 3 | (count >> (exponent - 3)) & 7)
    }
}
