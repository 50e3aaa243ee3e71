// Wingmirror · Apache-2.0
// SplitMix64: G. Steele, D. Lea and C. Flood, 2014.

/// Random numbers that are the same for the same seed.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Hashable {
    private var state: UInt64

    /// Starts the sequence of a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number of the sequence.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mixed(state)
    }

    /// A number whose bits all depend on all bits of `value`; the same for the same value.
    public static func mixed(_ value: UInt64) -> UInt64 {
        // The arithmetic is that of 64-bit words without carry out, which the algorithm is defined on.
        var mixed = value
        mixed = (mixed ^ (mixed &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed &>> 31)
    }

    /// Where a number falls between 0 and 1, without 1.
    public static func fraction(_ value: UInt64) -> Double {
        Double(value >> 11) * 0x1p-53
    }
}
