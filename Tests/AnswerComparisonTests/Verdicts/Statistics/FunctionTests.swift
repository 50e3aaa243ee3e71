// Wingmirror · Apache-2.0
// Expected values by mpmath with 40 digits.

import Testing

@testable import AnswerComparison

@Suite struct FunctionTests {
    @Test(arguments: [
        (1.0, 0.0), (2.0, 0.693_147_180_559_945_3), (10.0, 2.302_585_092_994_046), (1e-300, -690.775_527_898_213_7),
        (0.999_999_9, -1.000_000_050_000_003_3e-7),
    ])
    func `the logarithm is right`(argument: Double, expected: Double) {
        #expect((argument.logarithm - expected).magnitude <= 1e-15 * max(1, expected.magnitude))
    }

    @Test(arguments: [
        (0.0, 1.0), (1.0, 2.718_281_828_459_045), (-1.0, 0.367_879_441_171_442_33),
        (700.0, 1.014_232_054_735_004_5e304),
        (-700.0, 9.859_676_543_759_77e-305),
    ])
    func `the exponential is right`(argument: Double, expected: Double) {
        #expect((argument.exponential - expected).magnitude <= 4e-15 * expected)
    }

    @Test func `logarithm and exponential end where numbers do`() {
        #expect(0.0.logarithm == -.infinity && (-1.0).logarithm.isNaN && Double.infinity.logarithm == .infinity)
        #expect((-800.0).exponential == 0 && 800.0.exponential == .infinity && Double.nan.exponential.isNaN)
    }

    @Test(arguments: [
        (0.5, 0.572_364_942_924_700_09), (1.0, 0.0), (3.7, 1.428_072_326_665_388), (15.5, 26.536_914_491_115_614),
        (100.5, 361.435_540_467_777_62), (10_000_000.5, 151_180_957.428_521_73),
    ])
    func `the logarithm of the gamma function is right`(argument: Double, expected: Double) {
        #expect((argument.logGamma - expected).magnitude <= 1e-14 * max(2, expected))
    }

    @Test func `the incomplete beta function is right on both sides`() {
        #expect((IncompleteBeta.half(3.5, 7.5) - 0.897_984_521_919_660_1).magnitude < 1e-13)
        #expect((IncompleteBeta.half(7.5, 3.5) - (1 - 0.897_984_521_919_660_1)).magnitude < 1e-13)
        #expect((IncompleteBeta.half(5_000_000, 5_000_000) - 0.5).magnitude < 1e-6)
    }

    @Test func `Wilson's interval matches hand computation`() {
        // n = 300 and nothing seen: z² ÷ (n + z²).
        #expect((WilsonInterval.upper(0, of: 300) - 3.841_459 / 303.841_459).magnitude < 1e-6)
        #expect((WilsonInterval.lower(10, of: 100) - 0.055_229).magnitude < 1e-6)
        #expect((WilsonInterval.upper(10, of: 100) - 0.174_366).magnitude < 1e-6)
        #expect(WilsonInterval.upper(0, of: 0) == 1 && WilsonInterval.lower(0, of: 0) == 0)
    }
}
