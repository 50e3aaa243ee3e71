// Wingmirror · Apache-2.0
// The incomplete beta function, NIST Digital Library of Mathematical Functions §8.17.

/// The regularised incomplete beta function at ½, where all signs of fair coins meet.
enum IncompleteBeta {
    /// The natural logarithm of the beta function.
    static func logBeta(_ a: Double, _ b: Double) -> Double {
        a.logGamma + b.logGamma - (a + b).logGamma
    }

    /// I at ½: the chance that a Beta(a, b) variable is below ½.
    static func half(_ a: Double, _ b: Double) -> Double {
        guard a >= b else { return 1 - half(b, a) }
        let logFront = -(a + b) * Double.logarithmOfTwo - logBeta(a, b) - a.logarithm
        return (logFront + fraction(a, b).logarithm).exponential
    }

    /// The continued fraction of I at ½ for a ≥ b, by Lentz's method (§8.17.22).
    ///
    /// Takes some tens of steps, and in the order of √a of them when both numbers are large and near each other.
    static func fraction(_ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        let x = 0.5
        var numerator = 1.0
        var denominator = 1 - (a + b) * x / (a + 1)
        denominator = 1 / (denominator.magnitude < tiny ? tiny : denominator)
        var result = denominator
        for step in 1...200_000 {
            let m = Double(step)
            for coefficient in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                denominator = 1 + coefficient * denominator
                denominator = 1 / (denominator.magnitude < tiny ? tiny : denominator)
                numerator = 1 + coefficient / numerator
                if numerator.magnitude < tiny { numerator = tiny }
                result *= denominator * numerator
            }
            if (denominator * numerator - 1).magnitude < 1e-15 { break }
        }
        return result
    }
}
