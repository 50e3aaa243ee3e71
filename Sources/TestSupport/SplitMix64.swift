// Wingmirror · Apache-2.0

/// A small random number generator that gives the same numbers for the same seed everywhere.
///
/// For tests that change fixtures at random and must be able to repeat what failed.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins a sequence.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        // All arithmetic is modulo 2⁶⁴, as the generator is defined.
        state &+= 0x9E37_79B9_7F4A_7C15
        var result = state
        result = (result ^ (result >> 30)) &* 0xBF58_476D_1CE4_E5B9
        result = (result ^ (result >> 27)) &* 0x94D0_49BB_1331_11EB
        return result ^ (result >> 31)
    }
}
