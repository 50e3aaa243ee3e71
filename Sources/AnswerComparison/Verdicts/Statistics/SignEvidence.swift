// Wingmirror · Apache-2.0
// E-processes: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024.

/// Evidence, valid at any time, that discordant pairs fall one way more often than the other.
///
/// If candidate and reference behave alike, a pair in which just one of them differs is as likely to be worse as better.
/// Each such pair multiplies the evidence by 2θ when it is worse and by 2(1 − θ) when it is better, for a share θ of worse
/// pairs; the evidence is the mean of that product over a Beta(½, ½) distribution of θ, cut to above ½. Under "alike" the
/// mean never grows on average, so it reaches 1 ÷ α with a chance of α at most, however often somebody looks.
enum SignEvidence {
    /// The natural logarithm of the evidence after so many pairs each way.
    ///
    /// The integral is 2ⁿ⁺¹ ÷ π · B(b + ½, c + ½) · P(θ > ½), n = b + c, which the incomplete beta function gives; its factor
    /// 2⁻ⁿ⁻¹ is taken out before anything is computed, so ten million pairs are as safe as ten.
    static func logarithm(worse: UInt64, better: UInt64) -> Double {
        guard worse > 0 || better > 0 else { return 0 }
        let b = Double(worse) + 0.5
        let c = Double(better) + 0.5
        guard worse > better else {
            return IncompleteBeta.fraction(c, b).logarithm - Double.logarithmOfPi - c.logarithm
        }
        let whole = (b + c) * Double.logarithmOfTwo - Double.logarithmOfPi + IncompleteBeta.logBeta(b, c)
        let below = IncompleteBeta.fraction(b, c).logarithm - Double.logarithmOfPi - b.logarithm
        return whole + (1 - (below - whole).exponential).logarithm
    }
}
