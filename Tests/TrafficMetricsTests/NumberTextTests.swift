// Wingmirror · Apache-2.0
// OpenMetrics 1.0, canonical numbers.

import OctetText
import Testing

@testable import TrafficMetrics

@Suite struct NumberTextTests {
    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1, "-1.0"), (0.5, "0.5"), (10, "10.0"), (100, "100.0"),
        (0.001, "0.001"), (0.0001, "0.0001"), (0.00012, "0.00012"), (0.00001, "1e-05"), (0.000_012_5, "1.25e-05"),
        (0.005, "0.005"), (0.025, "0.025"), (0.1, "0.1"), (2.5, "2.5"), (30, "30.0"), (123.456, "123.456"),
        (99_999, "99999.0"), (100_000, "100000.0"), (999_999, "999999.0"), (1_000_000, "1e+06"),
        (1_048_576, "1.048576e+06"), (4_194_304, "4.194304e+06"), (1024, "1024.0"), (16_384, "16384.0"),
        (1e15, "1e+15"), (1e16, "1e+16"), (1e21, "1e+21"), (1.5e300, "1.5e+300"), (.leastNonzeroMagnitude, "5e-324"),
        (1_234_567.25, "1.23456725e+06"), (0.060000000000000005, "0.060000000000000005"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    ])
    func `a number has the canonical form`(_ number: Double, _ text: String) {
        #expect(Self.text(of: number) == text)
    }

    @Test func `every number reads back as itself`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: generator.next())
            guard number.isFinite else { continue }
            #expect(Double(Self.text(of: number)) == number)
        }
    }

    @Test func `whole numbers are plain decimals`() {
        for number: UInt64 in [0, 9, 10, 99, 100, 12_345, 1_000_000, .max] {
            var text: [UInt8] = []
            text.appendNumber(number)
            #expect(String(decoding: text, as: UTF8.self) == String(number))
        }
    }

    private static func text(of number: Double) -> String {
        var text: [UInt8] = []
        text.appendNumber(number)
        return String(decoding: text, as: UTF8.self)
    }
}
