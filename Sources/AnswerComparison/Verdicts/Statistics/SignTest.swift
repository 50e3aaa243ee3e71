// Wingmirror · Apache-2.0
// McNemar's mid-p test: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 2013, 13:91.

/// The test of paired shares for a sample that is looked at once.
enum SignTest {
    /// The one-sided mid-p that worse pairs are no more frequent than better ones: P(X > b) + ½ P(X = b), X ~ Bin(b + c, ½).
    static func midP(worse: UInt64, better: UInt64) -> Double {
        guard worse > 0 || better > 0 else { return 1 }
        let b = Double(worse)
        let c = Double(better)
        let logTie = (b + c + 1).logGamma - (b + 1).logGamma - (c + 1).logGamma - (b + c) * Double.logarithmOfTwo
        // P(X > b) is I at ½ of (b + 1, c), and 0 when every pair is worse.
        let above = better > 0 ? IncompleteBeta.half(b + 1, c) : 0
        return min(1, above + logTie.exponential / 2)
    }
}
