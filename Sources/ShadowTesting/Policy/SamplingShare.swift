// Wingmirror · Apache-2.0

/// A share of all hashes: those below a threshold.
///
/// Whoever knows a hash and a share decides alike, and what a smaller share takes every larger share takes too.
struct SamplingShare: Sendable, Hashable {
    /// Hashes below this are in the share.
    private let threshold: UInt64
    /// Whether every hash is; no threshold of 64 bits is above the largest hash.
    private let isWhole: Bool

    /// Makes a share of a percentage, 0 to 100, with fractions; what lies outside counts as the nearer end.
    init(percent: Double) {
        isWhole = percent >= 100
        // Below 100 the product is below 2⁶⁴, since the next smaller double is 2⁻⁴⁶ away.
        threshold = percent > 0 && percent < 100 ? UInt64(percent / 100 * 0x1p64) : 0
    }

    /// Whether a hash is in the share.
    func includes(_ hash: UInt64) -> Bool {
        isWhole || hash < threshold
    }
}
