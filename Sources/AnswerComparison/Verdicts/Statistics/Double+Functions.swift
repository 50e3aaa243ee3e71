// Wingmirror · Apache-2.0

/// The functions of statistics that the standard library lacks.
///
/// Written out rather than taken from a C library, so that verdicts are the same to the last digit on every machine and
/// this target needs nothing but Swift. All are right to about 15 digits.
extension Double {
    /// The natural logarithm of 2.
    static let logarithmOfTwo = 0.693_147_180_559_945_309
    /// The natural logarithm of π.
    static let logarithmOfPi = 1.144_729_885_849_400_174

    /// The natural logarithm of a number that is not negative; −∞ of 0.
    var logarithm: Double {
        guard self > 0 else { return self == 0 ? -.infinity : .nan }
        guard isFinite else { return .infinity }
        var power = Double(exponent)
        var mantissa = significand
        if mantissa > 1.414_213_562_373_095 {
            mantissa /= 2
            power += 1
        }
        // ln m = 2 artanh((m − 1) ÷ (m + 1)), whose series converges fast between √½ and √2.
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var sum = 0.0
        for divisor in stride(from: 23.0, through: 3, by: -2) { sum = (sum + 1 / divisor) * square }
        return power * Double.logarithmOfTwo + 2 * ratio * (1 + sum)
    }

    /// e to the power of the number.
    var exponential: Double {
        guard self > -745.2 else { return isNaN ? .nan : 0 }
        guard self < 709.8 else { return .infinity }
        let power = (self / Double.logarithmOfTwo).rounded()
        // The logarithm of 2 in two parts, the first short enough that its product is exact.
        let rest = (self - power * 0x1.62e42fee00000p-1) - power * 0x1.a39ef35793c76p-33
        var sum = 1.0
        for divisor in stride(from: 14.0, through: 1, by: -1) { sum = 1 + sum * rest / divisor }
        let half = (power / 2).rounded(.towardZero)
        return Double(sign: .plus, exponent: Int(half), significand: sum)
            * Double(sign: .plus, exponent: Int(power - half), significand: 1)
    }

    /// The natural logarithm of the gamma function of a positive number, by Stirling's series.
    var logGamma: Double {
        var argument = self
        var product = 1.0
        while argument < 16 {
            product *= argument
            argument += 1
        }
        let inverse = 1 / argument
        let square = inverse * inverse
        let series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680))))
        let halfLogarithmOfTwoPi = (Double.logarithmOfTwo + Double.logarithmOfPi) / 2
        return (argument - 0.5) * argument.logarithm - argument + halfLogarithmOfTwoPi + series - product.logarithm
    }
}
