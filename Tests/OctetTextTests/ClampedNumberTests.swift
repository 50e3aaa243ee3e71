// Wingmirror · Apache-2.0

import OctetText
import Testing

@Suite struct ClampedNumberTests {
    @Test(arguments: [
        (0.4, 0), (0.5, 1), (-2.6, -3), (1e300, Int64.max), (-1e300, .min), (.infinity, .max), (-.infinity, .min),
        (.nan, 0), (0x1p63, .max), (-0x1p63, .min), (0x1p62, 1 << 62), (.leastNonzeroMagnitude, 0),
    ])
    func `any number has a nearest whole one`(value: Double, whole: Int64) {
        #expect(Int64(clamped: value) == whole)
    }

    @Test func `what is below zero is nothing where only counts fit`() {
        #expect(UInt64(clamped: -1) == 0 && UInt64(clamped: 1e30) == .max && UInt8(clamped: 255.6) == 255)
    }
}
